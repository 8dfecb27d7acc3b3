"""Sheets: what one process measured in one minute, by stage, channel and page, as it is kept for a dispute.

What viewers report stays apart viewer by viewer while there are few of them, so that whoever reads a sheet can
weigh them; of a crowd one viewer is too small a part to matter, and it is kept as one sketch.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import orjson

from services.sketch import Sketch

MINUTE_MS = 60_000
VIEWERS_APART = 24
"""Up to so many viewers of a line are kept apart."""
VIEWERS_HELD = 64
"""So many are held until the minute ends, to know what is usual; those that come later are added to the crowd."""
LINES_MAX = 5_000

Transport = Literal["socket", "poll"]

Stage = Literal[
    "created_to_ingested", "ingested_to_processed", "processed_to_sent", "ingested_to_sent", "sent_to_received",
    "created_to_received", "received_to_applied", "applied_to_painted", "received_to_painted", "created_to_painted",
    "created_to_charted", "painted_less_network", "round_trip", "update_interval", "event_age", "event_age_upstream",
    "view_second", "interaction", "first_value", "reconnect", "backlog",
]  # fmt: skip
"""What is measured: a time between two stages in seconds, or one of these.

`update_interval`: seconds between two changes of a channel. `event_age`: seconds, once for each second in which a
channel was looked at; 0 while it is quiet with proof; `event_age_upstream` those of which its source was the cause.
`painted_less_network`: created → painted without what the viewer's pings show of its network. `view_second`: 0 for
one in which a viewer's channel was fresh, 1 for another. `interaction`, `first_value`, `reconnect`: seconds.
`backlog`: events, once for each second.
"""


class Key(NamedTuple):
    """Which measurements a line holds; `channel` and `page` are empty where they do not apply."""

    stage: str
    channel: str = ""
    page: str = ""
    transport: Transport = "socket"


@dataclass(frozen=True, slots=True)
class Line:
    """One key's measurements: the process's `own`, its `viewers` apart, and a `crowd` of `crowd_viewers`.

    `viewers` is by a number that stands for the same viewer in all lines of the sheet, and for nobody outside it.
    """

    own: Sketch
    viewers: Mapping[int, Sketch] = field(default_factory=dict)
    crowd: Sketch = field(default_factory=Sketch)
    crowd_viewers: int = 0

    def as_json(self) -> list[Any]:
        viewers = [[number, viewer.as_json()] for number, viewer in sorted(self.viewers.items())]
        return [self.own.as_json(), viewers, self.crowd.as_json(), self.crowd_viewers]

    @classmethod
    def from_json(cls, raw: list[Any]) -> Line:
        own, viewers, crowd, crowd_viewers = raw
        apart = {number: Sketch.from_json(viewer) for number, viewer in viewers}
        return cls(Sketch.from_json(own), apart, Sketch.from_json(crowd), crowd_viewers)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One process's minute. `minute` is its begin on the broker's clock, in milliseconds since the Unix epoch.

    `clock_offset_ms` is what was added to the process's own clock, `clock_error_ms` how far off that may be (None: the
    broker was not asked yet). `counts` grew by so much in the minute; `gauges` stood so at its end.
    """

    id: str
    process: str
    role: str
    minute: int
    clock_offset_ms: float
    clock_error_ms: float | None
    counts: Mapping[str, int]
    gauges: Mapping[str, float]
    lines: Mapping[Key, Line]

    def encoded(self) -> bytes:
        """JSON with sorted keys: equal sheets are equal bytes."""
        head = {name: getattr(self, name) for name in self.__slots__ if name != "lines"}
        lines = [[*key, *line.as_json()] for key, line in sorted(self.lines.items(), key=lambda item: item[0])]
        return orjson.dumps({**head, "lines": lines}, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decoded(cls, payload: bytes) -> Sheet:
        raw: dict[str, Any] = orjson.loads(payload)
        lines = {Key(*line[:4]): Line.from_json(line[4:]) for line in raw.pop("lines")}
        return cls(**raw, lines=lines)


class OpenLine:
    """A line that is still written."""

    __slots__ = ("_crowd", "_late_viewers", "_viewers", "own")

    def __init__(self) -> None:
        self.own = Sketch()
        self._viewers: dict[int, Sketch] = {}
        self._crowd = Sketch()
        self._late_viewers: set[int] = set()

    def absorb(self, viewer: int, sketch: Sketch) -> None:
        """Take in what a viewer measured."""
        if (mine := self._viewers.get(viewer)) is not None:
            mine.merge(sketch)
        elif len(self._viewers) < VIEWERS_HELD:
            self._viewers[viewer] = Sketch()
            self._viewers[viewer].merge(sketch)
        elif viewer not in self._late_viewers:  # a second report of the minute would weigh double
            self._late_viewers.add(viewer)
            self._crowd.merge(sketch.thinned(usual(self._viewers.values())))

    def closed(self) -> Line:
        viewers = self._viewers
        if len(viewers) <= VIEWERS_APART and not self._late_viewers:
            return Line(self.own, viewers)
        most = usual(viewers.values())
        for viewer in viewers.values():
            self._crowd.merge(viewer.thinned(most))
        return Line(self.own, {}, self._crowd, len(viewers) + len(self._late_viewers))


def usual(viewers: Iterable[Sketch]) -> int:
    """How much a viewer usually counts: the median of their counts, at least 1. None counts for more."""
    return max(1, int(statistics.median_high(viewer.count for viewer in viewers)))
