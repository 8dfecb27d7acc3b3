"""What is told, when, to which sinks; and what is not told again."""

from __future__ import annotations

import threading

import pytest

from services.alerts.register import UnknownIncident
from services.alerts.telling import CALM_MS
from services.database import Database
from tests.alerts.keeping import NOW, Keeping, finding

HOUR_MS = 3_600_000


@pytest.fixture
def kept(each_database: Database) -> Keeping:
    return Keeping(each_database)


def test_an_incident_is_told_once_with_all_that_fires(kept: Keeping) -> None:
    kept.fire(finding())
    kept.fire(finding("lane:host.0"))
    assert kept.tell() == 1
    assert kept.tell() == 0
    assert kept.subjects() == ["[critical, 2 alerts] lane:flights.0 is in trouble"]
    delivery = kept.outbox.take(NOW)
    assert delivery is not None
    assert delivery.message.lines == ("lane:flights.0 is in trouble", "lane:host.0 is in trouble")
    assert delivery.message.facts["Since"] == "2023-11-14 22:22:00 UTC"
    assert delivery.message.facts["Acknowledge"] == "headwater alerts ack 1"


def test_a_sink_gets_what_is_severe_enough_for_it(kept: Keeping) -> None:
    kept.fire(finding(severity="major"))
    kept.tell()
    assert [fate.sink for fate in kept.outbox.fates()] == ["chat"]  # the log takes what is critical


def test_what_gets_worse_is_told_again(kept: Keeping) -> None:
    kept.fire(finding(severity="minor"))
    kept.tell()
    kept.fire(finding("lane:host.0", severity="critical"))
    kept.tell()
    assert kept.subjects() == ["[minor] lane:flights.0 is in trouble", "[critical, 2 alerts] lane:host.0 is in trouble"]


def test_what_nobody_acknowledges_is_told_again_after_a_while(kept: Keeping) -> None:
    kept.fire(finding())
    kept.tell()
    kept.now += HOUR_MS - 1
    assert kept.tell() == 0
    kept.now += 1
    assert kept.tell() == 1
    assert kept.subjects()[-1] == "[still critical] lane:flights.0 is in trouble"
    kept.register.acknowledge(1, kept.now, "ada")
    kept.now += 10 * HOUR_MS
    assert kept.tell() == 0


def test_the_end_is_told_when_it_lasts(kept: Keeping) -> None:
    kept.fire(finding())
    kept.tell()
    kept.clear_all()
    kept.now += CALM_MS - 1
    assert kept.tell() == 0
    kept.now += 1
    assert kept.tell() == 1
    assert kept.subjects()[-1] == "[over since 22:23] lane:flights.0 is in trouble"
    assert kept.tell() == 0


def test_what_comes_and_goes_within_a_minute_is_not_told_again_and_again(kept: Keeping) -> None:
    kept.fire(finding())
    kept.tell()
    for _ in range(10):
        kept.clear_all()
        kept.now += 10_000
        kept.tell()
        kept.fire(finding())
        kept.now += 10_000
        kept.tell()
    assert len(kept.subjects()) == 1


def test_what_was_never_told_is_not_told_to_be_over(kept: Keeping) -> None:
    kept.fire(finding())
    kept.clear_all()
    kept.now += CALM_MS
    assert kept.tell() == 0


def test_a_silenced_topic_is_recorded_and_told_when_the_silence_ends(kept: Keeping) -> None:
    number = kept.telling.silence("work*", NOW, NOW + 1_000, "ada", "we deploy")
    kept.fire(finding())
    kept.fire(finding("broker:full", topic="broker"))
    kept.tell()
    assert kept.subjects() == ["[critical] broker:full is in trouble"]
    assert len(kept.register.incidents()) == 2
    assert [one.pattern for one in kept.telling.silences(NOW)] == ["work*"]
    kept.now += 1_000
    kept.tell()
    assert kept.subjects()[-1] == "[critical] lane:flights.0 is in trouble"
    with pytest.raises(UnknownIncident, match=f"no silence {number} under way"):
        kept.telling.end_silence(number, kept.now)


def test_a_silence_that_is_ended_early_ends(kept: Keeping) -> None:
    number = kept.telling.silence("*", NOW, NOW + HOUR_MS, "ada", "we deploy")
    kept.fire(finding())
    kept.now += 1
    assert kept.tell() == 0
    kept.telling.end_silence(number, kept.now)
    assert kept.tell() == 1


def test_of_many_processes_that_tell_at_once_one_does(kept: Keeping) -> None:
    kept.fire(finding())
    told: list[int] = []
    threads = [threading.Thread(target=lambda: told.append(kept.tell())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [0, 0, 0, 0, 0, 1]
    assert len(kept.subjects()) == 1


def test_the_timeline_says_who_was_told(kept: Keeping) -> None:
    kept.fire(finding())
    kept.tell()
    assert kept.register.entries(1)[-1].text == "[critical] lane:flights.0 is in trouble: told by chat, log"
