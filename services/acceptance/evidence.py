"""Evidence: what an acceptance found, clause by clause, dated and hashed; its raw samples are in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.acceptance.trial import Outcome
from services.contract.document import Contract


@dataclass(frozen=True, slots=True)
class Evidence:
    """`clauses` are numbers by criterion; `passed` only where every criterion of the contract was seen to hold."""

    contract: str
    url: str
    began_at: str
    version: str
    clauses: Mapping[str, str]
    means: Mapping[str, str]
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        return bool(self.outcomes) and all(one.verdict == "passed" for one in self.outcomes)

    def as_json(self) -> bytes:
        """The file that a lock holds the hash of."""
        found = [
            {
                "clause": self.clauses[one.criterion], "criterion": one.criterion, "means": self.means[one.criterion],
                "verdict": one.verdict, "said": one.said, "samples": one.samples,
            }
            for one in self.outcomes
        ]  # fmt: skip
        said = {
            "contract": self.contract, "url": self.url, "began_at": self.began_at, "version": self.version,
            "passed": self.passed, "criteria": found,
        }  # fmt: skip
        return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.as_json()).hexdigest()


def evidence(
    contract: Contract, numbers: Mapping[str, str], version: str, url: str, began_at: str, found: Sequence[Outcome]
) -> Evidence:
    """Every criterion of the contract with what was found of it; what nothing looked at was not seen."""
    by_name = {one.criterion: one for one in found}
    criteria: dict[str, Any] = {one.name: one for one in contract.scope.criteria}
    outcomes = tuple(
        by_name.get(name, Outcome(name, "not seen", "nothing looks at a criterion of that name")) for name in criteria
    )
    clauses = {name: numbers[f"acceptance {name}"] for name in criteria}
    means = {name: one.means for name, one in criteria.items()}
    return Evidence(contract.name, url, began_at, version, clauses, means, outcomes)
