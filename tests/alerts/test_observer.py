"""What the observer sees in a real broker and a real database."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
import redis
from sqlalchemy import insert

from services.alerts.builtin import LOSS_SHOWN_MS
from services.alerts.channels import Channels
from services.alerts.gaps import Gaps
from services.alerts.observer import Observer
from services.alerts.rule import Rule, in_sight
from services.alerts.sight import Sight
from services.broker import caps
from services.contract.alerting import ThresholdRule
from services.database import Database
from services.database.tables import archive_gaps
from services.declare import Lane
from services.embedded import EmbeddedBroker
from services.positions import wall_clock
from services.telemetry import Telemetry
from tests.services.test_full_broker import set_memory
from tests.system import START_MS, System, order


def observer(system: System) -> Observer:
    return Observer(system.broker, system.declarations, ZoneInfo("UTC"), system.clock)


def publish(system: System, process: str, viewers: int, parked: int, painted_s: float) -> None:
    telemetry = Telemetry(process, "web", system.clock)
    telemetry.gauge("viewers", viewers)
    telemetry.gauge("parked_polls", parked)
    telemetry.observe("created_to_painted", painted_s)
    system.broker.write_telemetry(process, telemetry.payload())


def test_viewers_of_all_webs_and_how_old_values_are_when_painted(system: System) -> None:
    publish(system, "web-1", 30, 2, 3.1)
    publish(system, "web-2", 10, 0, 3.1)
    sight = observer(system).look()
    assert sight.viewers == 42
    assert sight.effect(None, START_MS) == "live tiles delayed by 3.1 s for 42 viewers since 22:13"


def test_a_web_that_has_said_nothing_for_a_while_has_no_viewers(system: System) -> None:
    publish(system, "web-1", 30, 0, 0.1)
    system.now_ms += 11_000
    sight = observer(system).look()
    assert sight.viewers is None
    assert "how many viewers are connected is not known" in sight.effect(None, START_MS)


def test_lanes_memory_and_whether_somebody_evaluates_alerts(system: System) -> None:
    system.post([order(1)])
    system.drain()
    eyes = observer(system)
    sight = eyes.look()
    assert all(sight.is_led(said) for said in sight.lanes.values())
    assert 0 < sight.memory_share < 0.8
    assert sight.unwatched_since == system.now_ms
    system.broker.present("contract", "worker-1", 1)
    assert eyes.look().unwatched_since == 0


def test_a_threshold_reads_the_channel_as_viewers_see_it(system: System) -> None:
    rule = ThresholdRule("dear", "orders.total", "orders", None, 1.0, None, 0, "major", "too many orders", 1)
    channels = Channels(system.broker, system.declarations, [rule], 0)
    sight = observer(system).look()
    assert list(channels.look(sight)) == []  # nothing there yet
    system.post([order(1), order(2)])
    system.drain()
    (found,) = channels.look(sight)
    assert found.key == "threshold:dear"
    assert found.channel == "orders.total"
    assert "over 1, now 2: too many orders" in found.text


def test_a_gap_that_the_archive_recorded_is_found_for_a_while(system: System, each_database: Database) -> None:
    at = START_MS
    row = {"feed": "orders", "channel": "", "since": at - 9_000, "until": at, "reason": "shed", "recorded_at": at}
    with each_database.writing() as connection:
        connection.execute(insert(archive_gaps), [{**row, "events": 500}, {**row, "events": 1, "recorded_at": at + 1}])
        connection.execute(insert(archive_gaps), {**row, "channel": "orders.total", "events": 0})
    gaps = Gaps(each_database)
    (found,) = gaps.look(Sight(at + 2, ZoneInfo("UTC")))
    assert found.text == "archive lacks 501 events of orders since 22:13; live values are complete"
    assert list(gaps.look(Sight(at + 2 + LOSS_SHOWN_MS, ZoneInfo("UTC")))) == []


def keys(system: System, rules: Sequence[Rule]) -> list[str]:
    """What the rules find in a look at the real broker."""
    sight = observer(system).look()
    return [found.key for rule in rules for found in rule.look(sight)]


def test_a_broker_whose_memory_runs_full_is_told(own_broker: EmbeddedBroker) -> None:
    system = System(own_broker.url)
    system.drain()
    assert keys(system, in_sight()) == []
    set_memory(own_broker, 10_000)
    assert keys(system, in_sight()) == ["broker:full"]
    system.close()


def test_a_lane_that_reached_its_hard_cap_is_told(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = in_sight()
    monkeypatch.setattr(caps, "STREAM_LIMIT_BYTES", 20_000)
    system.drain()
    redis.Redis.from_url(system.url).xgroup_create("hw:{orders.0}:events", "archive", id="0", mkstream=True)
    assert keys(system, rules) == []
    for number in range(200):
        system.post([order(number, note="x" * 150)])
    for _ in range(3):
        system.now_ms += 1_000  # progress is told once a second
        system.drain()
    assert keys(system, rules) == ["shed:orders.0"]


def test_a_backlog_that_waits_for_too_long_is_told_while_the_lane_has_a_worker(system: System) -> None:
    system.now_ms = wall_clock()  # entries of a stream carry the broker's own time
    system.drain()
    system.post([order(1), order(2)])
    found = []
    for _ in range(4):
        system.now_ms += 10_000
        system.broker.report_progress(Lane("orders", 0), START_MS, "e", (0, 0))
        found.append(keys(system, in_sight()))
    assert found == [[], [], [], ["backlog:orders.0"]]
