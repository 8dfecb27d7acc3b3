"""The audit of the locks: what was not asked is no pass, what is served has no exceptions, and an exception ends."""

from __future__ import annotations

import datetime
import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TODAY = datetime.date(2027, 1, 15)
FOUND = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["4.9"]}
OLD = {"name": "selenium", "version": "4.2.0", "vulns": [FOUND]}
CLEAN = {"name": "flask", "version": "3.1.0", "vulns": []}
EXCEPTION = {"advisory": "CVE-1", "package": "selenium", "reason": "pinned", "expires": datetime.date(2027, 3, 1)}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("dependencies", "allowed", "said"),
    [
        ([CLEAN], [], []),
        ([OLD, CLEAN], [EXCEPTION], []),
        ([OLD], [], ["selenium 4.2.0: PYSEC-1; fixed in: 4.9"]),
        ([OLD], [{**EXCEPTION, "package": "flask"}], ["PYSEC-1", "take the exception out"]),
        ([CLEAN], [EXCEPTION], ["take the exception out"]),
        ([{"name": "flask", "skip_reason": "not found"}], [], ["not audited, which is no pass: not found"]),
    ],
)
def test_a_lock_passes_only_where_everything_was_asked_and_nothing_found(
    audit: ModuleType, dependencies: list[Any], allowed: list[Any], said: list[str]
) -> None:
    pins = [(one["name"], one.get("version", "3.1.0")) for one in dependencies]
    problems = audit.judge("requirements.txt", pins, dependencies, allowed)
    assert len(problems) == len(said)
    assert all(text in problem for text, problem in zip(said, problems, strict=True))


@pytest.mark.parametrize("answer", [[], [OLD], [{**CLEAN, "version": "3.0.0"}]])
def test_a_package_that_no_answer_is_about_is_no_pass(audit: ModuleType, answer: list[Any]) -> None:
    said = audit.judge("requirements.txt", [("flask", "3.1.0")], answer, [EXCEPTION] if OLD in answer else [])
    assert said == ["requirements.txt: flask 3.1.0: not audited, which is no pass: no answer"]
    assert audit.judge("requirements.txt", [], [], []) == ["requirements.txt: nothing was audited"]


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-test.txt"])
def test_every_package_of_a_lock_is_asked_for_also_those_of_another_python_or_platform(
    audit: ModuleType, lock: str
) -> None:
    lines = [line for line in (ROOT / lock).read_text().splitlines() if line[:1].isalnum()]
    pins = audit.pins_of(lock)
    assert [f"{name}=={version}" for name, version in pins] == [line.split()[0] for line in lines]
    rounds = list(audit.in_rounds(pins))
    assert sorted(pin for one in rounds for pin in one) == sorted(pins)
    assert all(len(dict(one)) == len(one) for one in rounds), "no package twice in one question"
    assert len({version for name, version in pins if name == "numpy"}) == 2, "one for each Python"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"expires": datetime.date(2027, 1, 14)}, "expired on 2027-01-14"),
        ({"expires": "soon"}, "give a date"),
        ({"expires": datetime.date(2028, 1, 1)}, "half a year is the longest"),
        ({"reason": " "}, "give advisory, expires, package, reason"),
    ],
)
def test_an_exception_has_a_reason_and_an_end(audit: ModuleType, changed: dict[str, Any], said: str) -> None:
    assert list(audit.faults_of_list([EXCEPTION], TODAY)) == []
    (fault,) = audit.faults_of_list([{**EXCEPTION, **changed}], TODAY)
    assert said in fault


def test_a_service_that_cannot_be_reached_fails_the_audit(audit: ModuleType) -> None:
    with pytest.raises(audit.AuditFailed, match=r"pypi: .*; osv: "):
        audit.ask(sys.executable, "requirements.txt")  # this Python has no pip-audit: nobody is asked


def test_the_exceptions_of_today_are_whole(audit: ModuleType) -> None:
    held = tomllib.loads((ROOT / "advisories.toml").read_text()).get("exception", [])
    whole = [{**one, "expires": TODAY} for one in held]  # whether one is over, `make audit` says: a test asks no clock
    assert list(audit.faults_of_list(whole, TODAY)) == []
