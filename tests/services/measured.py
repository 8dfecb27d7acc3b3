"""Measured: raw minutes and objectives for tests, made as processes and contracts make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.contract.document import Objective
from services.measurement.raw import Held, ProbeSample, RawMinute
from services.sheets import Key, Line, Sheet
from services.sketch import Sketch

START = 1_790_000_000_000 // 3_600_000 * 3_600_000
CHANNEL = "shop.orders"


def objective(kind: Any, point: Any, **more: Any) -> Objective:
    given: dict[str, Any] = {
        "name": kind, "kind": kind, "channel": CHANNEL, "share": 0.95, "limit": 1.0, "window_days": None,
        "point": point, "owner": "provider", "breach": "", "exception": "", "degraded": "none", "binding": True,
        "line": 1,
    }  # fmt: skip
    return Objective(**given | more)


def own(**stages: Iterable[float]) -> dict[Key, Line]:
    """What a process itself measured of the channel."""
    return {Key(stage, CHANNEL): Line(Sketch.of(values)) for stage, values in stages.items()}


def viewed(stage: str, *viewers: Iterable[float], page: str = "/shop", transport: Any = "socket") -> dict[Key, Line]:
    """What viewers measured of the channel, each of them apart."""
    return {
        Key(stage, CHANNEL, page, transport): Line(Sketch(), {n: Sketch.of(values) for n, values in enumerate(viewers)})
    }


def sheet(role: str, lines: Mapping[Key, Line], at: int = START) -> Sheet:
    return Sheet(f"{role}-{at}", f"{role}-1", role, at, 0.0, 0.1, {}, {}, lines)


def minute(*sheets: Sheet, at: int = START, probes: Iterable[ProbeSample] = ()) -> RawMinute:
    return RawMinute(at, sheets, tuple(probes))


def probe(took_s: float | None, at: int = START, lane: str = "shop.0") -> ProbeSample:
    return ProbeSample(at, "worker", lane, "worker-1", took_s)


def received(*minutes: RawMinute) -> Held:
    """Raw minutes in memory."""
    ordered = sorted(minutes, key=lambda one: one.at)
    return Held(ordered[0].at if ordered else None, tuple(ordered))
