"""A choice on the server: what the document of a page names, and the values that one may choose from."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from app.doors import Doors
from app.factory import Web
from app.loading import load_declarations
from services.accounts import Principal, can
from services.processor import Processor
from services.telemetry import Telemetry
from tests.app.conftest import KEY

PARTS = "/api/channels/flights.board_by_origin/parts"
JFK = Principal("jfk", channels=("flights.*_by_origin:JFK",))


@pytest.fixture
def flown(web: Web, client: FlaskClient) -> FlaskClient:
    """A client of a web that saw flights from two airports."""
    for origin in ("JFK", "EWR"):
        record = {
            "leg": f"X1/{origin}", "flight": "X1", "carrier": "X", "airline": "X Air", "origin": origin,
            "destination": "BOS", "destination_name": "Boston", "status": "departed", "delay_min": 5.0,
            "distance_mi": 10, "scheduled": "01-01 00:00", "simulated_at": 1_700_000_000_000,
        }  # fmt: skip
        answer = client.post("/api/ingest/flights", json=record, headers={"Authorization": f"Bearer {KEY}"})
        assert answer.get_json()["accepted"] == 1, answer.get_json()
    Processor(web.broker, load_declarations(), Telemetry("test", "worker"), worker="w").drain()
    return client


def named(client: FlaskClient, path: str) -> list[str]:
    """The channels that a page's document names."""
    found = re.search(r'name="headwater-channels" content="([^"]*)"', client.get(path).get_data(as_text=True))
    assert found is not None
    channels: list[str] = json.loads(unescape(found[1]))
    return channels


def test_the_values_are_those_of_which_there_was_an_event(flown: FlaskClient) -> None:
    assert flown.get(PARTS).get_json() == {
        "channel": "flights.board_by_origin",
        "field": "origin",
        "parts": ["EWR", "JFK"],
    }


def test_who_may_see_one_part_learns_of_no_other(flown: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Doors, "principal", lambda self: JFK)
    assert flown.get(PARTS).get_json()["parts"] == ["JFK"]
    board = "/api/channels/flights.board"
    assert list(flown.get(f"{board}_by_origin:JFK/snapshot").get_json()["data"]["rows"]) == ["X1/JFK"]
    for unseen in (f"{board}_by_origin:EWR", board):
        for what in ("snapshot", "history", "export"):
            assert flown.get(f"{unseen}/{what}").get_json()["error"] == "unknown_channel"
    monkeypatch.setattr(Doors, "principal", lambda self: Principal("guest"))
    assert flown.get(PARTS).status_code == 404


@pytest.mark.parametrize("name", ["flights.nothing", "flights.board"])
def test_what_is_not_kept_in_parts_has_none(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/api/channels/{name}/parts")
    assert (answer.status_code, answer.get_json()["error"]) == (404, "unknown_channel")


def test_a_document_names_the_channels_of_what_is_chosen(client: FlaskClient) -> None:
    """The first values are those of the choice: nobody sees the others before."""
    chosen = named(client, "/?origin=EWR")
    assert "flights.last_hour_by_origin:EWR" in chosen
    assert not {"flights.last_hour", "flights.board", "flights.hourly", "flights.long_delays"} & set(chosen)
    assert "flights.last_hour" in named(client, "/") == named(client, "/?origin=") == named(client, "/?carrier=AA")


def test_channels_that_one_may_see_are_seen_and_nothing_else() -> None:
    assert can(JFK, "view", "flights.board_by_origin:JFK")
    assert can(JFK, "history", "flights.board_by_origin:JFK")
    for name in ("flights.board_by_origin:EWR", "flights.board", "signals.newest"):
        assert not can(JFK, "view", name)
    assert not can(JFK, "ingest", "flights.board_by_origin:JFK")
    assert not can(JFK, "admin", "flights.board_by_origin:JFK")
