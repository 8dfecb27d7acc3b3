"""Incidents: one for each trouble, however many see it, from its first moment to its last."""

from __future__ import annotations

import threading

import pytest

from services.alerts.register import UnknownIncident
from services.database import Database
from tests.alerts.keeping import NOW, Keeping, finding


@pytest.fixture
def kept(each_database: Database) -> Keeping:
    return Keeping(each_database)


def whats(kept: Keeping, number: int) -> list[str]:
    return [entry.what for entry in kept.register.entries(number)]


def fired(kept: Keeping, **changed: object) -> int:
    number = kept.fire(finding(**changed))  # type: ignore[arg-type]
    assert number is not None
    return number


def test_alerts_of_one_topic_are_one_incident_and_another_topic_is_another(kept: Keeping) -> None:
    first, second = fired(kept), fired(kept, key="lane:host.0")
    other = fired(kept, key="broker:full", topic="broker")
    assert first == second != other
    assert [alert.key for alert in kept.register.open_alerts()] == ["lane:flights.0", "lane:host.0", "broker:full"]


def test_what_two_processes_see_is_one_alert(kept: Keeping) -> None:
    assert kept.fire(finding(), "web-1") is not None
    assert kept.fire(finding(), "web-2") is None
    assert len(kept.register.open_alerts()) == 1
    assert len(kept.register.incidents()) == 1


def test_an_incident_is_as_severe_as_its_worst_alert_ever_was(kept: Keeping) -> None:
    number = fired(kept, severity="minor")
    fired(kept, key="lane:host.0", severity="major", text="worse")
    incident = kept.register.incident(number)
    assert (incident.severity, incident.text) == ("major", "worse")
    assert whats(kept, number) == ["detected", "worse"]


def test_an_incident_is_mitigated_with_its_last_alert_and_resolved_when_it_stayed_calm(kept: Keeping) -> None:
    number = fired(kept)
    fired(kept, key="lane:host.0")
    first, second = kept.register.open_alerts()
    kept.register.clear(first, NOW + 10_000)
    assert kept.register.incident(number).mitigated_at == 0
    kept.register.clear(second, NOW + 20_000)
    assert kept.register.incident(number).mitigated_at == NOW + 20_000
    assert kept.register.settle(NOW + 20_000 + 899_999, 900_000) == []
    assert kept.register.settle(NOW + 20_000 + 900_000, 900_000) == [number]
    incident = kept.register.incident(number)
    assert (incident.began_at, incident.detected_at, incident.resolved_at) == (NOW - 60_000, NOW, NOW + 920_000)
    assert whats(kept, number) == ["detected", "mitigated", "resolved"]


def test_what_comes_back_while_it_is_calm_belongs_to_the_same_incident(kept: Keeping) -> None:
    number = fired(kept)
    kept.clear_all()
    assert fired(kept) == number
    assert kept.register.incident(number).mitigated_at == 0
    assert whats(kept, number) == ["detected", "mitigated", "again"]


def test_what_comes_back_after_it_was_resolved_is_a_new_incident(kept: Keeping) -> None:
    number = fired(kept)
    kept.clear_all()
    kept.register.resolve(number, NOW, "ada")
    assert fired(kept) != number


def test_an_incident_is_acknowledged_once_and_says_by_whom(kept: Keeping) -> None:
    number = fired(kept)
    kept.register.acknowledge(number, NOW + 5_000, "ada")
    incident = kept.register.incident(number)
    assert (incident.acknowledged_at, incident.acknowledged_by) == (NOW + 5_000, "ada")
    with pytest.raises(UnknownIncident, match="ada acknowledged it already"):
        kept.register.acknowledge(number, NOW + 6_000, "bob")


def test_an_incident_whose_alerts_still_fire_cannot_be_closed(kept: Keeping) -> None:
    number = fired(kept)
    with pytest.raises(UnknownIncident, match=r"lane:flights\.0 still fires; mend it, or silence it"):
        kept.register.resolve(number, NOW, "ada")
    with pytest.raises(UnknownIncident, match="still fires"):
        kept.register.mitigate(number, NOW, "ada")


def test_an_incident_that_a_person_opened_is_ended_by_a_person(kept: Keeping) -> None:
    number = kept.register.open_by_hand("major", "source", "the recording is a day old", NOW - 1, NOW, "ada")
    kept.register.mitigate(number, NOW, "ada")
    assert kept.register.settle(NOW + 10**9, 900_000) == []
    kept.register.assign(number, NOW, "ada", "client")
    kept.register.resolve(number, NOW + 1, "bob", "reloaded")
    kept.register.note(number, NOW + 2, "bob", "it was the cache")
    assert kept.register.incident(number).owner == "client"
    assert whats(kept, number) == ["detected", "mitigated", "owner", "resolved", "note"]


def test_incidents_are_found_by_the_time_in_which_they_were_open(kept: Keeping) -> None:
    number = kept.register.open_by_hand("major", "source", "old", NOW - 100, NOW, "ada")
    kept.register.resolve(number, NOW + 100, "ada")
    assert [one.id for one in kept.register.incidents(since=NOW + 99, until=NOW + 200)] == [number]
    assert kept.register.incidents(since=NOW + 100) == []
    assert kept.register.incidents(until=NOW - 100) == []


def test_a_number_that_no_incident_has_is_told_with_the_way_to_find_one(kept: Keeping) -> None:
    with pytest.raises(UnknownIncident, match="no incident 7; `headwater incidents list` shows them"):
        kept.register.acknowledge(7, NOW, "ada")


def test_alerts_that_end_at_the_same_moment_leave_their_incident_mitigated(kept: Keeping) -> None:
    number = fired(kept)
    for extra in range(5):
        fired(kept, key=f"lane:host.{extra}")
    ended: list[bool] = []
    threads = [
        threading.Thread(target=lambda alert=alert: ended.append(kept.register.clear(alert, NOW + 1)))  # type: ignore[misc]
        for alert in kept.register.open_alerts()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [True] * 6
    assert kept.register.incident(number).mitigated_at == NOW + 1
    assert whats(kept, number) == ["detected", "mitigated"]


def test_of_many_processes_that_see_the_same_at_once_one_makes_the_alert(kept: Keeping) -> None:
    made: list[int | None] = []
    threads = [threading.Thread(target=lambda: made.append(kept.fire(finding()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([number for number in made if number is not None]) == 1
    assert len(kept.register.incidents()) == 1
