"""Ingest keys: two live at a time, known by their hash alone, and limited over all web processes together."""

from __future__ import annotations

import pytest
import redis
from sqlalchemy import text

from services.accounts import IngestKeys
from services.accounts.audit import Audit
from services.accounts.key_limits import KeyLimits
from services.accounts.key_register import KeyRefused, KeyRegister
from services.accounts.key_ring import KeyRing
from services.broker import Broker
from services.database import Database, DatabaseDown

ENV_SECRET = "0123456789abcdef"
DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS + 3_600_000


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def __call__(self) -> int:
        return self.now_ms

    def seconds(self) -> float:
        return self.now_ms / 1_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ring_of(database: Database, clock: Clock) -> KeyRing:
    fixed = IngestKeys([f"press:{ENV_SECRET}:flights"])
    return KeyRing(fixed, KeyRegister(database, clock), clock=clock, monotonic=clock.seconds)


def test_a_key_lets_its_holder_post_to_its_feeds_and_is_stored_as_a_hash_alone(
    each_database: Database, clock: Clock
) -> None:
    key, secret = KeyRegister(each_database, clock).add("plant", ["flights", "host_*"], "ada")
    holder = ring_of(each_database, clock).holder(secret)
    assert holder is not None
    assert (holder.name, holder.feeds) == ("plant", ("flights", "host_*"))
    with each_database.reading() as connection:
        stored = str(connection.execute(text("SELECT * FROM ingest_keys")).all())
    assert key.id in stored
    assert secret not in stored
    assert secret.rpartition("_")[2] not in stored


def test_a_third_live_key_is_refused_with_the_remedy_until_one_is_revoked(
    each_database: Database, clock: Clock
) -> None:
    register = KeyRegister(each_database, clock)
    first, _ = register.add("plant", ["flights"], "ada")
    clock.now_ms += 1
    register.add("plant", ["flights"], "ada")
    with pytest.raises(KeyRefused, match=rf"2 are live.*headwater keys revoke {first.id}"):
        register.add("plant", ["flights"], "ada")
    register.add("other", ["flights"], "ada")
    with pytest.raises(KeyRefused, match="name one by its id"):
        register.revoke("plant", "ada")
    register.revoke(first.id, "ada")
    register.add("plant", ["flights"], "ada")


@pytest.mark.parametrize(("name", "feeds"), [("Plant", ["a"]), ("plant", []), ("plant", ["a b"]), ("x:y", ["a"])])
def test_a_key_that_could_not_be_used_is_not_made(database: Database, name: str, feeds: list[str]) -> None:
    with pytest.raises(KeyRefused, match=r"use 1 to 40|give names"):
        KeyRegister(database).add(name, feeds, "ada")


def test_a_key_that_was_revoked_twice_or_never_there_is_named(database: Database) -> None:
    register = KeyRegister(database)
    key, _ = register.add("plant", ["flights"], "ada")
    register.revoke("plant", "ada")
    with pytest.raises(KeyRefused, match=f"{key.id} is revoked already"):
        register.revoke("plant", "ada")
    with pytest.raises(KeyRefused, match="no live key"):
        register.revoke("nobody", "ada")


def test_a_process_that_runs_learns_of_added_and_of_revoked_keys(database: Database, clock: Clock) -> None:
    ring, register = ring_of(database, clock), KeyRegister(database, clock)
    ring.read()
    _, secret = register.add("plant", ["flights"], "ada")
    clock.now_ms += 300
    assert ring.holder(secret) is not None, "asked for at once, as it is not known"
    register.revoke("plant", "ada")
    ring.read()
    clock.now_ms += 300
    assert ring.holder(secret) is None


@pytest.mark.parametrize("forged", ["hw_aaaaaaaa_" + 43 * "a", "hw_" + 43 * "a", "", "Ü" * 55, "press"])
def test_what_is_no_key_opens_nothing(database: Database, clock: Clock, forged: str) -> None:
    assert ring_of(database, clock).holder(forged) is None


def test_the_right_id_with_another_secret_opens_nothing(database: Database, clock: Clock) -> None:
    key, secret = KeyRegister(database, clock).add("plant", ["flights"], "ada")
    other = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    assert other.startswith(f"hw_{key.id}_")
    assert ring_of(database, clock).holder(other) is None


