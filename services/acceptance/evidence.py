"""Evidence: what an acceptance found, clause by clause, dated and hashed; its raw samples are in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from services.acceptance.outcome import Outcome, Verdict, not_seen
from services.contract.document import Contract

_WORST: tuple[Verdict, ...] = ("passed", "not seen", "failed")


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of the evidence: `clause` is the number of the criterion or deliverable, `objectives` the numbers of
    the objectives' clauses that must hold for it, by name."""

    clause: str
    means: str
    objectives: Mapping[str, str]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Evidence:
    """`passed` only where every criterion and deliverable of the contract was seen to hold."""

    contract: str
    url: str
    began_at: str
    version: str
    lines: tuple[Judged, ...]

    @property
    def passed(self) -> bool:
        return bool(self.lines) and all(one.outcome.verdict == "passed" for one in self.lines)

    @property
    def by_clause(self) -> dict[str, Verdict]:
        """Each clause that was looked at with the worst that was found of it."""
        found: dict[str, Verdict] = {}
        for line in self.lines:
            for number in (line.clause, *line.objectives.values()):
                found[number] = max(found.get(number, "passed"), line.outcome.verdict, key=_WORST.index)
        return dict(sorted(found.items(), key=lambda one: [int(part) for part in one[0].split(".")]))

    def as_json(self) -> bytes:
        """The file that a lock holds the hash of."""
        found = [
            {
                "clause": one.clause, "criterion": one.outcome.criterion, "means": one.means,
                "objectives": dict(one.objectives), "verdict": one.outcome.verdict, "said": one.outcome.said,
                "samples": one.outcome.samples,
            }
            for one in self.lines
        ]  # fmt: skip
        said = {
            "contract": self.contract, "url": self.url, "began_at": self.began_at, "version": self.version,
            "passed": self.passed, "clauses": self.by_clause, "criteria": found,
        }  # fmt: skip
        return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.as_json()).hexdigest()


def evidence(
    contract: Contract, numbers: Mapping[str, str], version: str, url: str, began_at: str, found: Sequence[Outcome]
) -> Evidence:
    """Every criterion and deliverable of the contract with what was found of it; what nothing looked at was not seen.

    An outcome of a deliverable is called as its clause: `deliverable annex`.
    """
    by_name = {one.criterion: one for one in found}

    def line(clause: str, name: str, means: str, objectives: Sequence[str] = ()) -> Judged:
        outcome = by_name.get(name) or not_seen(name, "nothing looks at a criterion of that name")
        return Judged(numbers[clause], means, {one: numbers[f"objective {one}"] for one in objectives}, outcome)

    criteria = [line(f"acceptance {one.name}", one.name, one.means, one.objectives) for one in contract.scope.criteria]
    deliverables = [
        line(f"deliverable {one.name}", f"deliverable {one.name}", one.means)
        for one in contract.scope.deliverables if one.file
    ]  # fmt: skip
    return Evidence(contract.name, url, began_at, version, (*criteria, *deliverables))
