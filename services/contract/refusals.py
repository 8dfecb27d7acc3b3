"""Refusals: collects what is wrong while clauses are read, so that all of it is told at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.contract.faults import Fault, nearest
from services.contract.shape import dotted, shown
from services.places import Path as Place
from services.places import Places

ZONE_REMEDY = "give a time zone such as Europe/Berlin or UTC"


class Refusals:
    """The faults found so far, and the questions that more than one clause asks."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.faults: list[Fault] = []

    def line(self, at: Place) -> int:
        return self._places.line(at)

    def add(self, at: Place, value: object, remedy: str) -> None:
        """The field holds a value that cannot be used."""
        self.faults.append(Fault(self.line(at), dotted(at), shown(value), remedy))

    def missing(self, at: Place, remedy: str) -> None:
        """The field is needed here and is not there."""
        self.faults.append(Fault(self.line(at), dotted(at), "missing", remedy))

    def known(self, at: Place, name: str, known: Iterable[str], what: str) -> bool:
        """Whether the name is one of those there are; else it is refused with the nearest."""
        names = set(known)
        if name not in names:
            self.add(at, name, f"no such {what}; {nearest(name, names)}")
        return name in names

    def unique(self, table: Place, names: Iterable[str], key: str = "name") -> None:
        """Refuse a name that stands twice in a list of tables."""
        seen: Counter[str] = Counter()
        for number, name in enumerate(names):
            if seen[name]:
                self.add((*table, number, key), name, "already taken above; give another")
            seen[name] += 1

    def zone(self, at: Place, name: str) -> ZoneInfo:
        """The zone of that name; one that does not exist is refused."""
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.add(at, name, ZONE_REMEDY)
            return ZoneInfo("UTC")
