"""Kept: what was measured reaches the database once, and an hour that is closed never changes."""

from __future__ import annotations

import pytest

from services.broker import Broker
from services.database import Database
from services.measurement.collecting import Closer, Collector
from services.measurement.kept import CLOSED_AFTER_MS, HOUR_MS, Kept, closes_at
from services.measurement.ledger import Ledger
from services.measurement.raw import ProbeSample
from services.measurement.sampling import Sampler
from services.sheets import MINUTE_MS, Key
from services.telemetry import Telemetry
from tests.services.measured import START, objective, own, probe, sheet, viewed
from tests.system import System, order

LATENCY = objective("latency", "gateway")
AVAILABILITY = objective("availability", "probe", channel=None)
PAINTED = objective("latency", "browser")
OBJECTIVES = (LATENCY, AVAILABILITY, PAINTED)


def fill(kept: Kept, minutes: int = 60, slow: float = 5.0) -> None:
    """An hour as it is received; every tenth minute is missing."""
    for at in (START + n * MINUTE_MS for n in range(minutes) if n % 10 != 3):
        lines = own(ingested_to_sent=[0.1, 0.2, slow]) | viewed("created_to_painted", [0.3, 0.7], [0.11], [1.2])
        kept.add_sheets([(at + MINUTE_MS, sheet("web", lines, at).encoded())])
        kept.add_probes([probe(0.25, at + 10), probe(None, at + 20)], at + MINUTE_MS)


def close(kept: Kept, now: int) -> None:
    Closer(kept, OBJECTIVES, 30, lambda: now).step()


def ledger(kept: Kept, now: int = START + 3 * HOUR_MS, *, closed: bool = True) -> Ledger:
    return Ledger(kept, rolled_up=kept if closed else None, clock=lambda: now)


def test_minutes_read_from_closed_hours_are_those_measured_again_to_the_digit(each_database: Database) -> None:
    kept = Kept(each_database)
    fill(kept)
    close(kept, START + HOUR_MS + CLOSED_AFTER_MS)
    for one in OBJECTIVES:
        assert set(kept.hours(one, START, START + HOUR_MS)) == {START}
        whole = START, START + HOUR_MS
        assert ledger(kept).minutes(one, *whole) == ledger(kept, closed=False).minutes(one, *whole)


def test_a_closed_hour_never_changes_and_what_comes_after_it_counts_nowhere(each_database: Database) -> None:
    kept = Kept(each_database)
    fill(kept)
    close(kept, closes_at(START))
    before = ledger(kept).minutes(LATENCY, START, START + HOUR_MS)
    missing = START + 3 * MINUTE_MS
    kept.add_sheets([(closes_at(START), sheet("web", own(ingested_to_sent=[0.1]), missing).encoded())])
    close(kept, closes_at(START) + MINUTE_MS)
    assert ledger(kept).minutes(LATENCY, START, START + HOUR_MS) == before
    assert ledger(kept, closed=False).minutes(LATENCY, START, START + HOUR_MS) == before
    assert before[3].no_data


def test_a_sheet_that_comes_before_its_hour_is_closed_counts(each_database: Database) -> None:
    kept = Kept(each_database)
    fill(kept, minutes=3)
    now = START + 10 * MINUTE_MS
    ways = ledger(kept, now)
    assert [one.no_data for one in ways.minutes(LATENCY, START, now)][:5] == [False, False, False, True, True]
    kept.add_sheets([(now, sheet("web", own(ingested_to_sent=[0.1]), START + 3 * MINUTE_MS).encoded())])
    assert [one.no_data for one in ways.minutes(LATENCY, START, now)][:5] == [False, False, False, False, True]


def test_what_is_received_twice_counts_once(each_database: Database) -> None:
    kept = Kept(each_database)
    fill(kept, minutes=1)
    fill(kept, minutes=1)
    (found,) = ledger(kept, START + 2 * MINUTE_MS).minutes(LATENCY, START, START + MINUTE_MS)
    assert (found.good, found.total) == (2, 3)
    assert len(kept.probes(START, START + MINUTE_MS)) == 2


