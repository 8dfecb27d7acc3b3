"""The standing: how the contract stands now, and what is left of it when everything else is down."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from services.alerts.incident import Incident
from services.contract.moments import day_begins
from services.database import Database
from services.measurement.ledger import SETTLED_AFTER_MS
from services.measurement.minutes import MINUTE_MS, Minute
from services.report.board import LastKnown, StandingRegister
from services.report.history import History
from services.report.keeping import StandingKeeper
from services.report.report import Facts, Window
from services.report.standing import Standing, make_standing
from tests.services.agreed import AGREED, ZONE, Even

BEGAN = day_begins(ZONE, date(2026, 11, 1))
NOON = round(datetime(2026, 11, 18, 12, tzinfo=ZONE).timestamp() * 1000)


def incident(severity: str = "major", resolved_at: int = 0) -> Incident:
    return Incident(
        5, severity, "board-latency", "worker", "lane flights.0 on host-17 lost", NOON - 600_000, NOON - 590_000, 0, 0,
        resolved_at, "provider", "Ada",
    )  # fmt: skip


def standing(ledger: Even, *incidents: Incident, now: int = NOON) -> Standing:
    history = History(AGREED, ledger)
    history.step(now)
    return make_standing(AGREED, history, incidents, (), now)


def bad(*minutes: int) -> dict[str, dict[int, Minute]]:
    return {"board-latency": {at: Minute(at, 0, 10) for at in minutes}}


def test_a_standing_holds_each_objectives_figures_over_its_own_window_to_the_digit() -> None:
    missed = [NOON - 86_400_000 + n * MINUTE_MS for n in range(10)]  # yesterday, 10 minutes of 10 events
    found = standing(Even({"board-latency": 10}, bad(*missed), since=BEGAN)).objectives[0]
    counted = 10 * (17 * 1440 + 720)  # 1 to 17 November, and half of the 18th
    assert found.share == 1 - 100 / counted
    assert found.budget_left == pytest.approx(1 - 100 / (0.05 * counted))
    assert (found.minutes_down, found.verdict, found.window) == (10, "met", "this period")
    assert [(day.day, day.down) for day in found.days[-2:]] == [("2026-11-17", 10), ("2026-11-18", 0)]


def test_burn_rates_are_those_of_one_hour_six_hours_and_three_days() -> None:
    missed = [NOON - (n + 1) * MINUTE_MS for n in range(30)]  # half an hour, until now
    found = standing(Even({"board-latency": 10}, bad(*missed), since=BEGAN), now=NOON + SETTLED_AFTER_MS).objectives[0]
    assert found.burns == pytest.approx((0.5 / 0.05, (30 / 360) / 0.05, (30 / 4320) / 0.05))
    assert found.now == "missed"


def test_the_state_is_that_of_open_incidents_and_of_the_last_five_minutes() -> None:
    good = Even({"board-latency": 10}, since=BEGAN)
    late = Even({"board-latency": 10}, bad(NOON - MINUTE_MS, NOON - 2 * MINUTE_MS), since=BEGAN)
    assert standing(good).state == "normal"
    assert standing(good, incident()).state == "disturbed"
    assert standing(good, incident("critical")).state == "down"
    assert standing(good, incident("critical", resolved_at=NOON - 1)).state == "normal"
    assert standing(late).state == "disturbed"
    assert standing(Even({})).state == "unknown"


def test_minutes_without_data_are_told_as_such() -> None:
    gone = {NOON - n * MINUTE_MS: Minute(NOON - n * MINUTE_MS, 0, 1, no_data=True) for n in range(1, 7)}
    found = standing(Even({"board-latency": 10}, {"board-latency": gone}, since=BEGAN))
    assert (found.objectives[0].now, found.state) == ("no data", "disturbed")


def test_nothing_private_stands_in_it() -> None:
    text = standing(Even({"board-latency": 10}, since=BEGAN), incident()).encoded().decode()
    for private in ("host-17", "Ada", "lane", "operations@provider.example", "it@client.example"):
        assert private not in text


def test_what_is_written_is_read_as_it_was(each_database: Database) -> None:
    made = standing(Even({"board-latency": 10}, since=BEGAN), incident())
    register = StandingRegister(each_database)
    assert register.read() is None
    register.write(made)
    register.write(made)
    assert register.read() == made


def test_the_last_known_standing_outlives_the_database_and_the_process(database: Database, tmp_path: Path) -> None:
    made = standing(Even({"board-latency": 10}, since=BEGAN))
    StandingRegister(database).write(made)
    known = LastKnown(StandingRegister(database), tmp_path / "own" / "standing.json")
    known.look()
    assert known.standing == made
    nowhere = StandingRegister(Database("postgresql://nobody@127.0.0.1:1/none"))
    again = LastKnown(nowhere, tmp_path / "own" / "standing.json")
    again.look()
    assert again.standing == made


def test_a_file_of_another_release_is_as_good_as_none(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "standing.json"
    file.write_text('{"at": 1, "of": "another release"}')
    assert LastKnown(StandingRegister(database), file).standing is None


def test_a_day_whose_exclusion_was_confirmed_later_is_corrected_in_turn(database: Database) -> None:
    ledger = Even({"board-latency": 10}, bad(NOON - 86_400_000), since=BEGAN)
    facts = Facts(AGREED, {}, {}, (), (Window(NOON, NOON + 1, "x", "", "refused", counted=False),), lambda *_: 0.0)
    keeper = StandingKeeper(AGREED, ledger, lambda *_: facts, StandingRegister(database), lambda: NOON)
    keeper.step()
    before = StandingRegister(database).read()
    ledger.given["board-latency"].clear()  # type: ignore[attr-defined]
    for _ in range(90):
        keeper.step()
    after = StandingRegister(database).read()
    assert before is not None
    assert after is not None
    assert (before.objectives[0].minutes_down, after.objectives[0].minutes_down) == (1, 0)
    assert after.windows == ()
