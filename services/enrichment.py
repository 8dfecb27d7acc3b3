"""Enrichment: runs a feed's steps over its events, in the order of their stream, for the processor or for a recompute.

What the steps remember moves with an event as a whole: one that fails, or is left out half way, changes nothing of a
memory that it did not get through.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

import orjson

from services.declare import PERSONAL, FeedSpec
from services.declare.enrich import Remembering, Step, memory_signature, name_of
from services.events import Refused, check_of

_OWN = frozenset({"id", "created_at", "ingested_at", "clamped", "correlation"})
_FRAMES = 6
Event = Mapping[str, Any]


class EnrichmentFailed(Exception):
    """A step that failed on an event: which, with what, and its traceback; of a personal feed no value is quoted."""


class Enrichment:
    """The steps of one feed with what they remember."""

    def __init__(self, feed: FeedSpec) -> None:
        self._feed, self._steps = feed, feed.enrich
        self._checks = {name: check_of(one) for name, one in feed.fields.items()}
        self._fixed = _OWN | {feed.key} | ({feed.partition} if feed.partition else set())
        self.signature = memory_signature(self._steps)
        self._memories: dict[str, Any] = {}
        self._touched: dict[str, None] = {}
        self._dropped: dict[str, None] = {}

    @property
    def has_steps(self) -> bool:
        return bool(self._steps)

    def load(self, cells: Mapping[str, bytes]) -> None:
        """Go on with what was committed."""
        self._memories = {name: orjson.loads(raw) for name, raw in cells.items()}
        self._touched, self._dropped = {}, {}

    def take(self) -> tuple[dict[str, bytes], list[str]]:
        """The cells that changed since they were last taken, and those that are gone."""
        cells = {name: orjson.dumps(self._memories[name]) for name in self._touched}
        dropped = list(self._dropped)
        self._touched, self._dropped = {}, {}
        return cells, dropped

    def forget(self, key: str) -> bool:
        """Let go of what is remembered of a key; whether there was anything."""
        own = [
            name for number, step in enumerate(self._steps)
            if isinstance(step, Remembering) and step.by in (None, self._feed.key)
            and (name := f"{number}:{key}") in self._memories
        ]  # fmt: skip
        for name in own:
            del self._memories[name]
            self._touched.pop(name, None)
            self._dropped[name] = None
        return bool(own)

    def passed(self, event: Event) -> Event | None:
        """The event as its channels see it; None where a step leaves it out. Raises EnrichmentFailed."""
        changed: dict[str, Any] = {}
        for number, step in enumerate(self._steps):
            try:
                found = self._step(number, step, event, changed)
                event = event if found is None else self._with(event, found)
            except Exception as error:  # a team's own code: whatever it raises is told, and stays this event's
                raise EnrichmentFailed(self._told(step, error)) from error
            if found is None:
                self._remember(changed)
                return None
        self._remember(changed)
        return event

    def _step(self, number: int, step: Step, event: Event, changed: dict[str, Any]) -> Event | None:
        if not isinstance(step, Remembering):
            return step(event)
        name = f"{number}:{event.get(step.by or self._feed.key)}"
        if name not in self._memories and self._groups(number) >= step.groups_max:
            raise Refused("too_large", f"{step.groups_max} groups are remembered already; raise groups_max")
        found, memory = step.step(event, self._memories.get(name))
        changed[name] = memory
        return found

    def _groups(self, number: int) -> int:
        return sum(name.startswith(f"{number}:") for name in self._memories)

    def _remember(self, changed: dict[str, Any]) -> None:
        for name, memory in changed.items():
            self._memories[name] = memory
            self._touched[name] = None
            self._dropped.pop(name, None)

    def _with(self, event: Event, found: Event) -> Event:
        """The event with what a step found, each field of its declared type. Raises Refused, TypeError."""
        if not isinstance(found, Mapping):
            raise TypeError(f"gives {type(found).__name__}; give the fields to set, or None to leave the event out")
        whole = dict(event)
        for name, value in found.items():
            if name in event and event[name] == value:
                continue
            if name in self._fixed:
                raise Refused("wrong_type", f"{name}: it says what and when the event is, and stays as it came")
            if name not in self._checks:
                raise Refused("unknown_field", f"{name}: the feed does not declare it; declare it, required=False")
            if value is not None:
                whole[name] = self._checks[name](value)
            elif self._feed.fields[name].required:
                raise Refused("missing_field", f"{name}: the feed requires it")
            else:
                whole.pop(name, None)
        return whole

    def _told(self, step: Step, error: Exception) -> str:
        """The step, what it raised and where; of a personal feed the places alone, as a text may quote a value."""
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        frames = traceback.format_list(own[-_FRAMES:])
        text = PERSONAL if self._feed.personal else error
        return f"{name_of(step)}: {type(error).__name__}: {text}\n{''.join(frames)}".rstrip()
