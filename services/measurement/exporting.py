"""Exporting: raw minutes as a file, and the same figures from it on somebody else's machine.

The file holds what was received and what was declared, and the figures that the exporting system states. Whoever
verifies it computes the figures anew by the same method, from the raw minutes alone.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from services.contract.document import Contract, Objective
from services.contract.intervals import Declared, shares
from services.measurement.kept import METHOD, Kept
from services.measurement.ledger import HOUR_MS, Ledger
from services.measurement.minutes import MINUTE_MS, Score
from services.measurement.raw import Held, ProbeSample, RawMinute
from services.sheets import Sheet

FORMAT = 1


class ExportError(ValueError):
    """The file cannot be verified; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One objective: what was stated, and what comes out of the raw minutes."""

    objective: Objective
    stated: Score
    computed: Score

    @property
    def holds(self) -> bool:
        return self.stated == self.computed


@dataclass(frozen=True, slots=True)
class Verification:
    """A whole file. `since` and `until` bound the time that it speaks of; `minutes` were received of."""

    contract: str
    since: int
    until: int
    minutes: int
    objectives: tuple[Verified, ...]

    @property
    def holds(self) -> bool:
        return all(one.holds for one in self.objectives)


def export(
    path: Path,
    contract: Contract,
    kept: Kept,
    ledger: Ledger,
    spans: Sequence[Declared],
    since: int,
    until: int,
    now: int,
) -> int:
    """Write the raw minutes from `since` to before `until`; returns how many lines. Raises DatabaseDown."""
    head = {
        "headwater_raw": FORMAT,
        "method": METHOD,
        "contract": contract.name,
        "since": since,
        "until": until,
        "began_at": kept.began_at(),
        "exported_at": now,
        "objectives": [asdict(one) for one in contract.objectives],
        "declared": [asdict(one) for one in spans],
        "figures": {one.name: asdict(Score.of(ledger.minutes(one, since, until))) for one in contract.objectives},
    }
    lines = 0
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as file:
        for line in _lines(head, kept, since, until):
            file.write(line + b"\n")
            lines += 1
    return lines


def _lines(head: Mapping[str, Any], kept: Kept, since: int, until: int) -> Iterator[bytes]:
    yield orjson.dumps(head, option=orjson.OPT_SORT_KEYS)
    for first in range(since, until, HOUR_MS):
        for received_at, body in kept.sheets(first, min(until, first + HOUR_MS)):
            yield b'{"received_at":%d,"sheet":%s}' % (received_at, body)
        for sample in kept.probes(first, min(until, first + HOUR_MS)):
            yield orjson.dumps({"probe": sample.as_json()})


def verify(path: Path) -> Verification:
    """Compute every figure of the file anew. Raises ExportError."""
    try:
        with gzip.open(path, "rb") as file:
            head = orjson.loads(file.readline())
            return _verified(head, _held(head, file))
    except (OSError, EOFError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ExportError):
            raise
        raise ExportError(
            f"{path}: {type(error).__name__}: {error}; give a file that `headwater contract export-raw` made"
        ) from error


def _held(head: Mapping[str, Any], lines: Iterable[bytes]) -> Held:
    if (head["headwater_raw"], head["method"]) != (FORMAT, METHOD):
        raise ExportError(
            f"made by format {head['headwater_raw']}, method {head['method']}; this release reads format {FORMAT}, "
            f"method {METHOD}: verify it with the release that made it"
        )
    sheets: dict[int, list[Sheet]] = {}
    probes: dict[int, list[ProbeSample]] = {}
    for line in map(orjson.loads, lines):
        if "sheet" in line:
            sheet = Sheet.decoded(orjson.dumps(line["sheet"]))
            sheets.setdefault(sheet.minute, []).append(sheet)
        else:
            sample = ProbeSample.from_json(line["probe"])
            probes.setdefault(sample.at // MINUTE_MS * MINUTE_MS, []).append(sample)
    ordered = sorted(sheets.keys() | probes.keys())
    return Held(
        head["began_at"], tuple(RawMinute(at, tuple(sheets.get(at, ())), tuple(probes.get(at, ()))) for at in ordered)
    )


def _objective(raw: Mapping[str, Any]) -> Objective:
    upstream = tuple((feed, after_s) for feed, after_s in raw["upstream"])
    return Objective(**{**raw, "excluding": tuple(raw["excluding"]), "upstream": upstream})


def _verified(head: Mapping[str, Any], held: Held) -> Verification:
    objectives = [_objective(raw) for raw in head["objectives"]]
    spans = [Declared(**raw) for raw in head["declared"]]
    ledger = Ledger(
        held, intervals=lambda objective, at: shares(objective, spans, at), clock=lambda: int(head["exported_at"])
    )
    since, until = head["since"], head["until"]
    found = tuple(
        Verified(one, Score(**head["figures"][one.name]), Score.of(ledger.minutes(one, since, until)))
        for one in objectives
    )
    return Verification(head["contract"], since, until, len(held.held), found)
