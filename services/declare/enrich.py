"""Enrich: what is done with each event between its acceptance and its channels, as a feed declares it.

A step is a pure function of the event: it gives the fields to set, or None for an event that is to be left out. A
`Remembering` step is a pure function of the event and of what it remembered of the ones before; the processor commits
that memory together with everything else, so that a takeover or a replay gives the same values.
"""

from __future__ import annotations

import csv
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from math import copysign
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from services.declare.feeds import FeedSpec

Fields: TypeAlias = Mapping[str, Any]
Problem = tuple[str, object, str]
_TABLES = (".csv", ".json", ".jsonl")
_WINDOW_MAX = 500


class Remembering(ABC):
    """A step with a memory for each value of the field `by` (the feed's key where that is None)."""

    by: str | None = None
    groups_max: int = 1_000
    """Values of that field that are remembered; an event of one more goes into quarantine."""

    @abstractmethod
    def step(self, event: Fields, memory: Any) -> tuple[Fields | None, Any]:
        """The fields to set (None leaves the event out), and the memory after it, as JSON can hold it.

        `memory` is None for the first event of a group. Nothing else may decide what comes out.
        """

    @abstractmethod
    def signature(self) -> str:
        """Another one where what is remembered means something else: then it begins anew."""


Step: TypeAlias = Callable[[Fields], "Fields | None"] | Remembering


class Anomaly(Remembering):
    """How far a number is from what it usually is: its modified z-score against the last `window` of its group.

    Median and median absolute deviation, so that what is unusual does not hide itself (Iglewicz and Hoaglin, 1993:
    beyond 3.5 is suspicious). Set to the field `into`, once there were `least` values before; it is at most 100.
    """

    def __init__(
        self,
        field: str,
        *,
        into: str,
        window: int = 100,
        least: int = 10,
        by: str | None = None,
        groups_max: int = 1_000,
    ) -> None:
        self.field, self.into, self.window, self.least = field, into, window, least
        self.by, self.groups_max = by, groups_max

    def step(self, event: Fields, memory: Any) -> tuple[Fields | None, Any]:
        value, before = event.get(self.field), list(memory or ())
        if value is None:
            return {}, before
        found = {self.into: score(value, before)} if len(before) >= self.least else {}
        return found, [*before, value][-self.window :]

    def signature(self) -> str:
        return f"anomaly {self.field} {self.window}"

    def describe(self) -> str:
        return f"{self.into} is how unusual {self.field} is among the last {self.window}"

    def problem(self, feed: FeedSpec) -> str | None:
        """What of it cannot be meant, as a remedy."""
        target = feed.fields.get(self.into)
        if target is None or target.value_type != "number" or target.required:
            return f"into={self.into!r}: declare it as a Number that is not required"
        measured = feed.fields.get(self.field)
        if measured is None or measured.value_type not in ("number", "integer"):
            return f"{self.field}: name a Number or Integer field"
        if not 2 <= self.least <= self.window <= _WINDOW_MAX:
            return f"give 2 <= least <= window <= {_WINDOW_MAX}"
        return None


def score(value: float, before: Sequence[float]) -> float:
    """The modified z-score of a value; by the mean absolute deviation where more than half of the values are equal."""
    middle = median(before)
    off = value - middle
    if off == 0:
        return 0.0
    deviations = [abs(one - middle) for one in before]
    spread = median(deviations) * 1.4826 or fmean(deviations) * 1.2533
    return copysign(100.0, off) if spread == 0 else min(100.0, max(-100.0, off / spread))


