"""Ingestion: turns records from sources into events on the stream.

Reads `sources` and the HTTP door, writes `broker`. Knows nothing of who consumes. Every record ends as
accepted, duplicate or rejected with a reason; rejections are counted and sampled, never dropped silently.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.broker import Broker, BrokerDown, Overloaded
from services.columns import ColumnValidator
from services.declare import Declarations, FeedSpec, Lane, MappingFault, Mark, is_built_in
from services.events import Event, Refused, Rejection, Validator
from services.positions import Clock, wall_clock
from services.telemetry import Telemetry

RECORDS_MAX = 5_000
"""Records of one call; more are to be sent in several, so that one commit stays short."""

_SAMPLES_MAX = 5
_RETRY_S = 0.5
SKEW_PANE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the records of one call; `rejected` is in the order of sending."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [rejection.as_json() for rejection in self.rejected],
        }


class Ingestion:
    """The one way into the system, for every source."""

    def __init__(
        self, broker: Broker, declarations: Declarations, telemetry: Telemetry, clock: Clock = wall_clock
    ) -> None:
        self._broker, self._telemetry, self._clock = broker, telemetry, clock
        self._lags: dict[str, _LeastLag] = {name: _LeastLag() for name in declarations.feeds}
        self._probed = {str(lane): lane for lane in declarations.probed_lanes()}
        self._validators = {name: Validator(feed) for name, feed in declarations.feeds.items()}
        self._columns = {name: ColumnValidator(feed) for name, feed in declarations.feeds.items()}
        mapped = {name: feed.source.mapping for name, feed in declarations.feeds.items()}
        self._mappings = {name: one.reader(declarations.feeds[name]) for name, one in mapped.items() if one is not None}

    def accept(
        self, feed: FeedSpec, records: Sequence[Any], mark: Mark | None = None, correlation: str = ""
    ) -> Receipt:
        """Validate, deduplicate and append records; an empty sequence is a sign of life.

        With a mark, or as probes of another feed's lane, they pass through it and are folded, counted and kept nowhere.
        Each event carries the `correlation` id, where there is one, to wherever it goes.
        What the receipt counts as accepted is in the broker. Raises Overloaded or BrokerDown; records with
        an id may then simply be sent again.
        """
        if not records:
            self._broker.sign_of_life(Lane(feed.name, 0))
            return Receipt(0, 0, ())
        now = self._clock()
        # what is marked is made by ourselves, in the feed's own shape
        mapped = None if mark else self._mappings.get(feed.name)
        lanes, rejected = self._sort(feed, records, now) if mapped is None else self._sort_mapped(feed, records, now)
        accepted = duplicates = 0
        lag_ms = None if mark else self._least_lag(feed, lanes, now)
        for lane, events in lanes.items():
            marked: Mark | None = mark if lane.feed == feed.name else "probe"
            bodies = [
                (e.id if e.given_id and marked is None else "", _correlated(e.body, correlation)) for e in events
            ]
            new, known = self._broker.ingest(lane, bodies, lag_ms if marked is None else None, marked)
            accepted, duplicates = accepted + new, duplicates + known
            if marked is None:
                self._observe(feed, events, now)
                stamps = [event.created_at for event in events]
                self._telemetry.supplies.delivered(feed.name, lane, stamps, now, new=new, known=known)
        if mark is None and not is_built_in(feed.name):
            self._account(feed, accepted, duplicates, rejected)
        return Receipt(accepted, duplicates, tuple(rejected))

    def is_held(self, feed: FeedSpec) -> bool:
        """Whether the feed's source is kept back, as an acceptance on a staging deployment asks. Raises BrokerDown."""
        return self._broker.held(feed.name)

    def throttled(self) -> None:
        """A request was told to come again later, as its key posted too much."""
        self._telemetry.count("throttled")

    def newest_ms(self, feed: FeedSpec) -> int:
        """The time of the feed's newest processed event, 0 where there is none. Raises BrokerDown."""
        return max((told.event_at for told in self._broker.lane_progress(feed.all_lanes()).values()), default=0)

    def position(self, feed: FeedSpec) -> str | None:
        """Where the feed's source stood when its records were last accepted. Raises BrokerDown."""
        return self._broker.source_position(Lane(feed.name, 0), feed.source.place)

    def keep_position(self, feed: FeedSpec, position: str) -> None:
        """Remember where the feed's source stands. Raises BrokerDown."""
        self._broker.keep_source_position(Lane(feed.name, 0), feed.source.place, position)

    def _sort(
        self, feed: FeedSpec, records: Sequence[Any], now: int
    ) -> tuple[dict[Lane, list[Event]], list[Rejection]]:
        plain = None if is_built_in(feed.name) else self._columns[feed.name].events(records, now)
        if plain is not None:
            return _by_lane(feed, plain), []
        return self._sort_one_by_one(feed, records, now)

    def _sort_mapped(
        self, feed: FeedSpec, records: Sequence[Any], now: int
    ) -> tuple[dict[Lane, list[Event]], list[Rejection]]:
        """The same of records in the shape of the feed's source; a rejection's index counts what was handed over."""
        read, mapped, places, faults = self._mappings[feed.name], list[Any](), list[int](), list[Rejection]()
        for index, record in enumerate(records):
            try:
                mapped.append(read(record))
                places.append(index)
            except MappingFault as fault:
                faults.append(Rejection(index, fault.reason, fault.detail))
        lanes, rejected = self._sort(feed, mapped, now)
        moved = [Rejection(places[one.index], one.reason, one.detail) for one in rejected]
        return lanes, sorted(faults + moved, key=lambda one: one.index)

    def _sort_one_by_one(
        self, feed: FeedSpec, records: Sequence[Any], now: int
    ) -> tuple[dict[Lane, list[Event]], list[Rejection]]:
        lanes: dict[Lane, list[Event]] = defaultdict(list)
        rejected: list[Rejection] = []
        validate, probes = self._validators[feed.name].event, is_built_in(feed.name)
        for index, record in enumerate(records):
            try:
                event = validate(record, now)
                lanes[self._probed_lane(record) if probes else feed.lane_of(event.partition)].append(event)
            except Refused as refused:
                rejected.append(Rejection(index, refused.reason, refused.detail))
        return lanes, rejected

    def _probed_lane(self, record: Mapping[str, Any]) -> Lane:
        """The lane that a probe tries. Raises Refused where there is none of that name."""
        found = self._probed.get(record["lane"])
        if found is None:
            raise Refused("wrong_type", f"lane: {str(record['lane'])[:60]!r}; send a lane that /api/channels lists")
        return found

    def _least_lag(self, feed: FeedSpec, lanes: Mapping[Lane, Sequence[Event]], now: int) -> int | None:
        """How far the source's clock is off at least; None where a recording sets its stamps itself."""
        lags = [event.lag_ms for events in lanes.values() for event in events]
        if feed.source.recorded or not lags:
            return None
        return self._lags[feed.name].with_(min(lags), now)

    def _observe(self, feed: FeedSpec, events: Sequence[Event], now: int) -> None:
        """Not of a recording, which sets its stamps itself, some of them in the past."""
        if feed.source.recorded or is_built_in(feed.name):
            return
        waited_s = (now - min(event.created_at for event in events)) / 1000
        self._telemetry.observe("created_to_ingested", waited_s, len(events))
        self._telemetry.note("created_to_ingested", waited_s, len(events), feed.name)

    def _account(self, feed: FeedSpec, accepted: int, duplicates: int, rejected: Sequence[Rejection]) -> None:
        self._telemetry.count("accepted", accepted)
        self._telemetry.count("duplicates", duplicates)
        if rejected:
            self._telemetry.count("rejected", len(rejected))
            self._telemetry.supplies.refused(feed.name, len(rejected))
            samples = [rejection.as_json() for rejection in rejected[:_SAMPLES_MAX]]
            self._broker.rejections(Lane(feed.name, 0), len(rejected), samples)


