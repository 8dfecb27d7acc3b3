"""Explore: a question by its address, answered over HTTP from the archive, and what the page shows of it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from arro3.io import read_parquet
from flask.testing import FlaskClient

from app.doors import Doors
from app.explore.page import ExplorePage, explore_page, with_explore
from app.explore.question import Question, read_question
from app.explore.sources import May, find, sources
from app.explore.words import facts_of, title_of
from app.factory import Web
from app.loading import load_declarations, load_pages
from app.settings import Settings
from headwater import page, tile
from services.accounts import Action, Principal
from services.archive.archiver import Archiver
from services.database import Database, migrate
from services.declare import Declarations
from services.positions import wall_clock
from services.processor import Processor
from services.telemetry import Telemetry
from tests import feeds
from tests.app.conftest import KEY
from tests.components.drawn import every, of_class, props, texts
from tests.project.feeds import shop

SIGNALS = [("a", 1.0), ("a", 2.0), ("a", 4.0), ("b", -8.0), ("=1+1", 0.5)]
DECLARATIONS = load_declarations()
NOW = 1_800_000_000_000


def everything(action: Action, name: str) -> bool:
    return True


def asked(query: dict[str, str], may: May = everything, declarations: Declarations = DECLARATIONS) -> Question:
    return read_question(query, declarations, may, NOW)


@pytest.fixture
def filled(web: Web, settings: Settings, client: FlaskClient) -> FlaskClient:
    """A client of a web whose archive holds some signals."""
    database = Database(settings.database_address)
    migrate(database)
    headers = {"Authorization": f"Bearer {KEY}"}
    for name, value in SIGNALS:
        posted = client.post("/api/ingest/signals", json={"name": name, "value": value}, headers=headers)
        assert posted.status_code == 202
    telemetry = Telemetry("test", "worker")
    Processor(web.broker, DECLARATIONS, telemetry, worker="w").drain()
    Archiver(web.broker, database, DECLARATIONS, telemetry, worker="w").drain()
    database.close()
    return client


def explore(client: FlaskClient, **query: str) -> Any:
    return client.get(f"/api/explore?{urlencode(query)}")


# ---- the route ----


def test_an_answer_holds_lines_totals_and_what_it_is_of(filled: FlaskClient) -> None:
    found = explore(filled, of="signals", show="mean", field="value", by="name", window="5min").get_json()
    assert {name: (value, events) for name, value, events in found["groups"]} == {
        "a": (pytest.approx(7 / 3), 3), "b": (-8.0, 1), "=1+1": (0.5, 1),
    }
    assert found["groups"][0][0] == "a", "the one with most events first"
    assert found["lines"].keys() == {"a", "b", "=1+1"}
    for line in found["lines"].values():
        assert all((at - found["since"]) % found["step_ms"] == 0 for at, _ in line)
    assert (found["label"], found["unit"], found["decimals"], found["by"]) == ("Mean of Value", "", 3, "Name")
    assert found["since"] <= found["begin"] <= found["until"] <= found["as_of"] <= wall_clock()
    assert found["events"] == len(SIGNALS)


@pytest.mark.parametrize(
    ("show", "total"), [("count", 5), ("sum", -0.5), ("min", -8.0), ("max", 4.0), ("mean", -0.1), ("quantile", 1.0)]
)
def test_every_aggregate_is_answered(filled: FlaskClient, show: str, total: float) -> None:
    query = {"of": "signals", "show": show, "window": "1h"} | ({} if show == "count" else {"field": "value"})
    assert explore(filled, **query).get_json()["groups"] == [["all", pytest.approx(total), 5]]


def test_only_events_of_one_value_are_meant_where_the_address_says_so(filled: FlaskClient) -> None:
    query = {"of": "signals", "show": "sum", "field": "value", "where": "name", "is": "a", "window": "1h"}
    assert explore(filled, **query).get_json()["groups"] == [["all", 7.0, 3]]
    assert explore(filled, **query | {"is": "=1+1"}).get_json()["groups"] == [["all", 0.5, 1]]
    assert explore(filled, **query | {"is": "nobody"}).get_json()["events"] == 0
    rows = list(csv.DictReader(io.StringIO(explore(filled, **query, format="csv").get_data().decode("utf-8-sig"))))
    assert sum(int(row["events"]) for row in rows) == 3
    question = asked(query)
    assert title_of(question) == "Sum of Value · signals, where Name is a"
    assert (question.asked()["where"], question.asked()["is"]) == ("name", "a"), "a link holds it"
    assert ("Only where", "name is a") in facts_of(question, question.interval(NOW))


@pytest.mark.parametrize(
    ("where", "is_", "passes"),
    [("origin", "EWR", True), ("distance_mi", "200", True), ("distance_mi", "2e2", False), ("on_time", "no", True),
     ("on_time", "1", False)],
)  # fmt: skip
def test_a_value_is_read_as_its_field_has_it(where: str, is_: str, passes: bool) -> None:
    question = asked({"of": "flights", "show": "count", "where": where, "is": is_})
    assert bool(question.chosen()) is passes
    assert [one.parameter for one in question.problems] == [] if passes else ["is"]
    if passes:
        value = {"EWR": "EWR", "200": 200, "no": False}[is_]
        assert question.aggregation().conditions == (question.chosen()[0],)
        assert question.chosen()[0].value == value


def test_a_channels_own_condition_holds_for_what_is_asked_of_its_events(filled: FlaskClient) -> None:
    assert explore(filled, of="signals.newest", show="count").get_json()["events"] == len(SIGNALS)
    long_delays = find(DECLARATIONS, "flights.long_delays", everything)
    assert long_delays is not None
    assert [one.describe() for one in long_delays.conditions] == ["status is departed and delay_min ≥ 60"]


def test_an_answer_is_taken_away_as_it_is_shown_with_its_stamp(filled: FlaskClient) -> None:
    query = {"of": "signals", "show": "max", "field": "value", "by": "name", "window": "5min", "as": "table"}
    answer = explore(filled, **query, format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert {row["name"]: (row["max_value"], row["events"]) for row in rows} == {
        "a": ("4.0", "3"), "b": ("-8.0", "1"), "'=1+1": ("0.5", "1"),
    }
    assert {row["stamp_channel"] for row in rows} == {"signals"}
    assert all(int(row["stamp_event_age_ms"]) >= 0 and row["stamp_exported_at"].endswith("Z") for row in rows)
    assert all(row["window_start"] < row["window_end"] for row in rows)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="explore-signals-')
    chart = {**query, "as": "chart", "show": "count", "field": "", "by": ""}
    body = explore(filled, **chart, format="parquet").get_data()
    table = read_parquet(io.BytesIO(body)).read_all()
    assert sum(table.column("events").to_pylist()) == len(SIGNALS)
    assert table.column_names[:3] == ["window_start", "window_end", "events"]


def test_progress_comes_before_the_answer(filled: FlaskClient) -> None:
    body = explore(filled, of="signals", show="count", progress="1").get_data()
    heads = []
    while body:
        head, _, rest = body.partition(b"\n")
        heads.append(json.loads(head))
        part, body = rest[: heads[-1]["bytes"]], rest[heads[-1]["bytes"] :]
    assert heads[-1]["done"]
    assert json.loads(part)["events"] == len(SIGNALS)
    assert [head["until"] for head in heads] == sorted(head["until"] for head in heads)


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ({"of": "nothing"}, 404, "of: 'nothing': no channel or feed of that name; there are "),
        ({"of": "probe"}, 404, "of: 'probe': no channel or feed"),
        ({}, 400, "of: '': name a channel or a feed"),
        ({"of": "signals", "show": "median"}, 400, "show: 'median': give one of count, rate, sum, mean, min, max, q"),
        ({"of": "signals", "show": "mean", "field": "name"}, 400, "field: 'name': give one of value"),
        ({"of": "signals", "show": "count", "field": "value"}, 400, "field: 'value': count is of whole events"),
        ({"of": "signals", "show": "quantile", "field": "value", "q": "95"}, 400, "q: '95': give a rank between 0 and"),
        ({"of": "signals", "show": "count", "by": "value"}, 400, "by: 'value': give one of name, text"),
        ({"of": "signals", "show": "count", "where": "value", "is": "1"}, 400, "where: 'value': give one of name"),
        ({"of": "signals", "show": "count", "where": "name"}, 400, "is: '': name is compared with it: give a value"),
        ({"of": "signals", "show": "count", "is": "a"}, 400, "is: 'a': no field is named by where: leave it out"),
        ({"of": "signals", "show": "count", "window": "2h"}, 400, "window: '2h': give one of 5min, 1h, 6h, 24"),
        ({"of": "signals", "show": "count", "from": "noon"}, 400, "from: 'noon': give milliseconds since 1970"),
        ({"of": "signals", "show": "count", "to": "2026-01-01T00:00:00Z"}, 400, "Z': give from as well"),
        ({"of": "signals", "show": "count", "from": "200000", "to": "100"}, 400, "from: '200000': give a time befo"),
        ({"of": "signals", "show": "count", "from": "1000"}, 400, "from: '1000': give an interval of at most 366 days"),
        ({"of": "signals", "show": "count", "as": "pie"}, 400, "as: 'pie': give one of chart, table"),
        ({"of": "signals", "show": "count", "format": "xml"}, 400, "format: 'xml': give one of json, csv, parquet"),
        ({"of": "signals.values"}, 400, "show: 'declared': signals.values is live"),
        ({"of": "signals.values", "show": "mean"}, 400, "show: 'mean': give one of declared"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_answered_with_parameter_value_and_remedy(
    client: FlaskClient, query: dict[str, str], status: int, detail: str
) -> None:
    answer = explore(client, **query)
    assert answer.status_code == status
    assert detail in answer.get_json()["detail"]


def test_a_third_question_at_a_time_comes_again(web: Web, filled: FlaskClient) -> None:
    route: Any = web.server.view_functions["explore"]
    places = route.__self__.places
    assert places.acquire(blocking=False)
    assert places.acquire(blocking=False)
    answer = explore(filled, of="signals", show="count")
    assert (answer.status_code, answer.get_json()["error"]) == (429, "explore_busy")
    assert answer.headers["Retry-After"] == "5"
    places.release()
    places.release()
    assert explore(filled, of="signals", show="count").get_json()["events"] == len(SIGNALS)
    assert explore(filled, of="signals", show="count").status_code == 200, "each gave its place back"


def test_without_the_broker_the_answer_is_as_of_what_is_archived(
    web: Web, filled: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.broker import BrokerDown

    def down(*_: object) -> None:
        raise BrokerDown("away")

    monkeypatch.setattr(type(web.broker), "lane_progress", down)
    before = wall_clock()
    found = explore(filled, of="signals", show="count").get_json()
    assert found["events"] == len(SIGNALS)
    assert found["newest"] - 1_000 <= found["as_of"] <= before


# ---- whom it answers ----


def test_who_may_see_a_part_is_offered_and_answered_that_part_only(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def may(action: Action, name: str) -> bool:
        return name == "signals.newest"

    assert [one["name"] for one in sources(DECLARATIONS, may) if "part" not in one] == ["signals.newest"]
    problem = str(asked({"of": "signals"}, may).problems[0])
    assert problem == "of: 'signals': no channel or feed of that name; there are signals.newest"
    monkeypatch.setattr(Doors, "principal", lambda self: Principal("guest"))
    answer = explore(client, of="signals", show="count")
    assert (answer.status_code, answer.get_json()["error"]) == (404, "unknown_source")
    monkeypatch.setattr(Doors, "principal", lambda self: None)
    assert explore(client, of="signals", show="count").status_code == 401


def test_a_channel_of_aggregates_shows_no_single_events_and_a_part_only_its_own() -> None:
    declarations = Declarations.read([feeds])
    by_shop = find(declarations, "orders.by_shop", everything)
    assert by_shop is not None
    assert not by_shop.counts_events
    part = find(declarations, "orders.shop_board:north", everything)
    assert part is not None
    assert [one.describe() for one in part.conditions] == ["shop is north"]
    assert find(declarations, "orders", everything) is None, "it keeps no events"


# ---- the address, and the page ----

QUESTIONS = [
    {"of": "flights", "show": "count"},
    {"of": "flights", "show": "quantile", "field": "delay_min", "q": "0.95", "by": "carrier", "window": "30d",
     "as": "table", "refresh": "60"},
    {"of": "host", "show": "max", "field": "cpu_percent", "by": "kind", "from": "1799990000000", "to": "1799999000000"},
    {"of": "flights.delays", "show": "declared", "field": "mean_delay", "window": "24h"},
    {"of": "flights.delays", "show": "declared", "field": "mean_delay", "from": "1799990000000"},
    {"of": "flights.board", "show": "declared"},
    {"of": "flights.long_delays", "show": "rate", "by": "origin", "window": "7d"},
]


@pytest.mark.parametrize("query", QUESTIONS, ids=lambda query: "-".join(query.values()))
def test_an_address_and_its_question_are_the_same_there_and_back(query: dict[str, str]) -> None:
    question = asked(query)
    assert question.problems == ()
    assert query.items() <= question.asked().items()
    assert asked(question.asked()) == question


@pytest.fixture
def shown() -> ExplorePage:
    return explore_page(DECLARATIONS, lambda: everything, lambda: NOW)


def test_a_declared_channel_is_shown_by_the_live_block_of_its_kind(shown: ExplorePage) -> None:
    for of, kind in (("flights.delays", "chart"), ("flights.board", "table"), ("flights.long_delays", "log")):
        (block,) = [props(one) for one in every(shown.layout(of=of)) if "data-live" in props(one)]
        assert (block["className"], json.loads(block["data-live"])["channel"]) == (kind, of)


def test_an_answer_of_the_archive_has_a_place_a_definition_and_no_live_channel(shown: ExplorePage) -> None:
    layout = shown.layout(of="flights", show="mean", field="delay_min", by="origin")
    (block,) = [props(one) for one in every(layout) if "data-answer" in props(one)]
    told = json.loads(block["data-answer"])
    assert told["query"] == {"of": "flights", "show": "mean", "field": "delay_min", "by": "origin", "window": "1h"}
    assert not [one for one in every(layout) if "data-live" in props(one)]
    (badge,) = of_class(layout, "freshness")
    facts = dict(json.loads(props(badge)["data-facts"]))
    assert facts["Definition"] == "Mean of Delay of the events of feed flights, a line for each From"
    assert facts["Formula"].startswith("mean of Delay, over each window of 30 s, by event time")
    assert {"Unit", "Interval", "Window", "Source", "Kept", "Freshness"} <= facts.keys()
    assert "Recorded data, replayed: " in texts(layout)


def test_a_question_that_a_series_declares_leads_to_it() -> None:
    declarations = Declarations.read([shop])
    found = explore_page(declarations, lambda: everything, lambda: NOW)
    (note,) = of_class(found.layout(of="orders", show="sum", field="price"), "explore-live")
    words = "The same is declared, and so is live:  By minute: Turnover  (sum of Price, over each window of 1 min)"
    assert texts(note) == words
    (link,) = [props(one)["href"] for one in every(note) if "href" in props(one)]
    assert link == "?of=orders.minutes&show=declared&field=turnover"
    (live,) = [props(one) for one in every(found.layout(**dict(parse_qsl(link[1:])))) if "data-live" in props(one)]
    assert json.loads(live["data-live"])["channel"] == "orders.minutes"
    for other in ({"show": "mean", "field": "price"}, {"show": "sum", "field": "price", "by": "shop"}):
        assert of_class(found.layout(of="orders", **other), "explore-live") == []


def test_what_is_wrong_in_an_address_is_said_and_the_rest_is_shown(shown: ExplorePage) -> None:
    layout = shown.layout(of="flights.delays", window="2h", q="7", by="origin")
    (form,) = of_class(layout, "explore")
    assert json.loads(props(form)["data-explore"])["problems"] == [
        "q: '7': flights.delays is shown as it is declared: leave it out",
        "by: 'origin': flights.delays is shown as it is declared: leave it out",
        "window: '2h': give one of 5min, 10min, 1h, 6h, 24h, 7d, 30d",
    ]
    assert [one for one in every(layout) if "data-live" in props(one)]


def test_without_a_request_nothing_is_offered_and_a_team_may_have_a_page_of_its_own(settings: Settings) -> None:
    found = explore_page(DECLARATIONS, Doors(settings).may, lambda: NOW)
    (form,) = of_class(found.layout(), "explore")
    assert json.loads(props(form)["data-explore"])["sources"] == []
    own = page("Ours", "/explore", tile(feeds.Total.orders))
    assert with_explore((own,), found) == (own,)
    assert [one.path for one in with_explore(load_pages(DECLARATIONS), found)][-1] == "/explore"
