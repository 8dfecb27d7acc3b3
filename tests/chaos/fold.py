"""Fold: a channel as a viewer of the protocol holds it, with a mark of its value; knows nothing of the product.

Written from docs/protocol.md alone. The mark of a state is the exclusive or of the marks of its parts, so that
it costs as much as the change, and two viewers at one position can be compared by two numbers.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import orjson

Frame = dict[str, Any]


def mark_of(*parts: Any) -> int:
    """64 bits of a part's name and value."""
    encoded = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(blake2b(encoded, digest_size=8).digest(), "big")


class Folded:
    """Rows, points or entries of one channel. `data` has the shape of a snapshot's."""

    def __init__(self, snapshot: Frame) -> None:
        self.kind: str = snapshot["kind"]
        self._keep: dict[str, int] = snapshot["keep"]
        self.mark = 0
        self._marks: dict[Any, int] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._series: dict[str, dict[int, Any]] = {}
        self._times: dict[str, list[int]] = {}
        self._restated: dict[str, dict[int, int]] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        data = snapshot["data"]
        self.apply({"set": data["rows"]} if self.kind == "latest" else data)

    def apply(self, data: Frame) -> None:
        """Fold one frame's data in."""
        if self.kind == "latest":
            self._apply_rows(data)
        elif self.kind == "series":
            self._apply_points(data["points"], data.get("restated", {}))
        else:
            self._apply_entries(data["entries"])

    def data(self) -> Frame:
        if self.kind == "latest":
            return {"rows": self._rows}
        if self.kind == "series":
            points = {n: [[t, self._series[n][t]] for t in times] for n, times in self._times.items()}
            marks = {n: [[t, of[t]] for t in sorted(of)] for n, of in self._restated.items() if of}
            return {"points": points, **({"restated": marks} if marks else {})}
        return {"entries": self._in_order()}

    def _note(self, key: Any, *value: Any) -> None:
        """The part `key` has this value now; none where it is gone."""
        mark = mark_of(key, *value) if value else 0
        self.mark ^= self._marks.get(key, 0) ^ mark
        self._marks[key] = mark
        if not value:
            del self._marks[key]

    def _apply_rows(self, data: Frame) -> None:
        for key in data.get("del", ()):
            if self._rows.pop(key, None) is not None:
                self._note(key)
        for key, fields in data.get("set", {}).items():
            row = self._rows[key] = {**self._rows.get(key, {}), **fields}
            self._note(key, row)

    def _apply_points(self, changed: dict[str, list[list[Any]]], restated: dict[str, list[list[int]]]) -> None:
        for name, points in changed.items():
            series, times = self._series.setdefault(name, {}), self._times.setdefault(name, [])
            marks = self._restated.setdefault(name, {})
            for t, often in restated.get(name, ()):
                marks[t] = often
            for t, value in points:
                if t not in series:
                    insort(times, t)
                series[t] = value
                self._note((name, t), value, marks.get(t, 0))
        newest = max((times[-1] for times in self._times.values() if times), default=0)
        for name, times in list(self._times.items()):
            old = bisect_left(times, newest - self._keep["span_ms"])
            old = max(old, len(times) - self._keep["points_max"])
            for t in times[:old]:
                del self._series[name][t]
                self._restated[name].pop(t, None)
                self._note((name, t))
            del times[:old]
            if not times:
                del self._times[name], self._series[name]

    def _apply_entries(self, entries: Iterable[dict[str, Any]]) -> None:
        for entry in entries:
            self._entries[entry["id"]] = entry
            self._note(entry["id"], entry)
        if len(self._entries) > self._keep["entries_max"]:
            for entry in self._in_order()[: -self._keep["entries_max"]]:
                del self._entries[entry["id"]]
                self._note(entry["id"])

    def _in_order(self) -> list[dict[str, Any]]:
        return sorted(self._entries.values(), key=lambda entry: (entry["created_at"], entry["id"]))
