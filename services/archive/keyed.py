"""Keyed: what of a channel's data is of one key of its feed, and the data without it.

A channel that no file declares any more is judged by its data alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from services.batch import values_of_group
from services.declare import Channel
from services.state import Data

Fields = Mapping[str, Any]


def mentioned(key: str) -> str:
    """What JSON that names a key holds in any case: its longest part that is written alike in values and in names of
    groups, which escape what joins them.
    """
    return orjson.dumps(max(re.split(r"[\\/]", key), key=len))[1:-1].decode()


class Keyed:
    """One key, as text, of the feed's field, in one channel; `channel` None where it is not declared any more."""

    def __init__(self, field: str, key: str, channel: type[Channel] | None) -> None:
        self._field, self._key, self._channel = field, key, channel
        self._by = ("",) if channel is None else channel.by or (field,)
        self.mentioned = mentioned(key)

    def is_own_part(self, name: str) -> bool:
        """Whether the channel of this name is the part that is the key's own."""
        partition = name.partition(":")[2]
        field = self._field if self._channel is None else self._channel.partition
        return field == self._field and partition == self._key

    def is_own_group(self, group: str) -> bool:
        """Whether a group of that name is the key's own."""
        if self._channel is None:
            return self._key in (group, *values_of_group(group, ("", "")))
        if self._field not in self._by:
            return False
        values = values_of_group(group, self._by)
        return len(values) == len(self._by) and values[self._by.index(self._field)] == self._key

    def without(self, data: Data) -> Data | None:
        """A delta's or snapshot's data without the key; None where nothing of it is the key's."""
        rest = dict(data)
        for name in ("rows", "set"):
            if name in data:
                rest[name] = {group: row for group, row in data[name].items() if not self._is_own_row(group, row)}
        if "del" in data or "set" in data:
            gone = [group for group in data.get("del", ()) if not self.is_own_group(group)]
            # a row that showed this key, and others before and after it, shows nothing in between
            gone += [group for group in data.get("set", {}) if group not in rest["set"] and group not in gone]
            rest["del"] = [group for group in gone if not self.is_own_group(group)]
        if "entries" in data:
            rest["entries"] = [entry for entry in data["entries"] if str(entry.get(self._field)) != self._key]
        for name in ("points", "restated"):
            if name in data:
                rest[name] = {one: points for one, points in data[name].items() if not self._is_own_series(one)}
        return None if rest == data else rest

    def _is_own_row(self, group: str, row: Fields) -> bool:
        return self.is_own_group(group) or str(row.get(self._field)) == self._key

    def _is_own_series(self, name: str) -> bool:
        group = name.partition(":")[2]
        if self._channel is not None and not self._channel.by:
            return False
        return bool(group) and self.is_own_group(group)
