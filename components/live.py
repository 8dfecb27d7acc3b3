"""The one handover to JavaScript: the ids both sides know, the shell, and what a painter reads.

A live component is an element with `live_data(...)`: the browser's modules find it by its `data-live`
attribute, subscribe to its channels and paint into its nodes, which carry data attributes and no id.
Everything in `assets/live/` that depends on Python depends on this file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal

from dash import ALL, dcc
from dash.development.base_component import Component
from dash_extensions import WebSocket

Level = Literal["ok", "warn", "bad"]
Direction = Literal["above", "below"]

NAMESPACE = "headwater"
"""The clientside namespace that `assets/live.js` defines."""


class ClientFunction(StrEnum):
    """Functions of the clientside namespace, for `ClientsideFunction(NAMESPACE, …)`."""

    BIND = "bind"
    GRIDS = "grids"
    BADGES = "badges"
    BANNER = "banner"
    THEME = "theme"


class LiveId(StrEnum):
    """Ids of the elements of which a page has exactly one."""

    SOCKET = "live-socket"
    CHANGES = "live-changes"
    FRESHNESS = "live-freshness"
    BOUND = "live-bound"
    BANNER = "live-banner"
    BANNER_TEXT = "live-banner-text"


class LiveType(StrEnum):
    """The `type` of pattern-matching ids, of which a page has many."""

    TABLE = "live-table"
    BADGE = "freshness"
    BADGE_LABEL = "freshness-label"
    BADGE_DETAIL = "freshness-detail"


def live_id(kind: LiveType, uid: str, channel: str) -> dict[str, str]:
    """The id of one part of a live component; `uid` is unique on its page and stable over renders."""
    return {"type": kind, "uid": uid, "channel": channel}


def every(kind: LiveType) -> dict[str, Any]:
    """The pattern that matches all ids of a type on the open page."""
    return {"type": kind, "uid": ALL, "channel": ALL}


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `at` on, in the shown unit, the value has this level."""

    at: float
    level: Level


@dataclass(frozen=True, slots=True)
class Trend:
    """A tile's sparkline: one series of a series channel over its last `span_ms`."""

    channel: str
    series: str
    span_ms: int


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """One column of a log as the painter formats it."""

    field: str
    label: str
    type: str = "text"
    decimals: int | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TileData:
    """One value of a `latest` channel: painted into `[data-value]`, `[data-unit]`, `[data-change]`, `[data-trend]`.

    The shown value is the field times `scale`; thresholds compare with the shown value. `direction`
    above: a level holds from its threshold upwards; below: under its threshold.
    """

    paint: ClassVar[str] = "tile"
    channel: str
    key: str
    field: str
    type: str = "number"
    decimals: int | None = None
    unit: str = ""
    scale: float = 1
    thresholds: Sequence[Threshold] = ()
    direction: Direction = "above"
    trend: Trend | None = None


@dataclass(frozen=True, slots=True)
class ChartData:
    """Series of one channel, painted into the `dcc.Graph` inside; a trace for each series.

    With `by` every series of the aggregate `field` (`field:group`), or only the groups in `names`;
    without it the one series called `field`. `window_ms` marks the last point of an open window.
    """

    paint: ClassVar[str] = "chart"
    channel: str
    field: str
    by: bool = False
    names: Sequence[str] | None = None
    span_ms: int | None = None
    type: str = "number"
    decimals: int | None = None
    unit: str = ""
    scale: float = 1
    every_ms: int = 250
    window_ms: int | None = None
    thresholds: Sequence[Threshold] = ()


@dataclass(frozen=True, slots=True)
class LogData:
    """The newest entries of a `log` channel, painted as items of the `<ol data-entries>` inside."""

    paint: ClassVar[str] = "log"
    channel: str
    columns: Sequence[LiveColumn]
    entries_max: int = 200


@dataclass(frozen=True, slots=True)
class TableData:
    """Rows of a `latest` channel; the grid inside is filled by the clientside callback of `callbacks/live.py`."""

    paint: ClassVar[str] = "none"
    channel: str


LiveData = TileData | ChartData | LogData | TableData


def live_data(data: LiveData) -> dict[str, str]:
    """The attribute that makes an element live: `html.Section(…, **live_data(TileData(…)))`."""
    spec = {"paint": data.paint} | {name: value for name, value in asdict(data).items() if value is not None}
    return {"data-live": json.dumps(spec, separators=(",", ":"))}


def live_shell() -> list[Component]:
    """The socket and the stores; once in the app's layout, outside the page container.

    The socket has no url: the browser's modules set it when their tap is in place, so no frame is missed.
    """
    return [
        WebSocket(id=LiveId.SOCKET),
        dcc.Store(id=LiveId.CHANGES),
        dcc.Store(id=LiveId.FRESHNESS),
        dcc.Store(id=LiveId.BOUND),
    ]
