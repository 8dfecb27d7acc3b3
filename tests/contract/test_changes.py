"""Changes: each declared property that changes is one change request of its kind, and another text of one clause."""

from __future__ import annotations

import copy
from dataclasses import fields, replace
from typing import Any, cast

import pytest

from components.page import Page
from services.accounts.principal import Grant
from services.contract.annex import clause_key, numbered, numbers_of_things
from services.contract.change_requests import change_requests
from services.declare import Aggregate, Anomaly, Channel, Declarations, FeedSpec, Freshness, History, Keep
from services.declare.retired import Retired
from services.sources.source import Http
from tests.contract.statements import CLAUSES, CONTRACT, LOCKED, PAGES, ROLES, asked, differing, one, other, statement
from tests.contract.test_scope import DECLARATIONS

# Feeds and channels ---------------------------------------------------------------------------------

FLIGHTS = DECLARATIONS.feeds["flights"]
FEED: dict[str, tuple[Any, str]] = {
    "name": ("planes", "feed"),
    "key": ("flight", "key"),
    "source": (Http(), "source"),
    "freshness": (Freshness(1, 2, 3), "freshness rule"),
    "partition": ("origin", "partition"),
    "lanes": (4, "partition"),
    "lateness_s": (20.0, "validation rule"),
    "strict": (True, "validation rule"),
    "history": (History(days=1), "retention"),
    "retired": (Retired("2026-11-30", "planes"), "feed"),
    "enrich": ((Anomaly("delay_min", into="unusual"),), "chart semantics"),
    "declared_by": (type("Other", (), {"__doc__": "Something else."}), "wording"),
}


def _with_feed(feed: FeedSpec) -> Declarations:
    """The declarations with another feed in the place of flights, its channels with it."""
    channels = {}
    for channel in DECLARATIONS.channels.values():
        if channel.feed is FLIGHTS:
            own: dict[str, Any] = {"feed": feed, "name": f"{feed.name}.{channel.name.partition('.')[2]}"}
            own["freshness"] = feed.freshness if channel.freshness is FLIGHTS.freshness else channel.freshness
            if channel.history == History(FLIGHTS.history.days, FLIGHTS.history.hourly_days):
                own["history"] = History(feed.history.days)
            channel = _made(channel, **own)
        channels[channel.name] = channel
    twins = {old.name: old.twin.name for old in DECLARATIONS.channels.values() if old.twin is not None}
    for name, twin in twins.items():
        if name.startswith("flights."):
            short, other = name.partition(".")[2], twin.partition(".")[2]
            channels[f"{feed.name}.{short}"].twin = channels[f"{feed.name}.{other}"]
    feeds = {each.name: each for each in (feed if old is FLIGHTS else old for old in DECLARATIONS.feeds.values())}
    return Declarations(feeds, channels)


def _made(channel: type[Channel], **own: Any) -> type[Channel]:
    return cast("type[Channel]", type(channel.__name__, (), {**_attributes(channel), **own}))


def _attributes(channel: type[Channel]) -> dict[str, Any]:
    names = [*Channel.__annotations__]
    return {name: getattr(channel, name) for name in names} | {"__doc__": channel.__doc__}


@pytest.mark.parametrize("name", [each.name for each in fields(FeedSpec) if each.name != "fields"])
def test_a_changed_property_of_a_feed_is_one_change_request_of_its_kind(name: str) -> None:
    value, kind = FEED[name]
    now = statement(declarations=_with_feed(replace(FLIGHTS, **cast(Any, {name: value}))))
    found = one(now)
    assert found.kind == kind
    if name != "name":  # another name gives every clause of the feed another number
        assert differing(now) == {CLAUSES["feed flights"]}


FIELD = {
    "required": (False, "validation rule"),
    "max_length": (10, "validation rule"),
    "unit": ("km", "chart semantics"),
    "decimals": (4, "wording"),
    "_label": ("Other", "wording"),
    "about": ("other", "wording"),
    "personal": (True, "personal data"),
    "value_type": ("moment", "validation rule"),
}


