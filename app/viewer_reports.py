"""Viewer reports: what browsers measured becomes telemetry of the process that they are connected to.

A report is input from outside: names are known ones, numbers are bounded, anything else is passed over. How much a
viewer counts for is decided where its figures are read (`services/measurement/weighing.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast, get_args

from services.accounts import Principal
from services.declare import Declarations
from services.positions import Clock, wall_clock
from services.sheets import Stage, Transport
from services.sketch import Sketch
from services.telemetry import Telemetry

STAGES = frozenset({
    "created_to_received", "sent_to_received", "received_to_painted", "created_to_painted", "created_to_charted",
})
"""Stages of the last minute's figures that end in a browser; a report carries a sketch (`Sketch.as_json`, in seconds)
for each."""
SECONDS: frozenset[str] = frozenset({"event_age", "event_age_upstream", "view_second"})
"""What is counted once for each second that somebody looked."""
LINES = frozenset(get_args(Stage)) - {"created_to_ingested", "ingested_to_processed", "processed_to_sent",
                                      "ingested_to_sent", "backlog"}
"""What a viewer may report by channel and page."""
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
COUNTS = ("gaps", "duplicates", "reconnects")
WEIGHT_MAX = 250
"""So many events of a stage count in one report for the last minute's figures."""
REPORTS_A_MINUTE = 20
LINES_MAX = 400
VIEWERS_MAX = 10_000
SAMPLES_MAX = 8
"""So many frames that it painted a report may tell of."""
_BINS_MAX = 1_000
_EVENTS_MAX = 1_000_000
_EXACT = 2**53
_EPOCH_LENGTH = 16
_PANE_MS = 60_000
_SECONDS_FIRST = 60


@dataclass(slots=True)
class _Known:
    """What is remembered of a viewer: when it reported last, and how often in the present minute."""

    at: int
    minute: int
    reports: int = 0


class _Line(NamedTuple):
    stage: Stage
    channel: str
    page: str
    sketch: Sketch
    transport: Transport


class ViewerReports:
    """Called by the gateway's loop for each report, so it does little; and by threads of HTTP for long polls."""

    def __init__(
        self, telemetry: Telemetry, declarations: Declarations, pages: Collection[str], clock: Clock = wall_clock
    ) -> None:
        self._telemetry, self._declarations, self._clock = telemetry, declarations, clock
        self._pages = frozenset(pages)
        self._viewers: dict[str, _Known] = {}
        self._admitting = threading.Lock()

    def __call__(self, viewer: str, principal: Principal, report: Mapping[str, Any]) -> None:
        with self._admitting:
            seconds = self._admit(viewer)
        if seconds is None:
            self._telemetry.count("viewer_reports_refused")
            return
        self._telemetry.count("viewer_reports")
        for name in COUNTS:
            found = report.get(name)
            if type(found) is int and 0 < found <= _EVENTS_MAX:
                self._telemetry.count(f"viewer_{name}", found)
        stages = report.get("stages")
        for name, raw in stages.items() if isinstance(stages, dict) else ():
            if name in STAGES and is_sketch(raw):
                self._telemetry.absorb(name, Sketch.from_json(raw).thinned(WEIGHT_MAX))
        for sample in self._painted(viewer, report.get("samples")):
            self._telemetry.sample(sample)
        for line in self._lines(report.get("lines"), seconds):
            self._telemetry.absorb_line(
                line.stage, line.sketch, viewer=viewer, channel=line.channel, page=line.page, transport=line.transport
            )

    def _painted(self, viewer: str, raw: Any) -> Iterator[tuple[Any, ...]]:
        """Frames that the viewer painted: `[channel, page, epoch, after, seq, sent, received, painted]`."""
        for sample in raw[:SAMPLES_MAX] if isinstance(raw, list) else ():
            if not (isinstance(sample, list) and len(sample) == 8):
                continue
            channel, page, epoch, *numbers = sample
            named = isinstance(channel, str) and self._declarations.resolve(channel) is not None
            sane = all(type(number) is int and 0 <= number <= _EXACT for number in numbers)
            if named and sane and isinstance(epoch, str) and len(epoch) <= _EPOCH_LENGTH:
                where = page if isinstance(page, str) and page in self._pages else ""
                yield (viewer, where, channel, epoch, *numbers)

    def _admit(self, viewer: str) -> int | None:
        """How many seconds this report can speak of; None where the viewer reports too often, or there are too many."""
        now = self._clock()
        known = self._viewers.get(viewer)
        if known is None:
            self._forget_gone(now)
            if len(self._viewers) >= VIEWERS_MAX:
                return None
            known = self._viewers[viewer] = _Known(now - 1000 * _SECONDS_FIRST, now // _PANE_MS)
        if known.minute != now // _PANE_MS:
            known.minute, known.reports = now // _PANE_MS, 0
        known.reports += 1
        if known.reports > REPORTS_A_MINUTE:
            return None
        seconds = min(_SECONDS_FIRST, (now - known.at) // 1000 + 2)
        known.at = now
        return seconds

    def _forget_gone(self, now: int) -> None:
        if len(self._viewers) >= VIEWERS_MAX // 2:
            self._viewers = {name: known for name, known in self._viewers.items() if now - known.at < 2 * _PANE_MS}

    def _lines(self, raw: Any, seconds: int) -> Iterator[_Line]:
        for line in raw[:LINES_MAX] if isinstance(raw, list) else ():
            if not (isinstance(line, list) and 4 <= len(line) <= 5):
                continue
            stage, channel, page, sketch, transport = [*line, "socket"][:5]
            if not (isinstance(stage, str) and stage in LINES and is_sketch(sketch)) or transport not in TRANSPORTS:
                continue
            if (declared := self._channel(channel)) is not None:
                most = seconds if stage in SECONDS else _EVENTS_MAX
                where = page if isinstance(page, str) and page in self._pages else ""
                yield _Line(cast(Stage, stage), declared, where, Sketch.from_json(sketch).thinned(most), transport)

    def _channel(self, name: Any) -> str | None:
        """The declared channel, a partition's as that of all its partitions; empty for what concerns the page."""
        if name == "":
            return ""
        ref = self._declarations.resolve(name) if isinstance(name, str) else None
        return None if ref is None else ref.channel.name


def is_sketch(raw: Any) -> bool:
    """Whether this is what `Sketch.as_json` gives: `[zeros, [bin, count, …], []]`, of sane size."""
    if not (isinstance(raw, list) and len(raw) == 3 and isinstance(raw[1], list) and raw[2] == []):
        return False
    zeros, flat, _ = raw
    numbers, counts = flat[::2], [zeros, *flat[1::2]]
    return (
        len(flat) % 2 == 0 and len(flat) <= 2 * _BINS_MAX
        and all(type(number) is int and abs(number) <= 10_000 for number in numbers)
        and all(type(count) is int and 0 <= count <= _EVENTS_MAX for count in counts)
    )
