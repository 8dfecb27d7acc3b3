"""Pause for everybody: each feed that whoever asks may pause, how it stands, and the button that changes that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from dash import html
from dash.development.base_component import Component

from components.asked import asked_box, asked_table
from components.attributes import aria
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
    return asked_box(
        "pause-all", "Pause for everybody", refresh=PauseAllId.REFRESH, said=PauseAllId.SAID, rows=PauseAllId.LIST,
        hint=_WHAT,
    )


def pause_act_id(act: PauseAct, feed: str) -> dict[str, Any]:
    """The id of a button."""
    return {"type": PauseAllId.ACT, "act": act, "feed": feed}


def pausable(feeds: Mapping[str, Paused | None]) -> Component:
    """The feeds that who asks may pause, each with its pause, None where it is live."""
    if not feeds:
        return html.P("None of your roles may pause a feed for everybody.", className="trace-hint")
    rows = [_row(feed, paused) for feed, paused in feeds.items()]
    return asked_table(("Feed", "Now", ""), rows, "Feeds that may be paused")


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
