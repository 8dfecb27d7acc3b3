#!/usr/bin/env python3
"""Audit: judges what pip-audit finds in both locks. The lock that is served must be clean; the tests' lock may have
exceptions, listed in `advisories.toml` with reason and end. Exits 0 where all is well, 1 where it is not or could
not be asked, 2 where the list is wrong.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SERVED, TESTS = "requirements.txt", "requirements-test.txt"
SERVICES = ("pypi", "osv")
"""Asked in turn until one answers: both hold the Python Packaging Advisory Database."""
FIELDS = {"advisory", "package", "reason", "expires"}
LONGEST = datetime.timedelta(days=184)


def main(python: str) -> int:
    """Ask for both locks, say what is wrong, and return the exit code."""
    today = datetime.datetime.now(datetime.UTC).date()
    exceptions = tomllib.loads((ROOT / "advisories.toml").read_text()).get("exception", [])
    if wrong := list(faults_of_list(exceptions, today)):
        print("\n".join(wrong), file=sys.stderr)
        return 2
    problems = []
    for lock, allowed in ((SERVED, []), (TESTS, exceptions)):
        try:
            found = ask(python, lock)
        except AuditFailed as failed:
            problems.append(f"{lock}: not audited, which is no pass: {failed}")
            continue
        problems += judge(lock, found, allowed)
    print("\n".join(problems) if problems else f"{SERVED} is clean; {TESTS} has {len(exceptions)} exceptions",
          file=sys.stderr if problems else sys.stdout)
    return 1 if problems else 0


class AuditFailed(Exception):
    """The advisory service gave no answer."""


def ask(python: str, lock: str) -> Mapping[str, Any]:
    """What is known of a lock, from the first service that answers for all of it. Raises AuditFailed."""
    refusals = []
    for service in SERVICES:
        try:
            return _ask(python, lock, service)
        except AuditFailed as failed:
            refusals.append(f"{service}: {failed}")
    raise AuditFailed("; ".join(refusals))


def _ask(python: str, lock: str, service: str) -> Mapping[str, Any]:
    run = subprocess.run(
        [python, "-m", "pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip", "--strict",
         "--vulnerability-service", service, "--progress-spinner", "off", "--format", "json"],
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )
    try:
        answer: Mapping[str, Any] = json.loads(run.stdout)
    except ValueError:
        last = [line for line in run.stderr.splitlines() if line.strip()][-1:]
        raise AuditFailed("".join(last) or f"pip-audit ended with {run.returncode} and said nothing") from None
    return answer


def faults_of_list(exceptions: Iterable[Mapping[str, Any]], today: datetime.date) -> Iterable[str]:
    """What is wrong with the list itself: an exception without a reason, or whose time is over."""
    for one in exceptions:
        name = f"advisories.toml: {one.get('advisory', 'an exception')}"
        expires = one.get("expires")
        if set(one) != FIELDS or not str(one["reason"]).strip():
            yield f"{name}: give {', '.join(sorted(FIELDS))}"
        elif not isinstance(expires, datetime.date):
            yield f"{name}: expires: {expires!r}: give a date such as 2027-03-01"
        elif expires < today:
            yield f"{name}: expired on {expires}: renew the lock, or decide anew"
        elif expires - today > LONGEST:
            yield f"{name}: expires: {expires}: half a year is the longest"


def judge(lock: str, answer: Mapping[str, Any], allowed: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each fault: known to be vulnerable, not asked for, or an exception that is needed no more."""
    dependencies = answer.get("dependencies") or []
    problems = [] if dependencies else [f"{lock}: nothing was audited"]
    used = set()
    for one in dependencies:
        if "skip_reason" in one:
            problems.append(f"{lock}: {one['name']}: not audited, which is no pass: {one['skip_reason']}")
        for found in one.get("vulns", []):
            names = {found["id"], *found.get("aliases", [])}
            fitting = [e for e in allowed if e["package"] == one["name"] and e["advisory"] in names]
            used |= {e["advisory"] for e in fitting}
            if not fitting:
                fixed = ", ".join(found.get("fix_versions", [])) or "none yet"
                problems.append(f"{lock}: {one['name']} {one['version']}: {found['id']}; fixed in: {fixed}")
    problems += [
        f"advisories.toml: {e['advisory']}: {e['package']} no longer has it: take the exception out"
        for e in allowed if e["advisory"] not in used
    ]
    return problems


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
