"""Headwater: the public names that a team imports, and nothing else.

Names are found when they are first used, so that a feed file brings no Dash into the worker.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.frames import frame as frame
    from app.rehearsal import Rehearsal as Rehearsal
    from components.asset import asset as asset
    from components.bar import bar as bar
    from components.callback import callback as callback
    from components.chart import chart as chart
    from components.heat_map import heat_map as heat_map
    from components.histogram import histogram as histogram
    from components.layout import grid as grid
    from components.layout import row as row
    from components.live_text import live_text as live_text
    from components.log import log as log
    from components.page import page as page
    from components.painted import Painted as Painted
    from components.painted import painted as painted
    from components.pause_all import pause_all_box as pause_all_box
    from components.quarantine import quarantine_box as quarantine_box
    from components.status_list import status_list as status_list
    from components.table import table as table
    from components.tile import tile as tile
    from components.trace import trace_box as trace_box
    from services.declare import Alert as Alert
    from services.declare import Anomaly as Anomaly
    from services.declare import Column as Column
    from services.declare import DeclarationError as DeclarationError
    from services.declare import Derived as Derived
    from services.declare import Feed as Feed
    from services.declare import Flag as Flag
    from services.declare import Freshness as Freshness
    from services.declare import Given as Given
    from services.declare import GivenTime as GivenTime
    from services.declare import History as History
    from services.declare import Integer as Integer
    from services.declare import Latest as Latest
    from services.declare import Log as Log
    from services.declare import Moment as Moment
    from services.declare import Number as Number
    from services.declare import Remembering as Remembering
    from services.declare import Retired as Retired
    from services.declare import Series as Series
    from services.declare import SourceMapping as SourceMapping
    from services.declare import Text as Text
    from services.declare import alert as alert
    from services.declare import count as count
    from services.declare import joined as joined
    from services.declare import maximum as maximum
    from services.declare import mean as mean
    from services.declare import minimum as minimum
    from services.declare import quantile as quantile
    from services.declare import rate as rate
    from services.declare import sum_ as sum_
    from services.declare import value as value
    from services.enrichment import Enrichment as Enrichment
    from services.sources.file_replay import FileReplay as FileReplay
    from services.sources.file_tail import FileTail as FileTail
    from services.sources.http_poll import HttpPoll as HttpPoll
    from services.sources.kafka import Kafka as Kafka
    from services.sources.mqtt import Mqtt as Mqtt
    from services.sources.prometheus_query import PrometheusQuery as PrometheusQuery
    from services.sources.redis_stream import RedisStream as RedisStream
    from services.sources.signature import GitHubSignature as GitHubSignature
    from services.sources.signature import StripeSignature as StripeSignature
    from services.sources.source import Http as Http
    from services.sources.source import Intake as Intake
    from services.sources.source import Source as Source
    from services.sources.sql_poll import SqlPoll as SqlPoll
    from services.sources.trouble import SourceTrouble as SourceTrouble
    from services.sources.websocket_feed import WebSocketFeed as WebSocketFeed

_DECLARE = (
    "Alert",
    "Anomaly",
    "Column",
    "DeclarationError",
    "Derived",
    "Feed",
    "Flag",
    "Freshness",
    "Given",
    "GivenTime",
    "History",
    "Integer",
    "Latest",
    "Log",
    "Moment",
    "Number",
    "Remembering",
    "Retired",
    "Series",
    "SourceMapping",
    "Text",
    "alert",
    "count",
    "joined",
    "maximum",
    "mean",
    "minimum",
    "quantile",
    "rate",
    "sum_",
    "value",
)
_COMPONENTS = (
    "asset",
    "bar",
    "callback",
    "chart",
    "heat_map",
    "histogram",
    "live_text",
    "log",
    "page",
    "painted",
    "status_list",
    "table",
    "tile",
)
"""Each in a file of its name."""
_SOURCES = {
    "GitHubSignature": "services.sources.signature",
    "HttpPoll": "services.sources.http_poll",
    "FileReplay": "services.sources.file_replay",
    "FileTail": "services.sources.file_tail",
    "Kafka": "services.sources.kafka",
    "Mqtt": "services.sources.mqtt",
    "PrometheusQuery": "services.sources.prometheus_query",
    "RedisStream": "services.sources.redis_stream",
    "SqlPoll": "services.sources.sql_poll",
    "StripeSignature": "services.sources.signature",
    "WebSocketFeed": "services.sources.websocket_feed",
}
_WHERE = {
    **dict.fromkeys(_DECLARE, "services.declare"),
    **dict.fromkeys(("Http", "Intake", "Source"), "services.sources.source"),
    "SourceTrouble": "services.sources.trouble",
    **dict.fromkeys(("grid", "row"), "components.layout"),
    **{name: f"components.{name}" for name in _COMPONENTS},
    **_SOURCES,
    "Enrichment": "services.enrichment",
    "Painted": "components.painted",
    "Rehearsal": "app.rehearsal",
    "frame": "app.frames",
    "pause_all_box": "components.pause_all",
    "quarantine_box": "components.quarantine",
    "trace_box": "components.trace",
}
__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"headwater has no {name!r}; it offers {', '.join(sorted(_WHERE))}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(_WHERE)
