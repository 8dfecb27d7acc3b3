#!/usr/bin/env python3
"""Audit: judges what pip-audit finds in both locks. The lock that is served must be clean; the tests' lock may have
exceptions, listed in `advisories.toml` with reason and end. Exits 0 where all is well, 1 where it is not or could
not be asked, 2 where the list is wrong.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SERVED, TESTS = "requirements.txt", "requirements-test.txt"
SERVICES = ("pypi", "osv")
"""Asked in turn until one answers: both hold the Python Packaging Advisory Database."""
WITHIN_S = 900
Pin = tuple[str, str]
PIN = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
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
        problems += judge(lock, pins_of(lock), found, allowed)
    print("\n".join(problems) if problems else f"{SERVED} is clean; {TESTS} has {len(exceptions)} exceptions",
          file=sys.stderr if problems else sys.stdout)
    return 1 if problems else 0


class AuditFailed(Exception):
    """The advisory service gave no answer."""


def pins_of(lock: str) -> list[Pin]:
    """Every package of the lock with its version, also what only another platform or Python would install."""
    return PIN.findall((ROOT / lock).read_text())


def ask(python: str, lock: str) -> list[Mapping[str, Any]]:
    """What is known of each of a lock's packages, by the first service that answers for all. Raises AuditFailed."""
    refusals = []
    for service in SERVICES:
        try:
            return [one for pins in in_rounds(pins_of(lock)) for one in _ask(python, pins, service)]
        except AuditFailed as failed:
            refusals.append(f"{service}: {failed}")
    raise AuditFailed("; ".join(refusals))


def in_rounds(pins: Iterable[Pin]) -> Iterator[list[Pin]]:
    """No package twice in one: of some, a lock has a version for each Python."""
    left = list(pins)
    while left:
        once = dict(reversed(left))
        yield list(once.items())
        left = [pin for pin in left if pin not in once.items()]


def _ask(python: str, pins: Iterable[Pin], service: str) -> list[Mapping[str, Any]]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as asked:
        asked.write("".join(f"{name}=={version}\n" for name, version in pins))  # without markers: each is asked for
        asked.flush()
        command = [
            python, "-m", "pip_audit", "--requirement", asked.name, "--no-deps", "--disable-pip", "--strict",
            "--vulnerability-service", service, "--progress-spinner", "off", "--format", "json",
        ]
        try:
            run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, check=False)
        except subprocess.TimeoutExpired:
            raise AuditFailed(f"no answer within {WITHIN_S} s") from None
    try:
        found: list[Mapping[str, Any]] = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = [line for line in run.stderr.splitlines() if line.strip()][-1:]
        raise AuditFailed("".join(last) or f"pip-audit ended with {run.returncode} and said nothing") from None
    return found


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


def judge(
    lock: str, pins: Sequence[Pin], answer: Sequence[Mapping[str, Any]], allowed: Sequence[Mapping[str, Any]]
) -> list[str]:
    """A line for each fault: known to be vulnerable, not answered for, or an exception that is needed no more."""
    answered = {(one["name"], one.get("version")) for one in answer if "skip_reason" not in one}
    skipped = {one["name"] for one in answer if "skip_reason" in one}
    problems = [] if pins else [f"{lock}: nothing was audited"]
    problems += [
        f"{lock}: {name} {version}: not audited, which is no pass: no answer"
        for name, version in pins if (name, version) not in answered and name not in skipped
    ]
    used = set()
    for one in answer:
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
