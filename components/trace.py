"""Trace: where one asks what became of an event, and the answer, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import aria, data
from services.tracing.trace import Trace

ID_LENGTH_MAX = 128


class TraceId(StrEnum):
    """Ids of its interactive parts."""

    WANTED = "trace-wanted"
    ASK = "trace-ask"
    ANSWER = "trace-answer"


def trace_box() -> Component:
    """The question: an event's id, or the correlation id of the request that brought it."""
    head = html.Header([html.H2("Trace an event", className="block-title")], className="block-head")
    label = html.Label("Event id or correlation id", htmlFor=TraceId.WANTED, className="trace-label")
    wanted = dcc.Input(
        id=TraceId.WANTED, type="text", value="", className="trace-wanted", maxLength=ID_LENGTH_MAX,
        autoComplete="off", spellCheck=False,
    )
    ask = html.Button("Trace", id=TraceId.ASK, type="button", className="button", n_clicks=0)
    answer = html.Div(
        html.P("From its creation to the screens that showed it: of the broker, and of the archive's last day.",
               className="trace-hint"),
        id=TraceId.ANSWER, className="trace-answer", role="status",
    )
    return html.Section(
        [head, html.Div([label, wanted, ask], className="trace-ask"), answer], className="trace",
        **aria(label="Trace an event"), **data(trace=""),
    )


def refused() -> Component:
    """The answer to who may not ask."""
    return html.P("Only an admin may trace events.", className="trace-hint")


def failed(reason: str) -> Component:
    """The answer where broker or database give none."""
    return html.P(f"No answer: {reason}", className="trace-hint")


def unknown(wanted: str) -> Component:
    """The answer where there is no such event."""
    return html.P(
        f"No event {wanted!r} on the broker, nor in the archive's last day; headwater trace --back looks further back. "
        "A feed that keeps no history is known only until it is processed.",
        className="trace-hint",
    )


def traced(traces: Sequence[Trace]) -> list[Component]:
    """Each event with its stages."""
    return [_drawn(one) for one in traces]


def _drawn(one: Trace) -> Component:
    by: list[str | Component] = [" by request ", html.Code(one.correlation)] if one.correlation else []
    steps = [
        html.Tr([html.Th(stage, scope="row"), html.Td(_after(at, one.created_at), className="number"), html.Td(text)])
        for stage, at, text in one.steps()
    ]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in ("Stage", "After creation", "What happened")]))
    event: list[str | Component] = [html.Code(one.id), *by, f", created {_moment(one.created_at)}"]
    return html.Div(
        [html.H3(event, className="trace-event"),
         html.Div(html.Table([head, html.Tbody(steps)]), className="trace-steps", tabIndex=0, role="region",
                  **aria(label=f"Stages of event {one.id}"))],
    )


def _after(at: int | None, created: int) -> str:
    return "" if at is None else f"{at - created:,} ms"


def _moment(at: int) -> str:
    shown = datetime.fromtimestamp(at / 1000, UTC)
    return f"{shown:%Y-%m-%d %H:%M:%S}.{at % 1000:03} UTC"
