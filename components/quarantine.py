"""Quarantine: what no channel could fold, each with what may be done with it: replay, or discard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from dash import html
from dash.development.base_component import Component

from components.asked import asked_box, asked_table
from components.attributes import aria
from services.broker import Quarantined

Act = Literal["replay", "discard"]
WHY_LENGTH = 200


class QuarantineId(StrEnum):
    """Ids of its interactive parts; `ACT` is the type of each entry's buttons."""

    LIST = "quarantine-list"
    REFRESH = "quarantine-refresh"
    SAID = "quarantine-said"
    ACT = "quarantine-act"


def quarantine_box() -> Component:
    """The list, which is asked for when the page is opened, and again at a click."""
    return asked_box(
        "quarantine", "Quarantine", refresh=QuarantineId.REFRESH, said=QuarantineId.SAID, rows=QuarantineId.LIST
    )


def act_id(act: Act, lane: str, entry: str) -> dict[str, Any]:
    """The id of a button."""
    return {"type": QuarantineId.ACT, "act": act, "lane": lane, "entry": entry}


def listed(entries: Sequence[Quarantined] | None) -> Component:
    """The entries, newest first; None where who asks may not see them."""
    if entries is None:
        return html.P("Only an admin may look after the quarantine.", className="trace-hint")
    if not entries:
        return html.P("Empty: every event could be folded.", className="trace-hint")
    return asked_table(("When", "Lane", "Event", "Why", ""), [_row(one) for one in entries], "Events in quarantine")


def _row(one: Quarantined) -> Component:
    event = one.event if isinstance(one.event, dict) else {}
    name, lane = str(event.get("id", ""))[:128], str(one.lane)
    buttons = [
        html.Button(
            word, id=act_id(act, lane, one.id), type="button", className="button quiet", n_clicks=0,
            **aria(label=f"{word} event {name or one.id}"),
        )
        for act, word in _WORDS
    ]
    when = f"{datetime.fromtimestamp(one.at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    cells = [html.Td(when, className="when"), html.Td(lane), html.Td(html.Code(name)), html.Td(_why(one.why))]
    return html.Tr([*cells, html.Td(buttons, className="acts")])


def _why(text: str) -> str | Component:
    """The reason; below it, to be opened, where in a step of the feed's enrichment it was."""
    reason, _, trace = text.partition("\n")
    if not trace:
        return reason[:WHY_LENGTH]
    return html.Details([html.Summary(reason[:WHY_LENGTH]), html.Pre(html.Code(trace), tabIndex=0)])


_WORDS: tuple[tuple[Act, str], ...] = (("replay", "Replay"), ("discard", "Discard"))
