"""Recorded over HTTP: the frames of an interval as a replay takes them, and clear refusals."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.app.test_past import filled, signals_channel

__all__ = ["filled"]


def route(channel: str) -> str:
    return f"/api/channels/{channel}/recorded"


def test_the_frames_lead_to_what_a_snapshot_shows(filled: FlaskClient) -> None:
    channel = signals_channel()
    snapshot = filled.get(f"/api/channels/{channel}/snapshot").get_json()
    at = snapshot["times"]["processed"]
    body: dict[str, Any] = filled.get(f"{route(channel)}?since={at + 1}").get_json()
    (first,) = body["frames"]
    same = ("op", "channel", "kind", "epoch", "seq", "keep", "data")
    assert {name: first[name] for name in same} == {name: snapshot[name] for name in same}
    assert (body["how"], body["recorded"], body["gaps"]) == ("recorded", False, [])
    assert body["complete_until"] == body["until"]


def test_a_part_that_follows_a_known_position_comes_without_the_state(filled: FlaskClient) -> None:
    channel = signals_channel()
    snapshot = filled.get(f"/api/channels/{channel}/snapshot").get_json()
    at, after = snapshot["times"]["processed"] + 1, f"{snapshot['epoch']}:{snapshot['seq']}"
    assert filled.get(f"{route(channel)}?since={at}&after={after}").get_json()["frames"] == []


def test_an_interval_without_length_is_the_state_alone(filled: FlaskClient) -> None:
    at = filled.get(f"/api/channels/{signals_channel()}/snapshot").get_json()["times"]["processed"] + 1
    body: dict[str, Any] = filled.get(f"{route(signals_channel())}?since={at}&until={at}").get_json()
    assert [(frame["op"], len(frame["data"]["rows"])) for frame in body["frames"]] == [("snapshot", 3)]
    assert body["since"] == body["until"] == body["complete_until"]


def test_before_anything_was_kept_there_is_nothing_to_replay(filled: FlaskClient) -> None:
    body: dict[str, Any] = filled.get(f"{route(signals_channel())}?since=2020-01-01T00:00:00Z").get_json()
    assert [(frame["op"], frame["seq"]) for frame in body["frames"]] == [("snapshot", 0)]
    assert body["kept_since"] > body["until"]


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ("", "since: missing; give the time at which the replay begins"),
        ("since=yesterday", "since: 'yesterday': give milliseconds since 1970 in UTC"),
        ("since=2000&until=1000", "since: 2000 is after until: 1000"),
        ("since=9999999999999", "since: 9999999999999 is in the future"),
        ("since=1000&after=x", "after: 'x': give <epoch>:<seq>"),
    ],
)
def test_a_wrong_question_is_answered_with_the_remedy(filled: FlaskClient, asked: str, detail: str) -> None:
    answer = filled.get(f"{route(signals_channel())}?{asked}")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_interval")
    assert detail in answer.get_json()["detail"]


def test_a_channel_that_one_may_not_know_is_unknown(filled: FlaskClient) -> None:
    answer = filled.get(route("signals.nothing"))
    assert (answer.status_code, answer.get_json()["error"]) == (404, "unknown_channel")
