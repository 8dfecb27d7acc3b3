"""Feeds: declared streams of events of one shape, and the lanes that they are split into."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from services.declare.columns import Field, Integer, Text
from services.declare.enrich import Step, enrich_problem
from services.declare.error import refuse
from services.declare.personal import feed_problem
from services.declare.retired import Retired
from services.sources.source import Source

RESERVED = frozenset({"id", "created_at", "ingested_at", "clamped", "correlation", "declaration"})
NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a channel counts as late or stale; all values in seconds.

    `expected_every_s`: an event normally comes at least this often. `late_after_s`: older than this
    is late. `stale_after_s`: no proof of life for this long is stale. `may_be_quiet`: with a sign of
    life from its source a channel without events is quiet rather than late.
    """

    expected_every_s: float
    late_after_s: float
    stale_after_s: float
    may_be_quiet: bool = False

    def problem(self) -> str | None:
        """The remedy where the three times contradict each other, else None."""
        if not 0 < self.expected_every_s <= self.late_after_s <= self.stale_after_s:
            return "give 0 < expected_every_s <= late_after_s <= stale_after_s"
        return None


@dataclass(frozen=True, slots=True)
class History:
    """How long the archive keeps what was: `days` in full, `hourly_days` its numbers by hour. 0 days keep nothing.

    On a feed `days` is for its events, and both are what its channels inherit; rows and series can be rolled up,
    logs cannot. `personal_days`, on a feed: so long its personal fields are kept in events, rows and deltas, then they
    are blanked and the rest stays; as long as the rest where it is left out.
    """

    days: float = 7
    hourly_days: float = 0
    personal_days: float | None = None

    def problem(self) -> str | None:
        """The remedy where the numbers cannot be meant, else None."""
        if not 0 <= self.days <= 36_500 or not 0 <= self.hourly_days <= 36_500:
            return "give days and hourly_days of 0 to 36500"
        if self.hourly_days and not 1 <= self.days <= self.hourly_days:
            return "give hourly_days=0, or days of at least 1 and hourly_days of at least days: hours come from days"
        if self.personal_days is not None and not 0 < self.personal_days <= self.days:
            return "give personal_days of more than 0 and at most days, or leave it out"
        return None


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """One ordered, single-writer part of a feed."""

    feed: str
    number: int

    def __str__(self) -> str:
        return f"{self.feed}.{self.number}"


@dataclass(frozen=True)
class FeedSpec:
    """A feed as the stations read it; made from a `Feed` class, kept apart so that fields may have any name."""

    name: str
    key: str
    source: Source
    freshness: Freshness
    partition: str | None
    lanes: int
    lateness_s: float
    strict: bool
    history: History
    fields: Mapping[str, Field]
    declared_by: type
    enrich: tuple[Step, ...] = ()
    retired: Retired | None = None

    @cached_property
    def personal(self) -> frozenset[str]:
        """The names of the fields that are marked personal."""
        return frozenset(name for name, field in self.fields.items() if field.personal)

    def lane_of(self, partition: str | int | None) -> Lane:
        """The lane of a partition value: the same in every process and release (CRC-32)."""
        if self.lanes == 1 or partition is None:
            return Lane(self.name, 0)
        return Lane(self.name, zlib.crc32(str(partition).encode()) % self.lanes)

    def all_lanes(self) -> tuple[Lane, ...]:
        return tuple(Lane(self.name, number) for number in range(self.lanes))


DEFAULT_HISTORY = History()


class Feed:
    """A declared stream of events of one shape; subclass it with fields as attributes.

    Class keywords: `name`; `key`, the field that names the thing an event is about; `source`, where
    records come from; `freshness`, the rule its channels inherit; `lanes`, into how many ordered parts
    the feed is split, by `partition`; `lateness_s`, how late an event may come and still be folded into
    a window; `strict`, whether an unknown field is a rejection; `history`, how long the archive keeps it; `enrich`, the
    functions that each event goes through before its channels.
    """

    declaration: ClassVar[FeedSpec]
    retired: ClassVar[Retired | None] = None

    def __init_subclass__(
        cls,
        *,
        name: str,
        key: str,
        source: Source,
        freshness: Freshness,
        partition: str | None = None,
        lanes: int = 1,
        lateness_s: float = 10.0,
        strict: bool = False,
        history: History = DEFAULT_HISTORY,
        enrich: Sequence[Step] = (),
    ) -> None:
        fields = {k: v for k, v in vars(cls).items() if isinstance(v, Field)}
        cls.declaration = FeedSpec(
            name, key, source, freshness, partition, lanes, lateness_s, strict, history, fields, declared_by=cls,
            enrich=tuple(enrich), retired=cls.retired if isinstance(cls.retired, Retired) else None,
        )
        check_feed(cls, cls.declaration)


def check_feed(cls: type, spec: FeedSpec) -> None:
    """Raise DeclarationError where a feed that `cls` declares cannot be meant."""
    if not NAME.match(spec.name):
        raise refuse(cls, "name", spec.name, "use lower-case letters, digits and _, starting with a letter")
    for name in RESERVED & spec.fields.keys():
        raise refuse(cls, name, name, f"reserved; call the field otherwise than {sorted(RESERVED)}")
    for what, named in {"key": spec.key, "partition": spec.partition}.items():
        found = spec.fields.get(named or "")
        if named is not None and not (isinstance(found, Text | Integer) and found.required):
            raise refuse(cls, what, named, f"name a required Text or Integer field of {sorted(spec.fields)}")
    if problem := spec.freshness.problem():
        raise refuse(cls, "freshness", spec.freshness, problem)
    if problem := spec.history.problem():
        raise refuse(cls, "history", spec.history, problem)
    mapping = spec.source.mapping
    of_source = (spec.source.problem(), mapping and mapping.problem(spec))
    for found_problem in (feed_problem(spec), *of_source, enrich_problem(spec)):
        if found_problem:
            raise refuse(cls, *found_problem)
    if not 1 <= spec.lanes <= 64:
        raise refuse(cls, "lanes", spec.lanes, "give 1 to 64")
    if spec.lanes > 1 and spec.partition is None:
        raise refuse(cls, "lanes", spec.lanes, "a feed of several lanes needs partition=<field name>")
    if not 0 <= spec.lateness_s <= 86_400:
        raise refuse(cls, "lateness_s", spec.lateness_s, "give 0 to 86400 seconds")
