"""Pause for everybody: each feed that whoever asks may pause, how it stands, and the button that changes that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from dash import html
from dash.development.base_component import Component

from components.attributes import aria, data
from services.broker import Paused

PauseAct = Literal["pause", "resume"]
_WHAT = (
    "What everybody sees of a feed stands still until it is resumed, an hour at most, and says so with your name."
    " Events go on; whoever resumes a component sees it live."
)


class PauseAllId(StrEnum):
    """Ids of its interactive parts; `ACT` is the type of each feed's button."""

    LIST = "pause-all-list"
    REFRESH = "pause-all-refresh"
    SAID = "pause-all-said"
    ACT = "pause-all-act"


def pause_all_box() -> Component:
    """The list, which is asked for when the page is opened, and again at a click."""
    refresh = html.Button("Refresh", id=PauseAllId.REFRESH, type="button", className="button quiet", n_clicks=0)
    head = html.Header([html.H2("Pause for everybody", className="block-title"), refresh], className="block-head")
    said = html.P("", id=PauseAllId.SAID, className="trace-hint", role="status")
    return html.Section(
        [head, html.P(_WHAT, className="trace-hint"), said, html.Div([], id=PauseAllId.LIST)],
        className="trace pause-all", **aria(label="Pause for everybody"), **data(pause_all=""),
    )


def pause_act_id(act: PauseAct, feed: str) -> dict[str, Any]:
    """The id of a button."""
    return {"type": PauseAllId.ACT, "act": act, "feed": feed}


def pausable(feeds: Mapping[str, Paused | None]) -> Component:
    """The feeds that who asks may pause, each with its pause, None where it is live."""
    if not feeds:
        return html.P("None of your roles may pause a feed for everybody.", className="trace-hint")
    names = ("Feed", "Now", "")
    head = html.Thead(html.Tr([html.Th(name, scope="col") if name else html.Td("") for name in names]))
    table = html.Table([head, html.Tbody([_row(feed, paused) for feed, paused in feeds.items()])])
    return html.Div(table, className="trace-steps", tabIndex=0, role="region", **aria(label="Feeds that may be paused"))


def _row(feed: str, paused: Paused | None) -> Component:
    word, act = ("Pause", "pause") if paused is None else ("Resume", "resume")
    button = html.Button(
        word, id=pause_act_id(act, feed), type="button", className="button quiet", n_clicks=0,  # type: ignore[arg-type]
        **aria(label=f"{word} {feed} for everybody"),
    )
    now = "live" if paused is None else f"paused by {paused.by} since {_clock(paused.since)}"
    return html.Tr([html.Th(feed, scope="row"), html.Td(now), html.Td(button, className="acts")])


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S} UTC"
