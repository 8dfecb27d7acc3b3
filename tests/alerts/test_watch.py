"""The watch over a real broker and a real database: who sees what, what is told of it, and what when they are away."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.alerts.courier import Courier
from services.alerts.emergency import Direct
from services.alerts.objectives import KEYS, Objectives
from services.alerts.observer import Observer
from services.alerts.register import Register
from services.alerts.rule import Rule, by_web, everywhere, in_sight
from services.alerts.telling import Telling
from services.alerts.watch import Watch
from services.broker import BrokerDown
from services.contract.document import Objective
from services.database import Database
from services.database.schema import migrate
from services.embedded import EmbeddedBroker
from services.measurement.ledger import SETTLED_AFTER_MS
from services.measurement.minutes import MINUTE_MS, Minute
from tests.alerts.keeping import Keeping
from tests.alerts.minutes import START, minute, objective
from tests.alerts.servers import hook_server
from tests.system import System, order
from tests.waiting import wait_until


class Watched:
    """A system with a database, and watches on it; all on the system's clock."""

    def __init__(self, system: System, database: Database) -> None:
        self.system, self.kept = system, Keeping(database)

    def watch(self, rules: Sequence[Rule], watcher: str = "worker-1", **more: Any) -> Watch:
        observer = Observer(self.system.broker, self.system.declarations, ZoneInfo("UTC"), self.system.clock)
        return Watch(observer, rules, self.kept.register, self.kept.telling, watcher=watcher, **more)

    def look(self, *watches: Watch, after_s: float = 0.0, led: bool = True) -> list[str]:
        """Let time pass, look, and return the keys that fire; `led`: some worker evaluates alerts meanwhile."""
        self.system.now_ms += int(1_000 * after_s)
        with suppress(BrokerDown):
            self.system.broker.present("contract", "worker-1", 1, leaving=not led)
        for watch in watches:
            watch.step()
        return [alert.key for alert in self.kept.register.open_alerts()]


@pytest.fixture
def watched(system: System, database: Database) -> Watched:
    system.post([order(1)])
    system.drain()
    return Watched(system, database)


def started(watched: Watched, *watches: Watch) -> None:
    """Everything has run for a while, and is led."""
    watched.look(*watches)
    watched.system.now_ms += 60_000
    watched.system.drain()
    assert watched.look(*watches) == []


def test_web_tells_the_death_of_the_worker_once_however_many_webs_look(watched: Watched) -> None:
    webs = [watched.watch(by_web(), f"web-{number}") for number in range(3)]
    started(watched, *webs)
    assert watched.look(*webs, after_s=12.9) == []
    assert watched.look(*webs, after_s=0.2) == ["lane:orders.0"]
    assert watched.look(*webs, after_s=60) == ["lane:orders.0"]
    (subject,) = watched.kept.subjects()
    assert subject == (
        "[critical] lane orders.0 has no worker: live tiles of this feed stand still since 22:14; how many viewers are "
        "connected is not known"
    )
    watched.system.drain()
    assert watched.look(*webs) == []
    watched.system.now_ms += 61_000
    watched.system.drain()
    watched.look(*webs)
    assert [subject.split()[0] for subject in watched.kept.subjects()] == ["[critical]", "[over"]


def test_web_tells_when_no_worker_evaluates_alerts(watched: Watched) -> None:
    web = watched.watch(by_web(), "web-1")
    started(watched, web)
    watched.look(web, led=False)
    for _ in range(6):
        watched.system.now_ms += 5_000
        watched.system.drain()
        keys = watched.look(web, led=False)
    assert keys == ["watch:none"]
    assert watched.look(web) == []


def test_what_web_and_worker_both_see_is_one_alert_and_ends_for_both(watched: Watched) -> None:
    web, worker = watched.watch(by_web(), "web-1"), watched.watch(in_sight(), "worker-1")
    started(watched, web, worker)
    watched.look(web, worker, after_s=14)
    assert len(watched.kept.register.incidents()) == 1
    assert len(watched.kept.subjects()) == 1


def test_an_alert_whose_watcher_died_is_ended_by_another(watched: Watched) -> None:
    first, second = watched.watch(by_web(), "web-1"), watched.watch(by_web(), "web-2")
    started(watched, first, second)
    watched.look(first, after_s=14)
    watched.system.drain()
    assert watched.look(second) == ["lane:orders.0"]  # web-1 has seen it just now, and may see it still
    watched.system.now_ms += 31_000
    watched.system.drain()
    assert watched.look(second) == []


def test_a_worker_that_leads_nothing_tells_that_the_broker_is_down(
    own_broker: EmbeddedBroker, database: Database
) -> None:
    system = System(own_broker.url)
    watched = Watched(system, database)
    watch = watched.watch(everywhere())
    assert watched.look(watch) == []
    own_broker.stop()
    assert watched.look(watch) == []
    assert watched.look(watch, after_s=10) == ["broker:down"]
    assert "nothing is accepted or updated" in watched.kept.subjects()[0]
    own_broker.start()
    wait_until(lambda: watched.look(watch) == [])  # its connections were to the one that ended
    system.close()


