"""Enrichment: a feed's own functions run on each event once, in order, and what they remember survives any takeover."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater import Anomaly, Feed, Freshness, Http, Number, Remembering, Text, joined
from services.broker import MEMORY, Broker, leading
from services.declare import DeclarationError, Lane
from services.declare.enrich import score
from services.enrichment import Enrichment, EnrichmentFailed
from tests.services import enriched
from tests.system import START_MS, System
from tests.waiting import wait_until

LANE = Lane("readings", 0)


@pytest.fixture
def readings(broker_url: str) -> Any:
    system = System(broker_url, enriched)
    yield system
    system.close()


def reading(number: int, value: float, *, sensor: str = "a", **more: Any) -> dict[str, Any]:
    return {"id": f"r{number:04}", "created_at": START_MS - 1_000, "sensor": sensor, "value": value, **more}


def event(number: int, value: float, **more: Any) -> dict[str, Any]:
    return {**reading(number, value, **more), "ingested_at": START_MS}


# Without a broker --------------------------------------------------------------------------------------


def test_the_steps_map_filter_join_and_score_in_their_order() -> None:
    enrichment = Enrichment(enriched.Readings.declaration)
    found = enrichment.passed(event(1, 20.0))
    assert found is not None
    assert (found["kelvin"], found["hall"], found.get("unusual")) == (293.15, "North", None)
    assert enrichment.passed(event(2, -300.0)) is None  # below absolute zero is left out
    assert "hall" not in (enrichment.passed(event(3, 20.0, sensor="unknown")) or {"hall": 1})


def test_what_is_unusual_stands_out_against_what_came_before_in_its_own_group() -> None:
    enrichment = Enrichment(enriched.Readings.declaration)
    chance = random.Random(7)
    for number in range(50):
        calm = enrichment.passed(event(number, 20 + chance.gauss(0, 1)))
        enrichment.passed(event(1_000 + number, 500.0, sensor="b"))
    assert calm is not None
    assert abs(calm["unusual"]) < 3.5
    loud = enrichment.passed(event(50, 60.0))
    assert loud is not None
    assert loud["unusual"] > 20
    steady = enrichment.passed(event(2_000, 500.1, sensor="b"))
    assert steady is not None
    assert steady["unusual"] == 100.0  # all before were equal


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.floats(-1e6, 1e6))
def test_the_score_is_the_distance_to_the_median_in_robust_deviations(before: list[float], value: float) -> None:
    found = score(value, before)
    middle = median(before)
    spread = median([abs(one - middle) for one in before]) * 1.4826
    assert -100 <= found <= 100
    assert found * (value - middle) >= 0
    assert found != 0 or abs(value - middle) < 1e-9
    if spread > 0 and abs((value - middle) / spread) < 100:
        assert found == pytest.approx((value - middle) / spread)


def test_a_step_that_fails_changes_nothing_of_what_an_earlier_one_remembers() -> None:
    one, other = Enrichment(enriched.Readings.declaration), Enrichment(enriched.Readings.declaration)
    for number in range(20):
        if number % 3 == 0:
            with pytest.raises(EnrichmentFailed, match="strict: ValueError: thirteen"):
                one.passed(event(number, 13.0))
        one.passed(event(number, float(number % 5)))
        other.passed(event(number, float(number % 5)))
    assert one.take()[0] == other.take()[0]


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        ({"sensor": "other"}, "sensor: it says what and when the event is"),
        ({"created_at": 1}, "created_at: it says"),
        ({"kelvn": 1.0}, "kelvn: the feed does not declare it"),
        ({"kelvin": "warm"}, "kelvin: str 'warm'; send a number"),
        ({"kelvin": float("nan")}, "kelvin: nan"),
        ({"value": None}, "value: the feed requires it"),
        (["kelvin"], "gives list; give the fields to set"),
    ],
)
def test_what_a_step_gives_is_checked_as_what_a_sender_sends(gives: Any, said: str) -> None:
    class Odd(Feed, name="odd", key="sensor", source=Http(), freshness=enriched.RULE, enrich=[lambda _: gives]):
        """Whatever it gives."""

        sensor = Text()
        value = Number()
        kelvin = Number(required=False)

    with pytest.raises(EnrichmentFailed, match=said):
        Enrichment(Odd.declaration).passed(event(1, 2.0))


def test_a_personal_value_stands_in_no_failure() -> None:
    def leak(found: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ValueError(f"cannot read {found['name']}")

    class People(Feed, name="people", key="badge", source=Http(), freshness=enriched.RULE, enrich=[leak]):
        """Who came in."""

        badge = Text()
        name = Text(personal=True)

    with pytest.raises(EnrichmentFailed) as failed:
        Enrichment(People.declaration).passed({"badge": "7", "name": "Ada Lovelace"})
    assert "Lovelace" not in str(failed.value)
    assert "leak: ValueError" in str(failed.value)
    assert "in leak" in str(failed.value)


def test_a_table_may_be_a_file_and_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "airlines.csv").write_text("code,name\nLH,Lufthansa\nUA,United\n")
    (tmp_path / "airlines.json").write_text('[{"code": "LH", "name": "Lufthansa"}]')
    for name in ("airlines.csv", "airlines.json"):
        step = joined(tmp_path / name, on="sensor", take={"hall": "name"}, key="code")
        assert step.problem(enriched.Readings.declaration) is None
        assert step({"sensor": "LH"}) == {"hall": "Lufthansa"}
        assert step({"sensor": "XX"}) == {}
        assert step.describe() == f"hall of {name} by sensor"


class Bad(Remembering):
    """By a field that is not there."""

    by = "nowhere"

    def step(self, event: Mapping[str, Any], memory: Any) -> tuple[Mapping[str, Any] | None, Any]:
        return {}, memory

    def signature(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("no function", r"enrich\[0\].*give a function of an event"),
        (Bad(), r"enrich\[0\].*by: name a field of"),
        (Anomaly("value", into="missing"), "declare it as a Number that is not required"),
        (Anomaly("value", into="unusual", window=5), "give 2 <= least <= window"),
        (Anomaly("sensor", into="unusual"), "sensor: name a Number or Integer field"),
        (joined({}, on="sensr", take={}), "on='sensr': name a field of"),
        (joined("/nowhere/table.csv", on="sensor", take={"hall": "name"}), "No such file"),
        (joined({"a": {"name": "North"}}, on="sensor", take={"hall": "nam"}), "no row has nam"),
        (joined({"a": {"name": "North"}}, on="sensor", take={"value": "name"}), "a field that is not required"),
    ],
)
def test_a_step_that_cannot_be_meant_is_refused_at_its_declaration(step: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):

        class Odd(Feed, name="odd", key="sensor", source=Http(), freshness=enriched.RULE, enrich=[step]):
            """Wrong."""

            sensor = Text()
            value = Number()
            hall = Text(required=False)
            unusual = Number(required=False)


# In the processor ---------------------------------------------------------------------------------------


def test_channels_show_the_enriched_events_and_what_is_left_out_is_counted(readings: System) -> None:
    readings.post([reading(1, 20.0), reading(2, -300.0), reading(3, 21.0)], "readings")
    readings.drain()
    assert readings.data("readings.newest")["rows"]["a"]["hall"] == "North"
    assert [entry["value"] for entry in readings.data("readings.entries")["entries"]] == [20.0, 21.0]
    told = readings.broker.lane_progress([LANE])[LANE]
    assert (told.processed, told.filtered, told.quarantined, told.backlog) == (3, 1, 0, 0)


def test_a_feed_whose_events_are_all_left_out_is_not_silent(readings: System) -> None:
    readings.post([reading(1, -300.0)], "readings")
    readings.drain()
    told = readings.broker.lane_progress([LANE])[LANE]
    assert (told.event_at, told.ingested_at) == (START_MS - 1_000, START_MS)


def test_an_event_that_a_step_fails_on_is_in_quarantine_with_its_traceback_and_the_rest_goes_on(
    readings: System,
) -> None:
    readings.post([reading(1, 20.0), reading(2, 13.0), reading(3, 21.0)], "readings")
    readings.drain()
    [held] = readings.broker.quarantined(LANE, 10)
    assert held.event["id"] == "r0002"
    assert held.why.startswith("strict: ValueError: thirteen")
    assert held.why.count("File ") == 1  # the step's own line, and nothing of what called it
    assert "enriched.py" in held.why
    assert 'raise ValueError("thirteen")' in held.why
    assert [entry["value"] for entry in readings.data("readings.entries")["entries"]] == [20.0, 21.0]


def taken_over(system: System, worker: str) -> System:
    """Another worker takes the lane: from here on what is remembered is what was committed."""
    system.processor.hand_over()
    system.processor = system.new_processor(worker)
    return system


VALUES = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([1.0, 2.0, 2.5, 40.0, -300.0, 13.0])), max_size=40)


@given(values=VALUES, cuts=st.lists(st.integers(1, 10), min_size=1, max_size=6), seed=st.integers(0, 2**20))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_the_events_are_cut_and_whoever_folds_them_the_values_are_the_same(
    broker_url: str, values: list[tuple[str, float]], cuts: list[int], seed: int
) -> None:
    expected = Enrichment(enriched.Readings.declaration)
    records = [reading(number, value, sensor=sensor) for number, (sensor, value) in enumerate(values)]
    wanted = []
    for record in records:
        try:
            found = expected.passed({**record, "ingested_at": START_MS})
        except EnrichmentFailed:
            continue
        wanted += [] if found is None else [found.get("unusual")]
    client = Broker(broker_url)
    client._redis.flushall()
    system, chance, at = System(broker_url, enriched), random.Random(seed), 0
    while at < len(records):
        size = chance.choice(cuts)
        system.post(records[at : at + size], "readings")
        at += size
        system.drain()
        if chance.random() < 0.4:
            taken_over(system, f"worker-{at}")
    entries = system.data("readings.entries")["entries"] if records else []
    assert [entry.get("unusual") for entry in entries] == wanted[-len(entries) :] if entries else not wanted
    assert len(entries) == len(wanted)
    client.close()
    system.close()


def test_a_commit_that_never_came_is_folded_again_from_what_was_remembered_before_it(
    readings: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "LEASE_TTL_MS", 1_000)  # of a worker that dies
    for number in range(12):
        readings.post([reading(number, float(number % 3))], "readings")
    readings.drain()
    before = readings.broker.read_memory(LANE)
    readings.post([reading(100, 50.0)], "readings")
    readings.processor._read(0)  # folded by a worker that dies before its commit
    readings.processor._drop_all()
    assert readings.broker.read_memory(LANE) == before
    readings.processor = readings.new_processor("worker-2")

    def folded() -> list[Any]:
        readings.drain()
        return [entry for entry in readings.data("readings.entries")["entries"] if entry["value"] == 50.0]

    [last] = wait_until(folded, what="the event, once the lease of the dead ran out")
    assert last["unusual"] == pytest.approx(score(50.0, [float(number % 3) for number in range(12)]))
    assert orjson.loads(readings.broker.read_memory(LANE)["3:a"])[-1] == 50.0


def test_a_memory_that_means_something_else_begins_anew(readings: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        readings.post([reading(number, 1.0)], "readings")
    readings.drain()
    assert readings.broker.read_memory(LANE)
    step = next(one for one in enriched.Readings.declaration.enrich if isinstance(one, Anomaly))
    monkeypatch.setattr(step, "window", 50)
    taken_over(readings, "worker-2").drain()
    assert readings.broker.read_memory(LANE) == {}
    assert MEMORY not in readings.declarations.channels


def test_a_group_too_many_goes_into_quarantine(broker_url: str) -> None:
    class Many(
        Feed, name="many", key="sensor", source=Http(), freshness=Freshness(1, 2, 3),
        enrich=[Anomaly("value", into="unusual", groups_max=2)],
    ):
        """Of many sensors."""

        sensor = Text()
        value = Number()
        unusual = Number(required=False)

    enrichment = Enrichment(Many.declaration)
    for sensor in ("a", "b", "a"):
        enrichment.passed(event(1, 1.0, sensor=sensor))
    with pytest.raises(EnrichmentFailed, match="2 groups are remembered already; raise groups_max"):
        enrichment.passed(event(1, 1.0, sensor="c"))
    assert enrichment.forget("a")
    enrichment.passed(event(1, 1.0, sensor="c"))
    cells, dropped = enrichment.take()
    assert (sorted(cells), dropped) == (["0:b", "0:c"], ["0:a"])