@pytest.mark.parametrize("name", FIELD)
def test_a_changed_property_of_a_field_is_one_change_request_of_its_kind(name: str) -> None:
    field = copy.copy(FLIGHTS.fields["flight"])
    value, kind = FIELD[name]
    setattr(field, name, value)
    now = statement(declarations=_with_feed(replace(FLIGHTS, fields={**FLIGHTS.fields, "flight": field})))
    assert one(now).kind == kind
    assert differing(now) == {CLAUSES["feed flights"]}


CHANNEL: dict[str, tuple[Any, str]] = {
    "kind": ("log", "channel kind"),
    "title": ("Other", "wording"),
    "freshness": (Freshness(1, 2, 3), "freshness rule"),
    "history": (History(days=1), "retention"),
    "partition": ("origin", "partition"),
    "partitions_max": (5, "partition"),
    "where": (FLIGHTS.fields["origin"].equals("EWR"), "chart semantics"),
    "by": (("origin", "carrier"), "chart semantics"),
    "window_s": (10.0, "chart semantics"),
    "windows": (3, "chart semantics"),
    "evict_after_s": (30.0, "retention"),
    "retired": (Retired("2026-11-30"), "channel"),
    "keep": (Keep(span_ms=1_000, points_max=10), "retention"),
    "__doc__": ("Something else.", "wording"),
}
DERIVED = {"name", "feed", "policy", "aggregates", "twin"}
"""What names the channel, follows from its kind, or has tests of its own."""


def _with_channel(**own: Any) -> Declarations:
    made = _made(DECLARATIONS.channels["flights.delays"], **own)
    return replace(DECLARATIONS, channels={**DECLARATIONS.channels, "flights.delays": made})


def test_every_property_of_a_channel_has_a_kind() -> None:
    assert set(Channel.__annotations__) - DERIVED == set(CHANNEL) - {"__doc__"}
    assert {each.name for each in fields(FeedSpec)} == {*FEED, "fields"}


@pytest.mark.parametrize("name", CHANNEL)
def test_a_changed_property_of_a_channel_is_one_change_request_of_its_kind(name: str) -> None:
    value, kind = CHANNEL[name]
    now = statement(declarations=_with_channel(**{name: value}))
    assert one(now).kind == kind
    assert differing(now) == {CLAUSES["feed flights > channel delays"]}


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("function", "max", "chart semantics"),
        ("field", FLIGHTS.fields["distance_mi"], "chart semantics"),
        ("where", None, "chart semantics"),
        ("q", 0.5, "chart semantics"),
        ("unit", "h", "chart semantics"),
        ("decimals", 3, "wording"),
        ("_label", "Other", "wording"),
        ("about", "other", "wording"),
    ],
)
def test_a_changed_aggregate_is_one_change_request_of_chart_semantics(name: str, value: Any, kind: str) -> None:
    aggregate: Aggregate = copy.copy(DECLARATIONS.channels["flights.delays"].aggregates["mean_delay"])
    if name == "field":  # the unit is the field's, in both
        aggregate.unit = value.unit
    setattr(aggregate, name, value)
    found = one(statement(declarations=_with_channel(aggregates={"mean_delay": aggregate})))
    assert (found.kind, found.clauses) == (kind, (CLAUSES["feed flights > channel delays"],))


# Pages and roles ------------------------------------------------------------------------------------


HOME = next(each for each in PAGES if each.path == "/")
PAGE = {"title": ("Other", "wording"), "path": ("/flights", "page"), "about": ("Other", "wording"),
        "order": (9, "wording"), "choose": (None, "page"),
        "retired": (Retired("2026-11-30", "/flights"), "page")}  # fmt: skip


OF_A_READER = ("parts", "declared_at", "must_choose", "callbacks")
"""What stands beside a page's declaration."""


@pytest.mark.parametrize("name", [each.name for each in fields(Page) if each.name not in OF_A_READER])
def test_a_changed_property_of_a_page_is_one_change_request_of_its_kind(name: str) -> None:
    value, kind = PAGE[name]
    now = statement(pages=tuple(replace(each, **{name: value}) if each is HOME else each for each in PAGES))
    assert one(now).kind == kind


def test_each_property_of_what_a_page_shows_is_one_change_request() -> None:
    for key in [each for each in LOCKED if each.startswith("page /host > ")]:
        for name, value in LOCKED[key].items():
            found = one({**LOCKED, key: {**LOCKED[key], name: other(value)}})
            assert found.kind in ("chart semantics", "presentation", "wording"), (key, name)
            assert found.clauses == (CLAUSES["page /host"],)


