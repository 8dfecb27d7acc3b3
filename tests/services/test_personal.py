"""Personal fields: where they may stand, who is not shown them, and how a lane takes a key out of its channels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from headwater import DeclarationError, Feed, History, Http, Latest, Number, Series, Text, count, minimum, sum_, value
from services.accounts.audit import Audit
from services.broker import StoredDelta
from services.database import Database, DatabaseDown
from services.declare import Lane, redacted
from services.quarantine import NotInQuarantine, Quarantine
from tests import feeds, visits
from tests.system import START_MS, System, order
from tests.visits import RULE

ORDERS, VISITS = Lane("orders", 0), Lane("visits", 0)


@pytest.fixture
def personal(broker_url: str) -> Iterator[System]:
    made = System(broker_url, visits)
    made.drain()
    yield made
    made.close()


def visit(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"v{number}", "created_at": START_MS, "visitor": "canary", "page": "home", **more}


# Declarations -------------------------------------------------------------------------------------


class People(Feed, name="people", key="number", source=Http(), freshness=RULE):
    """People by number."""

    number = Text()
    name = Text(personal=True)
    age = Number(personal=True)


def test_a_personal_field_names_no_group_channel_or_part() -> None:
    with pytest.raises(DeclarationError, match="a personal field names no group"):

        class Named(Latest, feed=People, by=People.name):
            pass

    with pytest.raises(DeclarationError, match="a channel's name would be personal"):

        class Parted(Latest, feed=People, partition=People.name):
            pass

    with pytest.raises(DeclarationError, match="a part's name would be personal"):

        class Parts(Latest, feed=People, parts=People.name):
            pass

    with pytest.raises(DeclarationError, match="a channel's name would be personal"):

        class OfNames(Feed, name="parted", key="number", partition="name", source=Http(), freshness=RULE):
            number = Text()
            name = Text(personal=True)


def test_no_aggregate_shows_one_persons_value_for_others() -> None:
    for function in (value, minimum):
        with pytest.raises(DeclarationError, match="give by=number"):

            class Shown(Series, feed=People, span_s=60, window_s=10):
                age = function(People.age)

    class Own(Series, feed=People, by=People.number, span_s=60, window_s=10):
        age = minimum(People.age)

    class Sum(Latest, feed=People, window_s=10):
        people = count()
        years = sum_(People.age)


@pytest.mark.parametrize(
    ("days", "remedy"), [(0, "more than 0 and at most days"), (8, "at most days"), (1, "a key cannot be blanked")]
)
def test_personal_days_that_cannot_be_kept_are_refused(days: float, remedy: str) -> None:
    with pytest.raises(DeclarationError, match=remedy):

        class Wrong(
            Feed, name="wrong", key="who", source=Http(), freshness=RULE, history=History(7, personal_days=days)
        ):
            who = Text(personal=True)


def test_personal_days_are_said_on_a_feed_that_has_something_personal() -> None:
    with pytest.raises(DeclarationError, match="for feeds with a field that is personal"):

        class Nothing(Feed, name="none", key="a", source=Http(), freshness=RULE, history=History(personal_days=1)):
            a = Text()

    with pytest.raises(DeclarationError, match="personal_days is the feed's"):

        class Channel(Latest, feed=People, history=History(personal_days=1)):
            pass


# Not shown ----------------------------------------------------------------------------------------


def test_what_is_refused_is_told_without_personal_values(personal: System) -> None:
    records = [
        visit(1, mail=7), visit(2, mail=300 * "canary"), visit(3, id=["canary"]), "canary", ["canary"],
        visit(4, created_at="canary"), visit(5, visitor=["canary; canary: canary"]), {"visitor": "canary"},
        visit(6, page=12),
    ]  # fmt: skip
    receipt = personal.post(records, "visits")
    told = [rejection.detail for rejection in receipt.rejected]
    assert len(told) == len(records)
    assert told[0] == "mail: (personal); send a string"
    assert told[7] == "page: missing or null; the feed requires it"
    assert told[8] == "page: int '12'; send a string"
    assert "canary" not in str(told)
    personal.drain()
    samples = personal.broker.rejection_samples(VISITS, "0-0")
    assert samples
    assert "canary" not in str(samples) + personal.broker.lane_progress([VISITS])[VISITS].rejection


def test_quarantine_holds_no_personal_value(personal: System) -> None:
    personal.broker.ingest(VISITS, [("p", orjson.dumps({**visit(1), "mail": "canary", "ingested_at": "never"}))])
    personal.broker._redis.xadd("hw:{visits.0}:events", {"events": b"{canary", "n": 1})
    personal.drain()
    held = personal.broker.quarantined(VISITS)
    assert len(held) == 2
    poison, broken = held
    assert broken.event == "(personal)"
    assert poison.event["visitor"] == poison.event["mail"] == "(personal)"
    assert poison.event["page"] == "home"
    assert "canary" not in str(held)


def test_an_event_is_redacted_for_logs_and_traces(personal: System) -> None:
    feed = personal.declarations.feeds["visits"]
    assert redacted(feed, {"id": "v1", "visitor": "ada", "mail": None, "page": "home"}) == {
        "id": "v1", "visitor": "(personal)", "mail": None, "page": "home",
    }  # fmt: skip


# Forgotten by its lane ----------------------------------------------------------------------------


def deltas(system: System, name: str, after: int = 0) -> list[StoredDelta]:
    ref = system.declarations.resolve(name)
    assert ref is not None
    return system.broker.read_range(ref, after)


def test_a_latest_tells_its_viewers_by_del_and_its_neighbours_stay(broker_url: str) -> None:
    system = System(broker_url, visits)
    system.post([{"number": n, "name": "canary", "id": n} for n in ("1", "2")], "members")
    system.drain()
    lane = Lane("members", 0)
    before = system.broker.lane_progress([lane])[lane]
    system.broker.ask_to_forget(lane, "token", "1")
    system.post([{"number": "2", "name": "later", "id": "3"}], "members")
    system.drain()
    last = deltas(system, "members.member")[-1]
    assert (last.seq, orjson.loads(last.data)["del"]) == (2, ["1"])
    assert set(system.data("members.member")["rows"]) == {"2"}
    assert system.broker.forgotten(lane, "token") == {"members.member": 1}
    after = system.broker.lane_progress([lane])[lane]
    assert (after.epoch, after.backlog, after.accepted) == (before.epoch, 0, 3)
    standby = system.new_processor("worker-2")
    system.processor.hand_over()
    standby.drain()
    system.post([{"number": "1", "name": "again", "id": "4"}], "members")
    standby.drain()
    assert system.data("members.member")["rows"]["1"]["name"] == "again"
    system.close()


def test_where_no_delta_can_tell_it_a_new_epoch_begins_with_the_same_commit(system: System) -> None:
    system.post([order(n, price=200 + n) for n in range(6)])
    system.drain()
    before = system.broker.lane_progress([ORDERS])[ORDERS].epoch
    system.broker.ask_to_forget(ORDERS, "token", "o4")
    system.drain()
    assert system.broker.lane_progress([ORDERS])[ORDERS].epoch != before
    assert [entry["order"] for entry in system.data("orders.dear")["entries"]] == ["o2", "o3", "o5"]
    assert "o4" not in system.data("orders.everything")["rows"]
    assert system.data("orders.total")["rows"]["all"]["orders"] == 6, "what many share is a number of many"
    system.post([order(7, price=300)])
    system.drain()
    assert [entry["order"] for entry in system.data("orders.dear")["entries"]] == ["o2", "o3", "o5", "o7"]


def test_asked_twice_or_for_nobody_nothing_changes(system: System) -> None:
    system.post([order(1, price=200)])
    system.drain()
    system.broker.ask_to_forget(ORDERS, "one", "o1")
    system.broker.ask_to_forget(ORDERS, "two", "o1")
    system.broker.ask_to_forget(ORDERS, "three", "nobody")
    system.drain()
    assert system.broker.forgotten(ORDERS, "one") != {}
    assert system.broker.forgotten(ORDERS, "two") == system.broker.forgotten(ORDERS, "three") == {}


# Quarantine ---------------------------------------------------------------------------------------


def test_what_is_mended_is_replayed_once_and_counted_once(broker_url: str, database: Database) -> None:
    system = System(broker_url, feeds)
    system.post([order(n, shop=f"shop{n}") for n in range(4)])
    system.drain()
    quarantine = Quarantine(system.broker, database, system.declarations, system.clock)
    (held,) = quarantine.entries("orders")
    assert held.why.startswith("PoisonEvent: channel 'orders.shop_board': has 3 partitions")
    system.declarations.channels["orders.shop_board"].partitions_max = 4
    try:
        assert quarantine.replay(ORDERS, held.id, "ada") == 1
        system.drain()
    finally:
        system.declarations.channels["orders.shop_board"].partitions_max = 3
    assert quarantine.entries() == []
    assert set(system.data("orders.shop_board:shop3")["rows"]) == {"o3"}
    progress = system.broker.lane_progress([ORDERS])[ORDERS]
    assert (progress.accepted, progress.processed, progress.backlog) == (4, 4, 0)
    with pytest.raises(NotInQuarantine, match="not in quarantine"):
        quarantine.replay(ORDERS, held.id, "ada")
    assert [entry.what for entry in Audit(database).entries()] == ["quarantine_replayed"]
    system.close()


def test_what_still_cannot_be_folded_comes_back_and_what_is_discarded_does_not(
    system: System, database: Database
) -> None:
    system.broker.ingest(ORDERS, [("p", orjson.dumps({**order(1), "ingested_at": "never", "price": "dear"}))])
    system.broker._redis.xadd("hw:{orders.0}:events", {"events": b"{broken", "n": 1})
    system.drain()
    quarantine = Quarantine(system.broker, database, system.declarations, system.clock)
    broken, poison = quarantine.entries()
    if broken.event != "{broken":
        broken, poison = poison, broken
    with pytest.raises(NotInQuarantine, match="holds no events that could be folded; discard it"):
        quarantine.replay(ORDERS, broken.id, "ada")
    quarantine.discard(ORDERS, broken.id, "ada")
    quarantine.replay(ORDERS, poison.id, "ada")
    system.drain()
    (again,) = quarantine.entries()
    assert again.id != poison.id
    assert again.why.startswith("TypeError")
    quarantine.discard(ORDERS, again.id, "ada")
    with pytest.raises(NotInQuarantine):
        quarantine.discard(ORDERS, again.id, "ada")
    assert quarantine.entries() == []


def test_what_cannot_be_recorded_is_not_done(system: System) -> None:
    system.broker.ingest(ORDERS, [("p", orjson.dumps({**order(1), "ingested_at": "never", "price": "dear"}))])
    system.drain()
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    quarantine = Quarantine(system.broker, away, system.declarations, system.clock)
    (held,) = quarantine.entries()
    for act in (quarantine.replay, quarantine.discard):
        with pytest.raises(DatabaseDown):
            act(ORDERS, held.id, "ada")
    system.drain()
    assert [one.id for one in quarantine.entries()] == [held.id]
    away.close()


def test_personal_fields_of_what_is_replayed_come_from_the_archive(personal: System, tmp_path: Path) -> None:
    from services.archive.archiver import Archiver
    from services.database import migrate

    database = Database(f"sqlite:///{tmp_path / 'headwater.db'}")
    migrate(database)
    archiver = Archiver(
        personal.broker, database, personal.declarations, personal.telemetry, worker="w", clock=personal.clock
    )
    archiver.drain()
    personal.post([visit(n, page=f"page{n}", mail="ada@example.com") for n in range(3)], "visits")
    personal.drain()
    archiver.drain()
    quarantine = Quarantine(personal.broker, database, personal.declarations, personal.clock)
    (held,) = quarantine.entries("visits")
    quarantine.discard(VISITS, held.id, "ada")
    again = orjson.dumps({"event": held.event, "why": "", "at": 0})
    personal.broker._redis.xadd("hw:{visits.0}:quarantine", {"entry": again})
    personal.declarations.channels["visits.of_page"].partitions_max = 3
    try:
        quarantine.replay(VISITS, quarantine.entries()[0].id, "ada")
        personal.drain()
    finally:
        personal.declarations.channels["visits.of_page"].partitions_max = 2
    assert personal.data("visits.of_page:page2")["rows"]["canary"]["mail"] == "ada@example.com"
    database.close()