def test_an_hour_of_which_nothing_was_received_is_closed_as_bad(each_database: Database) -> None:
    kept = Kept(each_database)
    fill(kept, minutes=2)
    close(kept, START + 2 * HOUR_MS + CLOSED_AFTER_MS)
    found = kept.hours(LATENCY, START, START + 2 * HOUR_MS)[START + HOUR_MS]
    assert len(found) == 60
    assert all(minute.no_data for minute in found)


def test_the_time_before_the_first_measurement_is_not_bad_also_once_its_hour_is_closed(database: Database) -> None:
    kept, first = Kept(database), START + 40 * MINUTE_MS
    kept.add_sheets([(first, sheet("web", own(ingested_to_sent=[0.1]), first).encoded())])
    close(kept, closes_at(START))
    for _ in range(2):  # with the raw minutes, and once they are forgotten
        assert kept.began_at() == first
        found = ledger(kept).minutes(LATENCY, START, START + HOUR_MS)
        assert [one.at for one in found] == list(range(first, START + HOUR_MS, MINUTE_MS))
        kept.forget_before(START + HOUR_MS)


def test_raw_minutes_go_after_the_disputed_period_and_closed_hours_stay(database: Database) -> None:
    kept = Kept(database)
    fill(kept)
    close(kept, closes_at(START))
    before = ledger(kept).minutes(LATENCY, START, START + HOUR_MS)
    much_later = START + 31 * 24 * HOUR_MS
    close(kept, much_later)
    assert kept.sheets(0, much_later) == []
    assert kept.probes(0, much_later) == []
    assert ledger(kept, much_later).minutes(LATENCY, START, START + HOUR_MS) == before


def test_another_target_or_window_asks_for_the_same_minutes_and_another_limit_does_not(database: Database) -> None:
    kept = Kept(database)
    fill(kept)
    close(kept, closes_at(START))
    assert kept.hours(objective("latency", "gateway", share=0.5, window_days=7, name="other"), START, START + 1)
    assert not kept.hours(objective("latency", "gateway", limit=2.0), START, START + 1)


def test_sheets_come_from_a_process_to_the_database_once_also_where_a_step_is_done_again(
    broker_url: str, database: Database
) -> None:
    kept, broker = Kept(database), Broker(broker_url)
    telemetry = Telemetry("web-1", "web")
    telemetry.note("ingested_to_sent", 0.1, 5, "shop.orders")
    sheets = [one.encoded() for one in telemetry.take_sheets(all_of_it=True)]
    for _ in range(2):  # the reply to the first was lost
        broker.write_sheets(sheets)
    collector = Collector(broker, kept)
    collector.step()
    collector.step()
    assert [body for _, body in kept.sheets(0, 2**52)] == sheets
    assert broker.read_sheets(10) == []
    broker.close()


def test_backlog_and_age_of_each_channel_are_looked_at_by_second(system: System) -> None:
    system.post([order(1), order(2)])
    system.drain()
    system.post([order(3)])
    system.now_ms += 1_500
    Sampler(system.broker, system.declarations, system.telemetry, system.clock).step()
    (found,) = system.telemetry.take_sheets(all_of_it=True)
    channels = {key.channel for key in found.lines if key.stage == "backlog"}
    assert found.lines[Key("backlog")].own.quantile(1) == pytest.approx(1, rel=0.01)
    assert channels == {"", *system.declarations.channels}
    ages = [line.own.quantile(1) for key, line in found.lines.items() if key.stage == "event_age"]
    assert any(age is not None and abs(age - 1.5) < 0.02 for age in ages)


def test_a_probe_sample_is_read_as_it_was_written() -> None:
    sample = ProbeSample(START, "elsewhere", "shop.0", "worker-1", None, "no answer within 10 s")
    assert ProbeSample.from_json(sample.as_json()) == sample
