"""Proof: what was tested, and how each clause is proven: the test log, and the matrix of clauses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.contract.annex import Clause
from services.contract.document import Contract
from services.contract.markdown import table, text
from services.contract.seen import ROWS
from services.contract.statement import JOINED, kind_of, name_of

_AGREED = "agreed: nothing to measure"
_REPORTED = "the report of each week and period"
_BY_DIFF = "headwater contract diff: what is declared is what was signed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an acceptance wrote: its file's name, when and against what it ran, and its verdict by criterion."""

    file: str
    began_at: str
    url: str
    passed: bool
    found: Mapping[str, Mapping[str, Any]]
    """By criterion: clause, verdict, said."""

    @classmethod
    def of(cls, file: str, raw: Mapping[str, Any]) -> Evidence:
        """Raises KeyError or TypeError where it is none."""
        found = {str(one["criterion"]): one for one in raw["criteria"]}
        return cls(file, str(raw["began_at"]), str(raw["url"]), raw["passed"] is True, found)

    def verdict(self, criterion: str) -> str:
        one = self.found.get(criterion)
        return "" if one is None else f"{one['verdict']}: {one['said']}"


def log_of_tests(
    contract: Contract, evidence: Evidence | None, measured: Mapping[str, Any] | None, logs: Sequence[str]
) -> str:
    """What acceptance and load looked at; `logs` are files that go along."""
    return text(_log(contract, evidence, measured, logs))


def _log(
    contract: Contract, evidence: Evidence | None, measured: Mapping[str, Any] | None, logs: Sequence[str]
) -> Iterator[str]:
    yield from (f"# {contract.name}: test log", "", "## Acceptance", "")
    if evidence is None:
        yield "No acceptance has been run; `headwater contract accept URL` writes its evidence."
    else:
        verdict = "Passed" if evidence.passed else "Not passed"
        yield f"{verdict}: {evidence.url}, begun {evidence.began_at}; all samples are in `evidence/{evidence.file}`."
        yield ""
        yield from table(("clause", "criterion", "verdict", "what was found"), (
            (str(one["clause"]), name, str(one["verdict"]), str(one["said"])) for name, one in evidence.found.items()
        ))
    yield from ("", "## Load", "")
    if measured is None:
        yield "No load has been run; `headwater load URL` writes what the deployment held."
    else:
        asked = measured["envelope"]
        most = f"{asked['events_per_s']:,g} events a second and {asked['viewers']:,} viewers"
        yield f"Begun {measured['began_at']}; in stages up to {most}."
        yield ""
        yield from table(("stage", "objective", "held", "what was found"), (
            (f"{100 * stage['share']:.0f} %", str(one["objective"]),
             {True: "yes", False: "no", None: "not seen"}[one["held"]], str(one["said"]))
            for stage in measured["stages"] for one in stage["found"]
        ))
    if logs:
        yield from ("", "## Other logs", "", *(f"- `tests/{one}`" for one in logs))


def matrix(contract: Contract, clauses: Sequence[Clause], evidence: Evidence | None) -> str:
    """Clause → objective → test → evidence, for every clause."""
    return text(_matrix(contract, clauses, evidence))


def _matrix(contract: Contract, clauses: Sequence[Clause], evidence: Evidence | None) -> Iterator[str]:
    yield from (f"# {contract.name}: how each clause is proven", "")
    yield from table(("clause", "is about", "objectives", "test", "evidence"), (
        (one.number, one.title, ", ".join(_objectives(contract, one.key)), "; ".join(_tests(contract, one.key)),
         _evidence(contract, one.key, evidence))
        for one in clauses
    ))  # fmt: skip


def _objectives(contract: Contract, key: str) -> list[str]:
    """Those whose figures the clause is about."""
    kind, name = kind_of(key.split(JOINED)[0]), name_of(key.split(JOINED)[0])
    if kind == "objective":
        return [name]
    if kind == "acceptance":
        return [one for criterion in contract.scope.criteria if criterion.name == name for one in criterion.objectives]
    if kind == "feed":
        channel = name_of(key.split(JOINED)[1]) if JOINED in key else ""
        return [
            one.name for one in contract.objectives
            if one.channel is not None and one.channel.startswith(f"{name}.") and one.channel.endswith(f".{channel}")
        ] if channel else [
            one.name for one in contract.objectives
            if one.channel is not None and one.channel.startswith(f"{name}.")
        ]
    if kind == "envelope":
        return [one.name for one in contract.objectives if one.kind in ("latency", "backlog", "first_value")]
    return []


def _criteria(contract: Contract, key: str) -> list[str]:
    """The criteria of acceptance that look at what the clause is about."""
    top = key.split(JOINED)[0]
    kind, name = kind_of(top), name_of(top)
    known = {one.name for one in contract.scope.criteria}
    if kind == "acceptance":
        return [name]
    if kind == "deliverable":
        return [key]
    if kind == "objective":
        return [one.name for one in contract.scope.criteria if name in one.objectives]
    looked_at = {
        "feed": ("values-in-time", "nothing-missing", "right-after-burst", "told-when-stale"), "role": ("roles-apart",),
        "page": ("first-value",), "envelope": ("values-in-time",),
    }.get(kind, ())  # fmt: skip
    return [one for one in looked_at if one in known]


def _tests(contract: Contract, key: str) -> Iterator[str]:
    if kind_of(key) == "seen":
        yield from (row.test for row in ROWS if row.when == name_of(key))
        if name_of(key) == "broker":
            yield "headwater doctor: what the broker keeps"
        return
    kind = kind_of(key.split(JOINED)[0])
    yield from (f"contract accept: {one}" for one in _criteria(contract, key))
    if kind == "objective":
        yield "measured and reported from the first day on"
    if kind == "envelope":
        yield "headwater load"
    if kind in ("feed", "page", "role", "scope", "hosting"):
        yield _BY_DIFF


def _evidence(contract: Contract, key: str, evidence: Evidence | None) -> str:
    if kind_of(key) == "seen":
        return "test log of the release"
    named = _criteria(contract, key)
    if not named:
        return _REPORTED if kind_of(key) == "objective" else _AGREED
    if evidence is None:
        return "not accepted yet"
    return "; ".join(f"{one}: {evidence.verdict(one) or 'not looked at'}" for one in named)