def test_while_the_database_is_down_the_leader_tells_directly_and_once_and_writes_it_down_later(
    system: System, tmp_path: Path
) -> None:
    folder = tmp_path / "disk"
    database = Database(f"sqlite:///{folder / 'headwater.db'}")
    migrate(database)
    watched = Watched(system, database)
    with hook_server() as server:
        direct = Direct([server.sink()], {"CHAT_URL": server.url})
        watch = watched.watch(in_sight(), emergency=direct)
        system.drain()
        watched.look(watch)
        database.close()
        folder.rename(tmp_path / "away")
        folder.write_text("a file where the directory was")
        for _ in range(5):
            system.now_ms += 5_000
            system.drain()
            watch.step()
        assert len(server.bodies) == 1
        assert "database does not answer" in server.bodies[0]["text"]
        folder.unlink()
        (tmp_path / "away").rename(folder)
        system.drain()
        assert watched.look(watch) == ["database:down"]
        system.drain()
        assert watched.look(watch, after_s=1) == []
        watched.kept.now = system.now_ms + 61_000
        watched.kept.tell()
        courier = Courier(watched.kept.outbox, [server.sink()], {"CHAT_URL": server.url}, watched.kept.clock)
        assert courier.step() == 1
    (incident,) = watched.kept.register.incidents()
    assert incident.mitigated_at - incident.began_at == 21_000
    assert [body["text"].split()[0] for body in server.bodies] == ["[major]", "[over"]
    database.close()


class Series:
    """A ledger of minutes that a test wrote, which tells those that are settled."""

    def __init__(self, system: System, minutes: Sequence[Minute]) -> None:
        self._system, self._minutes = system, minutes
        self.read = 0

    def minutes(self, _: Objective, since: int, until: int) -> list[Minute]:
        end = min(until, self._system.now_ms - SETTLED_AFTER_MS - MINUTE_MS + 1)
        found = [one for one in self._minutes if since <= one.at < end]
        self.read += len(found)
        return found


def test_a_burn_fires_and_clears_at_the_minutes_worked_out_by_hand_through_the_whole_watch(watched: Watched) -> None:
    # As in test_burns: bad are the minutes 0 to 59; fired when number 43 is settled, cleared when number 61 is.
    minutes = [minute(n, bad=100 if 0 <= n < 60 else 0) for n in range(-4_320, 120)]
    ledger = Series(watched.system, minutes)
    rules = [Rule(KEYS, Objectives([objective()], watched.kept.alerting, ledger).look, needs_broker=False)]
    watch = watched.watch(rules)
    firing = {}
    for number in range(120):
        watched.system.now_ms = START + (number + 1) * MINUTE_MS + SETTLED_AFTER_MS
        firing[number] = watched.look(watch)
    assert [number for number, keys in firing.items() if "burn:flights-painted:14.4" in keys] == list(range(43, 61))
    assert all(keys in ([], ["burn:flights-painted:14.4"]) for keys in firing.values())
    (incident,) = watched.kept.register.incidents()
    assert incident.began_at == START
    assert incident.detected_at == START + 44 * MINUTE_MS + SETTLED_AFTER_MS
    assert incident.mitigated_at == START + 62 * MINUTE_MS + SETTLED_AFTER_MS
    assert incident.resolved_at == incident.mitigated_at + 15 * MINUTE_MS
    assert ledger.read < 3 * 4_440 + 120 * 16  # each minute is read about once, not once for each look


def test_what_cannot_be_read_neither_fires_nor_clears(watched: Watched) -> None:
    from services.database import DatabaseDown

    found = [True]

    class Sometimes:
        def minutes(self, *_: object) -> list[Minute]:
            if not found[0]:
                raise DatabaseDown("database: away")
            return [minute(n, bad=100) for n in range(10)]

    watched.system.now_ms = START + 10 * MINUTE_MS + SETTLED_AFTER_MS
    look = Objectives([objective()], watched.kept.alerting, Sometimes()).look
    watch = watched.watch([Rule(KEYS, look, needs_broker=False)])
    before = watched.look(watch)
    assert before
    found[0] = False
    assert watched.look(watch, after_s=60) == before


def test_the_register_of_a_database_that_is_behind_says_what_to_do(tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with empty.writing():
        pass
    from services.database import DatabaseBehind

    with pytest.raises(DatabaseBehind, match="run `headwater release`"):
        Register(empty).open_alerts()
    assert Telling(empty, Keeping(empty).alerting, ZoneInfo("UTC")) is not None
    empty.close()
