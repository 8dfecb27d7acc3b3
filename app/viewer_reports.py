"""Viewer reports: what browsers measured becomes telemetry of the process that they are connected to.

A report is input from outside: names are known ones, numbers are bounded, anything else is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.accounts import Principal
from services.sketch import Sketch
from services.telemetry import Telemetry

STAGES = frozenset({
    "created_to_received", "sent_to_received", "received_to_painted", "created_to_painted", "created_to_charted",
})
"""Stages that end in a browser; a report carries a sketch (`Sketch.as_json`, in seconds) for each."""
COUNTS = ("gaps", "duplicates", "reconnects")
_BINS_MAX = 1_000
_EVENTS_MAX = 1_000_000


class ViewerReports:
    """Called by the gateway's loop for each report, so it does little."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def __call__(self, viewer: str, principal: Principal, report: Mapping[str, Any]) -> None:
        self._telemetry.count("viewer_reports")
        for name in COUNTS:
            found = report.get(name)
            if type(found) is int and 0 < found <= _EVENTS_MAX:
                self._telemetry.count(f"viewer_{name}", found)
        stages = report.get("stages")
        for name, raw in stages.items() if isinstance(stages, dict) else ():
            if name in STAGES and is_sketch(raw):
                self._telemetry.absorb(name, Sketch.from_json(raw))


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
