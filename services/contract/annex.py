"""Annex: the contract's clauses in plain words, made from the file and from what is really declared.

A clause keeps its number: what is added gets the next one of its section, and the number of what was left out is free
for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from services.contract.document import Contract
from services.contract.markdown import NO_ADVICE, text
from services.contract.phrases import label_of, thing_in_words, value_in_words
from services.contract.seen import ROWS, durability, lines_of
from services.contract.sentences import breach_of, degraded_of, seconds, sentence
from services.contract.statement import JOINED, Properties, Statement, kind_of, name_of

if TYPE_CHECKING:
    from services.broker.examining import Persistence

_SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Parties and term", ("contract",)),
    ("Feeds", ("feed",)),
    ("Channels", ("channel",)),
    ("Pages", ("page",)),
    ("Roles", ("role",)),
    ("Hosting and envelope", ("scope", "hosting", "envelope")),
    ("Objectives", ("objective",)),
    ("Exclusions", ("exclusions",)),
    ("Support", ("support", "severity")),
    ("Alerts and reports", ("alerts", "sink", "report")),
    ("Deliverables and acceptance", ("deliverable", "acceptance")),
    ("Dependencies on the client", ("dependency",)),
    ("Phases", ("phase",)),
    ("Changes", ("change",)),
    ("Prices", ("price",)),
    ("What you see when…", ()),
)
_SEEN = len(_SECTIONS)
_OF_PAGES = (
    "Transport: values come by WebSocket, as they change; where that is blocked by long poll, at most four updates a "
    "second, and the page says so"
)
_SPLIT = ("contract", "exclusions", "alerts", "price")
"""Tables whose inner tables are clauses of their own."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: its number, its title, and its sentences."""

    number: str
    key: str
    title: str
    lines: tuple[str, ...]


def clause_key(key: str) -> str:
    """The thing whose clause says this one: a field is said in its feed's clause, a channel has its own."""
    parts = key.split(JOINED)
    split = kind_of(parts[0]) in _SPLIT or (len(parts) > 1 and kind_of(parts[1]) == "channel")
    return JOINED.join(parts[:2]) if split else parts[0]


def numbered(statement: Statement, former: Mapping[str, str] | None = None) -> dict[str, str]:
    """The number of each clause by its key; `former` are those that are taken, of this and former contracts."""
    taken = dict(former or {})
    highest = {str(number): 0 for number in range(1, len(_SECTIONS) + 1)}
    for given in taken.values():
        section, _, place = given.partition(".")
        highest[section] = max(highest[section], int(place))
    found = {}
    for key in dict.fromkeys(clause_key(one) for one in statement):
        if key not in taken:
            section = str(_section(key))
            highest[section] += 1
            taken[key] = f"{section}.{highest[section]}"
        found[key] = taken[key]
    return found


def numbers_of_things(statement: Statement, clauses: Mapping[str, str]) -> dict[str, str]:
    """The clause's number of every thing, by the thing's own key."""
    return {key: clauses[clause_key(key)] for key in statement}


def _section(key: str) -> int:
    parts = key.split(JOINED)
    kind = "channel" if kind_of(parts[-1]) == "channel" else kind_of(parts[0])
    return next(number for number, (_, kinds) in enumerate(_SECTIONS, start=1) if kind in kinds)


def clauses(contract: Contract, statement: Statement, numbers: Mapping[str, str]) -> list[Clause]:
    """All clauses in the order of their numbers."""
    held: dict[str, list[str]] = {}
    for key in statement:
        held.setdefault(clause_key(key), []).append(key)
    found = [
        Clause(numbers[key], key, _title(key), tuple(_lines(contract, statement, key, keys)))
        for key, keys in held.items()
    ]
    return sorted(found, key=lambda one: [int(part) for part in one.number.split(".")])


def _title(key: str) -> str:
    words = thing_in_words(key)
    return words[0].upper() + words[1:]


def seen_when(persistence: Persistence) -> list[Clause]:
    """What a viewer sees when something fails; their numbers are fixed, as no file declares them."""
    kept = Clause(f"{_SEEN}.1", "seen broker", "What the broker keeps", (durability(persistence),))
    return [
        kept,
        *(Clause(f"{_SEEN}.{number}", f"seen {row.when}", f"When {row.when}", tuple(lines_of(row)))
          for number, row in enumerate(ROWS, start=2)),
    ]  # fmt: skip


def _lines(contract: Contract, statement: Statement, key: str, keys: list[str]) -> Iterator[str]:
    if kind_of(key) == "objective":
        yield from _objective(contract, name_of(key))
    elif kind_of(key) == "feed":
        yield _transport(name_of(key), statement[key])
    elif kind_of(key) == "page":
        yield _OF_PAGES
    for one in keys:
        properties = statement[one]
        if one == key:
            yield from _own(properties)
        else:
            said = "; ".join(_own(properties))
            yield f"{thing_in_words(one.removeprefix(key + JOINED))}: {said}" if said else thing_in_words(one)


def _transport(name: str, feed: Properties) -> str:
    """How the feed's events come; a source that is asked says how often, and what that means."""
    source, expected = feed["source"], feed["freshness"]["expected_every_s"]
    if not source["transport"].startswith("pulled"):
        return f"Transport: posted to /api/ingest/{name} as they happen"
    every = source.get("every_s")
    if every is None:
        return f"Transport: pulled by the worker; something new is expected every {seconds(expected)}"
    return f"Transport: polled by the worker every {seconds(every)}; what changes back between two polls is not seen"


def _objective(contract: Contract, name: str) -> Iterator[str]:
    """The sentence; exclusions are clauses of their own, so that one of them changes no objective's words."""
    found = contract.objective(name)
    if found is None:
        return
    yield f"{sentence(replace(found, excluding=()))}."
    yield f"A breach is {found.breach if found.breach else breach_of(found.kind, found.point, found.limit)}."
    if found.degraded != degraded_of("none"):
        yield f"While it is not met viewers have {found.degraded}."


def _own(properties: Properties) -> list[str]:
    return [f"{label_of(name)}: {value_in_words(name, value)}" for name, value in properties.items()]


def by_section(found: Sequence[Clause]) -> Iterator[tuple[str, list[Clause]]]:
    """The clauses under the headings of their sections."""
    for number, clauses_of in groupby(found, key=lambda one: one.number.partition(".")[0]):
        yield f"{number} {_SECTIONS[int(number) - 1][0]}", list(clauses_of)


def as_markdown(contract: Contract, found: Sequence[Clause], version: str) -> str:
    """The annex as Markdown; `version` says which one is in force, or that none is."""
    return text(_markdown(contract, found, version))


def _markdown(contract: Contract, found: Sequence[Clause], version: str) -> Iterator[str]:
    yield from (f"# {contract.name}: annex", "", f"{version} {NO_ADVICE}")
    for section, held in by_section(found):
        yield from ("", f"## {section}")
        for clause in held:
            yield from ("", f"### {clause.number} {clause.title}", "")
            yield from (f"- {line}" for line in clause.lines)