class Joined:
    """Fields of a reference table, by the value of one of the event's own."""

    def __init__(
        self, table: str | Path | Mapping[Any, Fields], on: str, take: Mapping[str, str], *, key: str = ""
    ) -> None:
        self.on, self.take, self.key = on, dict(take), key or on
        self.table = Path(table) if isinstance(table, str) else table

    @cached_property
    def rows(self) -> Mapping[str, Fields]:
        """The table's rows by their key, as text. Raises ValueError where it cannot be read."""
        if isinstance(self.table, Mapping):
            return {str(name): row for name, row in self.table.items()}
        return {str(row[self.key]): row for row in _read(self.table, self.key)}

    def __call__(self, event: Fields) -> Fields:
        row = self.rows.get(str(event.get(self.on)))
        return {} if row is None else {name: row[column] for name, column in self.take.items() if column in row}

    def describe(self) -> str:
        named = self.table.name if isinstance(self.table, Path) else "a table"
        return f"{', '.join(self.take)} of {named} by {self.on}"

    def problem(self, feed: FeedSpec) -> str | None:
        """What of it cannot be meant, as a remedy."""
        if self.on not in feed.fields:
            return f"on={self.on!r}: name a field of {sorted(feed.fields)}"
        for name in self.take:
            if name not in feed.fields or feed.fields[name].required:
                return f"{name!r}: declare it as a field that is not required"
        try:
            rows = self.rows
        except ValueError as error:
            return str(error)
        missing = {column for column in self.take.values() if not any(column in row for row in rows.values())}
        return f"no row has {', '.join(sorted(missing))}; name columns of the table" if missing else None


def joined(table: str | Path | Mapping[Any, Fields], *, on: str, take: Mapping[str, str], key: str = "") -> Joined:
    """Set the fields that `take` names from the columns it names, of the table's row whose `key` column (called as `on`
    is, where it is left out) has the event's value of `on`; an event that no row fits stays as it is.

    `table` is a CSV or JSON file of rows, or rows by their key. Give the whole path of a file
    (`Path(__file__).parent / "airlines.csv"`). It is read once, at the start.
    """
    return Joined(table, on, take, key=key)


def _read(path: Path, key: str) -> list[dict[str, Any]]:
    """The rows of a file. Raises ValueError with the remedy."""
    if path.suffix not in _TABLES:
        raise ValueError(f"{path}: give a file that ends with {', '.join(_TABLES)}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows: list[Any]
            if path.suffix == ".csv":
                rows = list(csv.DictReader(file))
            elif path.suffix == ".json":
                rows = json.load(file)
            else:
                rows = [json.loads(line) for line in file if line.strip()]
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"{path}: {error}") from error
    if not all(isinstance(row, dict) and key in row for row in rows):
        raise ValueError(f"{path}: not every row has {key!r}; name the column by key=")
    return rows


def describe(step: Step) -> str:
    """A step in words: its own, the first line of its docstring, or its name."""
    own = getattr(step, "describe", None)
    if own is not None:
        return str(own())
    first = (step.__doc__ or "").strip().partition("\n")[0]
    return f"{name_of(step)}: {first}" if first and not isinstance(step, Remembering) else name_of(step)


def name_of(step: Step) -> str:
    """By which a step is told in the quarantine."""
    return getattr(step, "__name__", type(step).__name__)


def enrich_problem(feed: FeedSpec) -> Problem | None:
    """What of the steps cannot be meant: name, value and remedy."""
    for number, step in enumerate(feed.enrich):
        name, given = f"enrich[{number}]", cast(object, step)
        if not (isinstance(given, Remembering) or callable(given)):
            return name, step, "give a function of an event, or a Remembering step"
        if isinstance(step, Remembering) and step.by is not None and step.by not in feed.fields:
            return name, step.by, f"by: name a field of {sorted(feed.fields)}"
        own = getattr(step, "problem", None)
        if own is not None and (remedy := own(feed)):
            return name, name_of(step), remedy
    return None


def memory_signature(steps: Sequence[Step]) -> str:
    """What the memories of these steps mean; '' where none of them remembers."""
    told = [f"{number} {step.by} {step.signature()}" for number, step in enumerate(steps)
            if isinstance(step, Remembering)]  # fmt: skip
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16] if told else ""