def test_while_the_database_is_away_known_keys_go_on_and_unknown_ones_are_no_401(clock: Clock) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    ring = ring_of(away, clock)
    assert ring.holder(ENV_SECRET) is not None
    with pytest.raises(DatabaseDown):
        ring.holder("hw_aaaaaaaa_" + 43 * "a")
    away.close()


def test_last_use_is_written_once_a_minute_and_its_first_of_a_day_is_in_the_audit_log(
    each_database: Database, clock: Clock
) -> None:
    register, rings = KeyRegister(each_database, clock), [ring_of(each_database, clock) for _ in range(2)]
    key, secret = register.add("plant", ["flights"], "ada")

    def use() -> None:
        for ring in rings:
            ring.holder(secret)
            ring.holder(ENV_SECRET)
            ring.write_uses()

    use()
    first = clock.now_ms
    clock.now_ms += 30_000
    use()
    assert register.last_uses() == {key.id: first, "env:press": first}
    clock.now_ms += 30_000
    use()
    assert register.all()[0].last_used_at == clock.now_ms
    clock.now_ms += DAY_MS
    use()
    entries = [(entry.what, entry.who, entry.subject) for entry in Audit(each_database).entries()]
    assert entries[0] == ("key_added", "ada", f"plant {key.id}")
    assert entries.count(("key_used", "plant", key.id)) == 2
    assert entries.count(("key_used", "press", "env:press")) == 2
    assert len(entries) == 5


def test_a_revoked_key_that_is_still_used_is_in_the_audit_log_once_a_day_and_made_up_ones_are_not(
    each_database: Database, clock: Clock
) -> None:
    register, rings = KeyRegister(each_database, clock), [ring_of(each_database, clock) for _ in range(2)]
    key, secret = register.add("plant", ["flights"], "ada")
    register.revoke(key.id, "ada")

    def come() -> list[str]:
        for ring in rings:
            assert ring.holder(secret) is None
            assert ring.holder("hw_aaaaaaaa_" + 43 * "a") is None
            ring.write_uses()
        return [entry.subject for entry in Audit(each_database).entries(what="key_refused")]

    assert come() == [f"plant {key.id}"]
    clock.now_ms += 120_000
    assert come() == [f"plant {key.id}"]
    clock.now_ms += DAY_MS
    assert come() == 2 * [f"plant {key.id}"]


# Limits -------------------------------------------------------------------------------------------


def limits_of(url: str, clock: Clock, events: int, size: int = 0) -> KeyLimits:
    return KeyLimits(Broker(url), events, size, monotonic=clock.seconds)


def test_what_a_key_posts_is_limited_over_all_processes_together(broker_url: str, clock: Clock) -> None:
    one, other = limits_of(broker_url, clock, 1_000), limits_of(broker_url, clock, 1_000)
    assert one.spend("plant", 60_000, 0) == 0
    assert min(limits.spend("plant", 1, 0) for limits in (one, other)) > 30
    assert one.spend("press", 1, 0) == 0, "each key has its own"


def test_a_request_larger_than_a_seconds_worth_passes_and_is_waited_for_after(broker_url: str, clock: Clock) -> None:
    limits = limits_of(broker_url, clock, 1_000, 10_000)
    assert limits.spend("plant", 60_000, 0) == 0
    assert 30 < limits.spend("plant", 1, 0) <= 60
    assert 30 < limits.wait_s("plant") <= 60, "and is told so without a question"
    clock.now_ms += 60_000
    assert limits.wait_s("plant") == 0


def test_bytes_count_as_well_as_events(broker_url: str, clock: Clock) -> None:
    limits = limits_of(broker_url, clock, 0, 10_000)
    assert limits.spend("plant", 1_000_000, 600_000) == 0
    assert limits.spend("plant", 1, 1) > 0


def test_many_small_requests_ask_the_broker_seldom(broker_url: str, clock: Clock) -> None:
    limits = limits_of(broker_url, clock, 100_000, 100_000_000)
    client = redis.Redis.from_url(broker_url)
    client.config_resetstat()
    for _ in range(1_000):
        assert limits.spend("plant", 1, 100) == 0
    stats = client.info("commandstats")
    client.close()
    assert stats["cmdstat_evalsha"]["calls"] < 20
