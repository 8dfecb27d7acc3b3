"""Every field of the document: one that changes is one change request of its kind, and another text of one clause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.contract.clause import Clause
from services.contract.clauses import File
from tests.contract.statements import FILE, differing, one, other, statement


def _mutations(clause: Clause, path: str = "") -> Iterator[tuple[str, Clause]]:
    """The clause with each of its fields changed, one at a time, those of its tables included."""
    for name in type(clause).model_fields:
        value, at = getattr(clause, name), f"{path}.{name}".strip(".")
        if isinstance(value, Clause):
            yield from ((where, clause.model_copy(update={name: made})) for where, made in _mutations(value, at))
        elif isinstance(value, list) and value and isinstance(value[0], Clause):
            for number in _of_each_kind(value):
                for where, made in _mutations(value[number], f"{at}[{number}]"):
                    yield where, clause.model_copy(update={name: [*value[:number], made, *value[number + 1 :]]})
        else:
            yield at, clause.model_copy(update={name: other(value)})


def _of_each_kind(tables: list[Clause]) -> list[int]:
    """The first of each kind of table in a list: sinks differ in kind."""
    kinds = [type(one) for one in tables]
    return [kinds.index(kind) for kind in dict.fromkeys(kinds)]


IN_FILE = dict(_mutations(FILE))
KINDS = {
    "objective[0].target_percent": "target", "objective[0].within_s": "target", "support.hours": "support hours",
    "support.holidays": "support hours", "envelope.viewers": "envelope", "hosting.region": "region",
    "hosting.authentication": "role or auth boundary", "exclusions.hotfix.clause": "exclusion",
    "severity[0].response_minutes": "support", "price.day_rate": "price", "change.terms": "terms",
    "phase[0].begins": "phase", "dependency[0].due": "dependency on the client", "report.at": "report",
    "acceptance[0].means": "acceptance criterion", "deliverable[0].file": "deliverable", "scope.feeds": "scope",
    "sink[0].least": "alert", "contract.phase": "phase", "contract.name": "terms",
}  # fmt: skip


def _fields(clause: Clause) -> set[tuple[str, str]]:
    """Fields that the walk meets, by the kind of their table."""
    found: set[tuple[str, str]] = set()
    for name in type(clause).model_fields:
        value = getattr(clause, name)
        found.add((type(clause).__name__, name))
        held = value if isinstance(value, list) else [value]
        found = found.union(*(_fields(each) for each in held if isinstance(each, Clause)))
    return found


def _kinds_of_tables(kind: type[Clause]) -> Iterator[type[Clause]]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds_of_tables(each)


def test_the_walk_changes_every_field_that_a_contract_can_have() -> None:
    assert set(KINDS) <= set(IN_FILE)
    known = {(kind.__name__, name) for kind in _kinds_of_tables(Clause) for name in kind.model_fields}
    assert known - _fields(FILE) == set()


@pytest.mark.parametrize("place", sorted(IN_FILE))
def test_a_changed_field_of_the_document_is_one_change_request_and_one_clause(place: str) -> None:
    changed = IN_FILE[place]
    assert isinstance(changed, File)
    found = one(statement(changed))
    assert found.kind == KINDS.get(place, found.kind)
    assert len(differing(statement(changed))) in ((1,) if place not in RENAMES else (1, 2))
    assert set(found.clauses) <= differing(statement(changed))


RENAMES = {place for place in IN_FILE if place.endswith(("].name", "].feed", "].severity", "].hours", "].phase"))}
