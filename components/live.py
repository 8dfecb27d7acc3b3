"""The one handover to JavaScript: the ids that both sides know, the shell, and what a painter reads.

A live component is an element with `live_data(...)`: the browser's modules find it by its `data-live`
attribute, subscribe to its channels and paint into its nodes, which carry data attributes and no id.
Everything in `assets/live/` that depends on Python depends on this file. What a painter reads:

- `tile`: `channel` (a latest), `key`, `field`, `type`, `decimals`, `unit`, `scale`, `thresholds`
  (`[{at, level}]`, in the shown unit), `direction` (above, below), `trend` (`{channel, series, span_ms, gap_ms,
  window_ms, windows}`); nodes `[data-value]`, `[data-unit]`, `[data-window]`, `[data-change]`, `[data-trend]`
- `chart`: `channel` (a series), `fields` (`[{field, label}]`, a trace for each), `by` (a trace for each series
  `field:group` of the only field), `names` (only these groups), `span_ms`, `type`, `decimals`, `unit`, `scale`,
  `every_ms`, `thresholds`, `gap_ms` (points further apart than that are not joined), `lookback` (`[[ms, label]]`, how
  far back one may look), `kept_ms` (how far the live state reaches), `history_ms` (how far the archive does); a
  `dcc.Graph` inside, and a node `[data-lookback]` for the choice; the open window is drawn as incomplete
- `log`: `channel` (a log), `columns` (`[{field, label, type, decimals, unit}]`), `entries_max`;
  a list `[data-entries]` inside
- every one: `data-menu`, a JSON object for the menu that `assets/live/takeaway.mjs` puts into its head: `history`
  (whether the archive keeps its channel), `source` (in words)
- every badge, `.freshness`: `data-state`, the words of `.freshness-text` and `.freshness-now`; `data-facts`, a JSON
  list of [term, words], drawn into its `.facts` when it is opened, with the window, the position and the stages of the
  moment above them
- all of them: `window_ms` and `windows` where the channel is windowed
- `none`: `channel`, subscribed and shown by a clientside callback; a table's grid has
  `live_id(LiveType.TABLE, …)`, whose uid is its `grid`, and `row`, what the drawer of a row shows: `fields` (`[{field,
  label, type, decimals, unit}]`), `history_ms` (how far the archive goes back, 0 without one)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dash import ALL, dcc
from dash.development.base_component import Component
from dash_extensions import WebSocket

NAMESPACE = "headwater"
"""The clientside namespace that `assets/live.js` defines."""


class ClientFunction(StrEnum):
    """Functions of the clientside namespace, for `ClientsideFunction(NAMESPACE, …)`."""

    BIND = "bind"
    FRESHNESS = "freshness"
    THEME = "theme"
    FILTER = "filter"
    NAVIGATION = "navigation"


class LiveId(StrEnum):
    """Ids of the elements of which a page has exactly one."""

    SOCKET = "live-socket"
    CHANGES = "live-changes"
    FRESHNESS = "live-freshness"
    BOUND = "live-bound"
    BANNER = "live-banner"
    BANNER_TEXT = "live-banner-text"
    LINK = "live-link"
    LINK_TEXT = "live-link-text"


class LiveType(StrEnum):
    """The `type` of pattern-matching ids, of which a page has many."""

    TABLE = "live-table"
    BADGE = "freshness"


def live_id(kind: LiveType, uid: str, channel: str) -> dict[str, str]:
    """The id of one part of a live component; `uid` is unique on its page and stable over renders."""
    return {"type": kind, "uid": uid, "channel": channel}


def badge_id(uid: str, channel: str) -> dict[str, str]:
    """The badge of a component; its presence tells that the component is mounted."""
    return live_id(LiveType.BADGE, uid, channel)


def every(kind: LiveType) -> dict[str, Any]:
    """The pattern that matches all ids of a type on the open page."""
    return {"type": kind, "uid": ALL, "channel": ALL}


def live_data(spec: Mapping[str, Any]) -> dict[str, str]:
    """The attribute that makes an element live: `html.Section(…, **live_data({"paint": "tile", …}))`."""
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