def _correlated(body: bytes, correlation: str) -> bytes:
    """The event's JSON with the id of the request that brought it."""
    return b'{"correlation":"%b",%b' % (correlation.encode(), body[1:]) if correlation else body


def _by_lane(feed: FeedSpec, events: list[Event]) -> dict[Lane, list[Event]]:
    if feed.lanes == 1:
        return {Lane(feed.name, 0): events}
    of_partition = {partition: feed.lane_of(partition) for partition in {event.partition for event in events}}
    lanes: dict[Lane, list[Event]] = {lane: [] for lane in of_partition.values()}
    for event in events:
        lanes[of_partition[event.partition]].append(event)
    return lanes


class _LeastLag:
    """The least lag of the last one to two minutes: what is left of it is not the network but the clock."""

    def __init__(self) -> None:
        self._started_at = 0
        self._before: int | None = None
        self._now: int | None = None

    def with_(self, lag_ms: int, now: int) -> int:
        """Take one in; the least of late."""
        if now - self._started_at > SKEW_PANE_MS:
            self._started_at, self._before, self._now = now, self._now, None
        self._now = lag_ms if self._now is None else min(self._now, lag_ms)
        return self._now if self._before is None else min(self._now, self._before)


class FeedIntake:
    """What a running source is given: ingestion for one feed that waits instead of losing."""

    def __init__(self, ingestion: Ingestion, feed: FeedSpec, stop: threading.Event, clock: Clock) -> None:
        self._ingestion, self._feed, self._stop, self._clock = ingestion, feed, stop, clock
        self._held, self._asked_at = False, float("-inf")
        self._kept: str | None = None
        self.answered_at = 0
        """When the source last gave records or a sign of life, in milliseconds; 0 where it never did."""

    def now_ms(self) -> int:
        return self._clock()

    def accept(self, records: Sequence[Any], position: str | None = None) -> None:
        for first in range(0, max(1, len(records)), RECORDS_MAX):
            if not self._insist(partial(self._try, records[first : first + RECORDS_MAX])):
                return
        self.answered_at = self._clock()
        if position is None or position == self._kept:
            return
        # After acceptance, never before: a worker that dies between the two sends them again, known by their ids.
        if self._insist(partial(self._keep, position)):
            self._kept = position

    def _try(self, records: Sequence[Any]) -> bool:
        if self._is_held():
            return False
        self._ingestion.accept(self._feed, records)
        return True

    def _keep(self, position: str) -> bool:
        self._ingestion.keep_position(self._feed, position)
        return True

    def position(self) -> str | None:
        def read() -> bool:
            self._kept = self._ingestion.position(self._feed)
            return True

        if not self._insist(read):  # what is not known is no beginning: all would be read anew
            raise BrokerDown(f"feed {self._feed.name}: stopped before the position of its source was known")
        return self._kept

    def _insist(self, step: Callable[[], bool]) -> bool:
        """Try until it is done; False where the source is to stop before."""
        while True:
            try:
                if step():
                    return True
            except (Overloaded, BrokerDown):
                pass
            if self.wait(_RETRY_S):
                return False

    def _is_held(self) -> bool:
        """Asked at most twice a second: a source may have many records a second."""
        if time.monotonic() - self._asked_at >= _RETRY_S:
            self._asked_at, self._held = time.monotonic(), self._ingestion.is_held(self._feed)
        return self._held

    def newest_ms(self) -> int:
        while True:
            try:
                return self._ingestion.newest_ms(self._feed)
            except BrokerDown:
                if self.wait(_RETRY_S):
                    return 0

    def alive(self) -> None:
        self.accept(())

    def wait(self, seconds: float) -> bool:
        return self._stop.wait(seconds)