def test_a_new_page_a_new_chart_and_one_in_the_place_of_another_are_one_each() -> None:
    chart = "page / > chart of flights.delays, 1"
    new = one({**LOCKED, "page / > chart of flights.hourly, 1": LOCKED[chart]})
    assert (new.kind, new.text) == ("chart", "chart of flights.hourly, 1 of page / is new")
    without = {key: said for key, said in LOCKED.items() if key != chart}
    assert one(without).text.endswith("is left out")
    assert "in the place of" in one({**without, "page / > chart of flights.hourly, 1": {"unit": "h"}}).text
    page = one({**LOCKED, "page /new": {"title": "New"}, "page /new > log of host.now, 1": {}})
    assert (page.kind, page.days, page.price) == ("page", 1.25, 1_000)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "others"}, "role or auth boundary"),
        ({"grant": Grant(("host.*",), frozenset({"view"}))}, "role or auth boundary"),
        ({"claims": ("staff",)}, "role or auth boundary"),
    ],
)
def test_a_changed_role_is_one_change_request_of_the_auth_boundary(changes: dict[str, Any], expected: str) -> None:
    wall = next(each for each in ROLES if each.name == "wall")
    now = statement(roles=[replace(each, **changes) if each is wall else each for each in ROLES])
    assert one(now).kind == expected


# What a request says --------------------------------------------------------------------------------


def test_nothing_changed_is_no_request() -> None:
    assert not asked(statement())


def test_a_new_feed_is_one_request_with_its_channels_priced() -> None:
    more = {key.replace("feed signals", "feed more", 1): said for key, said in LOCKED.items() if "feed signals" in key}
    more["feed more"] = {**more["feed more"], "key": "other"}
    found = one({**LOCKED, **more})
    channels = sum("> channel" in key and "> column" not in key for key in more)
    assert found.kind == "feed"
    assert found.days == 1.5 + 0.25 * channels + 0.5


def test_a_request_names_its_clause_objectives_days_price_and_whether_it_is_accepted_anew() -> None:
    key = "objective gateway-latency"
    found = one({**LOCKED, key: {**LOCKED[key], "target_percent": 99.0}})
    assert found.text == "objective gateway-latency: target is 99 % instead of 95 %"
    assert (found.clauses, found.objectives) == ((CLAUSES[key],), ("gateway-latency",))
    assert (found.reaccept, found.days, found.price) == (True, 1.5, 1_200)


def test_requests_are_priced_by_the_rates_that_were_signed() -> None:
    cheap = {**LOCKED, "price": {**LOCKED["price"], "day_rate": 100.0}}
    numbers = numbers_of_things(LOCKED, CLAUSES)
    dearer = {**LOCKED, "envelope": {**LOCKED["envelope"], "viewers": 900}}
    found = {each.kind: each for each in change_requests(CONTRACT, cheap, dearer, numbers)}
    assert (found["envelope"].price, found["envelope"].days) == (150, 1.5)
    assert found["price"].price == 0


def test_a_change_of_a_feed_touches_the_objectives_that_count_it() -> None:
    found = one(statement(declarations=_with_feed(replace(FLIGHTS, key="flight"))))
    assert "board-painted" in found.objectives
    assert "machine-freshness" not in found.objectives
    assert "reconnect" not in found.objectives


def test_an_envelope_that_was_measured_larger_is_a_request_though_no_file_changed() -> None:
    assert not asked(statement(), measured={"events_per_s": 900.0})
    (found,) = asked(statement(), measured={"events_per_s": 1_500.0})
    assert (found.kind, found.reaccept) == ("envelope exceeded", True)
    assert found.text == "envelope: events measured: 1,500 a second instead of 1,000 a second"


def test_a_clause_keeps_its_number_when_others_come_and_go() -> None:
    fewer = {key: said for key, said in LOCKED.items() if clause_key(key) != "feed host"}
    now = numbered({"feed before": {"key": "k"}, **fewer}, CLAUSES)
    assert all(now[key] == number for key, number in CLAUSES.items() if key in now)
    assert now["feed before"] not in CLAUSES.values()
