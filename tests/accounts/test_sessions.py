"""Sessions: they end when they must, every process learns of it, and the broker alone lets nobody in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from services.accounts.register import Register
from services.accounts.roles import Roles
from services.accounts.sessions import REMEMBERED_MS, Lifetimes, Sessions, name_of
from services.broker import Broker
from services.database import Database

PASSWORD = "correct horse battery"


class Installation:
    """Two processes over one broker and one database, on a clock that the test moves."""

    def __init__(self, broker_url: str, database: Database) -> None:
        self.now = 1_700_000_000_000
        self.register = Register(database, clock=lambda: self.now)
        self.brokers = [Broker(broker_url), Broker(broker_url)]
        self.here, self.there = (
            Sessions(one, self.register, Roles(), Lifetimes(600, 3_600), lambda: self.now) for one in self.brokers
        )
        self.register.add("ann", PASSWORD, ["admin"], who="root")
        self.ann = self.register.named(["ann"])["ann"]


@pytest.fixture
def both(broker_url: str, database: Database) -> Iterator[Installation]:
    made = Installation(broker_url, database)
    yield made
    for broker in made.brokers:
        broker.close()


def test_every_process_knows_a_session_until_its_owner_signs_out(both: Installation) -> None:
    identifier = both.here.begin(both.ann)
    held = both.there.principal(identifier)
    assert held is not None
    assert (held.name, held.roles) == ("ann", ("admin",))
    both.there.look()
    before = both.there.generation
    both.here.end(identifier)
    assert both.here.principal(identifier) is None
    both.there.look()
    assert both.there.generation == before + 1
    assert both.there.renewed(held) is None
    assert both.there.principal(identifier) is None


@pytest.mark.timeout(20)
def test_a_broker_that_came_back_empty_has_counted_no_changes_and_answers_all_the_same(
    both: Installation, broker_url: str
) -> None:
    identifier = both.here.begin(both.ann)
    both.brokers[0].tell_grants_changed()
    both.here.look()
    with redis.Redis.from_url(broker_url) as broker:
        broker.flushall()
    assert both.there.principal(identifier) is None
    both.now += REMEMBERED_MS
    assert both.here.principal(identifier) is None


def test_a_change_of_roles_reaches_what_is_open_and_a_change_of_nothing_does_not(both: Installation) -> None:
    identifier = both.here.begin(both.ann)
    held = both.there.principal(identifier)
    assert held is not None
    both.there.look()
    before = both.there.generation
    both.brokers[0].tell_grants_changed()
    both.there.look()
    assert both.there.generation == before
    assert both.there.renewed(held) is held
    both.register.set_roles("ann", [], who="root")
    both.brokers[0].tell_grants_changed()
    both.there.look()
    assert both.there.generation == before + 1
    renewed = both.there.renewed(held)
    assert renewed is not None
    assert renewed.roles == ()
    assert both.there.principal(identifier) == renewed


def test_a_change_that_a_request_saw_before_the_look_reaches_what_is_open_too(both: Installation) -> None:
    identifier = both.here.begin(both.ann)
    held = both.there.principal(identifier)
    assert held is not None
    both.there.look()
    before = both.there.generation
    both.register.set_roles("ann", [], who="root")
    both.now += REMEMBERED_MS
    seen = both.there.principal(identifier)
    assert seen is not None
    assert seen.roles == (), "a request reads what is now, told of it or not"
    assert both.there.generation == before + 1, "sockets ask again"
    assert both.there.renewed(held) == seen
    both.brokers[0].tell_grants_changed()
    both.there.look()
    assert both.there.renewed(held) == seen, "and the look finds nothing else"


@pytest.mark.parametrize("act", ["disable", "password"])
def test_a_disabled_account_or_another_password_ends_its_sessions(both: Installation, act: str) -> None:
    identifier = both.here.begin(both.ann)
    assert both.here.principal(identifier) is not None
    both.now += 1
    if act == "disable":
        both.register.disable("ann", who="root")
    else:
        both.register.set_password("ann", "another long one", who="root")
    both.brokers[1].tell_grants_changed()
    both.here.look()
    assert both.here.principal(identifier) is None


def test_a_session_ends_at_its_time_however_much_it_is_used(both: Installation) -> None:
    identifier = both.here.begin(both.ann)
    held = both.here.principal(identifier)
    assert held is not None
    for _ in range(59):
        both.now += 60_000
        assert both.here.principal(identifier) is not None
    both.now += 60_000
    assert both.here.principal(identifier) is None
    both.here.look()
    assert both.here.renewed(held) is None, "the socket ends with it"


def test_the_broker_keeps_no_session_longer_than_it_is_used_and_never_what_the_browser_holds(
    both: Installation, broker_url: str
) -> None:
    identifier = both.here.begin(both.ann)
    client = redis.Redis.from_url(broker_url)
    assert 595 < client.ttl(f"hw:session:{name_of(identifier)}") <= 600
    assert identifier.encode() not in b"".join(client.keys("*"))
    both.now += 3_000_000
    both.here.principal(identifier)
    assert client.ttl(f"hw:session:{name_of(identifier)}") == 600, "by use; the rest of its time where that is less"
    both.now += 300_000
    both.here.principal(identifier)
    assert client.ttl(f"hw:session:{name_of(identifier)}") == 300
    client.delete(f"hw:session:{name_of(identifier)}")
    assert both.there.principal(identifier) is None
    client.close()
    assert both.here.principal(name_of(identifier)) is None, "what the broker holds opens nothing"
