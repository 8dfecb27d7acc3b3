"""Shape: what the fields of a sample are like: their types, what is missing, and what is odd."""

from __future__ import annotations

import keyword
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.declare.feeds import RESERVED
from services.samples.draft import DraftType, FieldDraft

Seen = Literal["text", "number", "integer", "flag", "nested", "not finite", "too large"]
EXACT_INTEGER = 2**53
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""Milliseconds of 2000 and 2100: a whole number between them may be a time."""
DISTINCT_MAX = 20_000
_LENGTHS = (50, 200, 500, 2_000, 8_000)


def seen_as(value: Any) -> Seen:
    """What a value is to a feed."""
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "integer" if abs(value) <= EXACT_INTEGER else "too large"
    if isinstance(value, float):
        return "number" if math.isfinite(value) else "not finite"
    return "text" if isinstance(value, str) else "nested"


def moment_of(value: Any) -> int | None:
    """Milliseconds since 1970 where a value looks like a point in time: ISO 8601, epoch seconds or milliseconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) and math.isfinite(value):
        of_unit = [round(value * unit) for unit in (1, 1000) if EARLIEST_MS <= value * unit <= LATEST_MS]
        return of_unit[0] if of_unit else None
    if isinstance(value, str) and len(value) >= 16:
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        return round((found if found.tzinfo else found.astimezone()).timestamp() * 1000)
    return None


def field_name(path: str) -> str:
    """The name that a field may have for what a record calls so: `order_no` for `Order-No`, `a_b` for `a.b`."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", path)
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "field"
    name = f"f_{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else f"{name}_of_source" if name in RESERVED else name


@dataclass(slots=True)
class FieldShape:
    """One field of the sample, by its path in the record (`a.b` where it is nested)."""

    path: str
    seen: Counter[Seen] = field(default_factory=Counter)
    nulls: int = 0
    empties: int = 0
    moments: int = 0
    longest: int = 0
    least: float = math.inf
    most: float = -math.inf
    odd: list[str] = field(default_factory=list)
    distinct: set[Any] = field(default_factory=set)

    def take(self, value: Any) -> None:
        if value is None:
            self.nulls += 1
            return
        seen = seen_as(value)
        self.seen[seen] += 1
        self.moments += moment_of(value) is not None
        if isinstance(value, str):
            self.longest = max(self.longest, len(value))
            self.empties += not value.strip()
        elif seen in ("number", "integer"):
            self.least, self.most = min(self.least, value), max(self.most, value)
        if seen != "nested" and len(self.distinct) < DISTINCT_MAX:
            self.distinct.add(value)
        if self._is_odd(seen, value) and len(self.odd) < 3:
            self.odd.append(repr(value)[:40])

    def _is_odd(self, seen: Seen, value: Any) -> bool:
        """Not of the type of most, or what no feed takes."""
        usual = self.usual
        alike = seen == usual or {seen, usual} == {"number", "integer"}
        return seen in ("not finite", "too large") or not alike or (isinstance(value, str) and not value.strip())

    @property
    def present(self) -> int:
        return sum(self.seen.values())

    @property
    def usual(self) -> Seen:
        """The type of most values; a number where some are whole and some are not."""
        counts = Counter(self.seen)
        if counts["number"] and counts["integer"]:
            counts["number"] += counts.pop("integer")
        return counts.most_common(1)[0][0] if counts else "text"

    @property
    def odd_count(self) -> int:
        """Values that are not of the usual type, or empty."""
        usual = self.usual
        alike = {usual, "integer"} if usual == "number" else {usual}
        return sum(count for seen, count in self.seen.items() if seen not in alike) + self.empties

    def draft(self, records: int) -> FieldDraft | None:
        """The field as it may be declared; None where it is nested, or nothing but null was seen."""
        usual = self.usual
        if usual == "nested" or not self.present:
            return None
        of_type: Mapping[Seen, DraftType] = {"flag": "flag", "integer": "integer", "number": "number"}
        kind: DraftType = of_type.get(usual, "text")
        if kind == "integer" and self.moments == self.present and self.least >= EARLIEST_MS:
            kind = "moment"
        length = next((one for one in _LENGTHS if one >= 2 * self.longest), 16_000)
        name = field_name(self.path)
        path = "" if name == self.path else self.path
        return FieldDraft(name, kind, self.present == records, length, self._doubt(kind), path)

    def given_time(self) -> str:
        """How a mapping reads it as a time."""
        if self.usual in ("integer", "number"):
            return f'GivenTime("{self.path}", unit="{"ms" if self.least >= EARLIEST_MS else "s"}")'
        return f'GivenTime("{self.path}", zone="UTC")'

    def _doubt(self, kind: DraftType) -> str:
        said = []
        if self.odd_count:
            said.append(f"{self.odd_count} of {self.present} values were odd")
        if kind == "text" and self.present and self.moments == self.present:
            said.append("a time as text")
        return "; ".join(said)
