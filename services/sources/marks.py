"""Marks: a row's place in the order of what changed, kept as text so that a worker goes on where another stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

_READ: Mapping[str, Callable[[Any], Any]] = {
    "int": int, "float": float, "str": str, "Decimal": Decimal, "UUID": UUID,
    "datetime": datetime.fromisoformat, "date": date.fromisoformat,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """The high-water mark and, among rows that share it, the tie-break of the last row that was accepted."""

    mark: Any
    tie: Any

    def in_text(self) -> str:
        """As `read` reads it. Raises ValueError for a type that no column's order is kept in."""
        return orjson.dumps([_written(self.mark), _written(self.tie)]).decode()

    @classmethod
    def read(cls, text: str) -> Mark:
        return cls(*(None if one is None else _READ[one[0]](one[1]) for one in orjson.loads(text)))

    def back(self, by: float) -> Any:
        """The mark so many seconds (of a time) or units (of a number) before."""
        if isinstance(self.mark, datetime):
            return self.mark - timedelta(seconds=by)
        if isinstance(self.mark, date):
            return self.mark - timedelta(days=max(1, round(by / 86_400)))
        return self.mark - type(self.mark)(by)


def _written(value: Any) -> list[str] | None:
    if value is None:
        return None
    kind = type(value).__name__
    if kind not in _READ:
        raise ValueError(f"{kind} {str(value)[:40]!r}; order by a column of numbers, times, texts or UUIDs")
    return [kind, value.isoformat() if isinstance(value, date) else str(value)]
