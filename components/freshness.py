"""Freshness: the badge on every component, and the details that open from it.

The badge says state and age at a glance; its details say what the number is, where it comes from,
and, when something is wrong, why and since when. What the declaration knows is written here once, as one
attribute that `assets/live/badges.mjs` draws when a badge is opened: as components of their own, the facts
would be half of a page, and Dash asks every component at every change. What changes is filled in by the
live callback.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

from dash import html
from dash.development.base_component import Component

from components.attributes import aria, data
from components.formula import duration
from components.live import badge_id
from services.declare import Channel, ChannelRef, FeedSpec, Freshness
from services.declare.enrich import describe

Fact: TypeAlias = tuple[str, str]

_POLICIES = {
    "every": "every event, in order; several arrive in one frame, and only those are passed over that no longer belong "
             "to what is kept",
    "newest": "the newest value of each key; values in between are passed over, the last one never is",
    "summarised": "a summary of every event; it is told in larger steps, the last one is never left out",
}


def window_in_words(channel: type[Channel]) -> str:
    """Over which stretch of time a channel's values are computed."""
    if channel.window_s is None:
        window = "no window: single events"
    elif channel.windows == 1:
        window = f"{duration(channel.window_s)}, one after the other, by event time; the open one is incomplete"
    else:
        window = (f"last {duration(channel.window_s * channel.windows)}, moving every {duration(channel.window_s)} by "
                  "event time; the newest step is incomplete")
    return window


def keeps_in_words(channel: type[Channel]) -> str:
    """How much of a channel is kept, and what leaves first."""
    kept = channel.keep
    if kept.span_ms is not None:
        return (f"{duration(kept.span_ms / 1000)}, at most {kept.points_max:,} points a line; "
                "the oldest leave first")
    if kept.entries_max is not None:
        return f"the newest {kept.entries_max:,} entries"
    if channel.aggregates:
        return f"at most {kept.rows_max:,} rows" if channel.by else "one row"
    rows = f"at most {kept.rows_max:,} rows, those with the newest events"
    gone = channel.evict_after_s
    return rows if gone is None else f"{rows}; a row without events for {duration(gone)} leaves"


def approximation_in_words(channel: type[Channel]) -> str | None:
    """What of a channel is not exact; None where every digit is."""
    sketched = [one.label for one in channel.aggregates.values() if one.function == "quantile"]
    return f"{', '.join(sketched)}: within 1 % of the true quantile; all else is exact" if sketched else None


def source_in_words(channel: type[Channel]) -> str:
    """What the data is and where it comes from."""
    return feed_in_words(channel.feed)


def feed_in_words(feed: FeedSpec) -> str:
    """The same of a feed's events."""
    source = feed.source
    label = source.title or type(source).__name__
    said = f"recorded data, replayed: {label}" if source.recorded else label
    way = "computed" if source.derived else "fetched" if source.pulled else ""
    return f"{said}; feed {feed.name}, {way + ' by the worker' if way else 'posted by others'}"


def rule_in_words(rule: Freshness) -> str:
    """When values count as late or stale."""
    words = (f"expected every {duration(rule.expected_every_s)}, late after {duration(rule.late_after_s)}, "
             f"stale after {duration(rule.stale_after_s)}")
    return f"{words}; quiet while its source gives signs of life" if rule.may_be_quiet else words


def channel_facts(ref: ChannelRef, said: str) -> list[Fact]:
    """What the details of a component say about its channel; not again what is said already."""
    channel = ref.channel
    words = " ".join((channel.__doc__ or "").split())
    about = [("About", words)] if words.rstrip(".") not in said else []
    condition = [("Only where", channel.where.describe())] if channel.where else []
    rough = approximation_in_words(channel)
    return [
        *about,
        *condition,
        ("Window", window_in_words(channel)),
        ("Keeps", keeps_in_words(channel)),
        *([("Precision", rough)] if rough else []),
        ("Source", source_in_words(channel)),
        *([("Enriched", "; ".join(map(describe, steps)))] if (steps := channel.feed.enrich) else []),
        ("Freshness", rule_in_words(channel.freshness)),
        ("Under load", _POLICIES[channel.policy]),
        ("Channel", ref.name),
    ]


def badge(uid: str, ref: ChannelRef, title: str, facts: Sequence[Fact]) -> Component:
    """The badge of one component: a summary that is always shown and details that open from it."""
    summary = html.Summary(
        [
            html.Span(className="dot", **aria(hidden="true")),
            html.Span(title + ", freshness: ", className="visually-hidden"),
            html.Span("connecting", className="freshness-text"),
        ],
        title="Freshness, definition, formula, window, source and position",
    )
    details = html.Div(
        [
            html.Div(className="freshness-now"),
            html.Dl([], className="facts"),
        ],
        className="popover",
    )
    said = "\n".join([title, *(words for _, words in facts)])
    told = json.dumps([*facts, *channel_facts(ref, said)], ensure_ascii=False, separators=(",", ":"))
    return html.Details([summary, details], id=badge_id(uid, ref.name), className="freshness",
                        **data(state="connecting", facts=told))
