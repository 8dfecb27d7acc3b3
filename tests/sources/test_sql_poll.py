"""SQL poll: every row that is new or changed becomes one event, on both databases, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from headwater import Feed, Freshness, GivenTime, Moment, Number, SourceMapping, SqlPoll, Text
from services.database.database import driver_url
from services.declare import DeclarationError, FeedSpec
from services.sources.marks import Mark
from tests.postgres import Postgres
from tests.sources.running import Running
from tests.waiting import wait_until

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)
QUERY = "SELECT id, shop, price, changed_at FROM orders"
BEGUN = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Orders:
    """A client's table, in one of the databases; its times are written as that database writes them."""

    def __init__(self, url: str) -> None:
        self.url, self.engine = url, create_engine(driver_url(url))
        kind = "timestamptz" if self.postgres else "text"
        self.run(f"CREATE TABLE orders (id text, shop text, price numeric(8, 2), changed_at {kind})")

    @property
    def postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def at(self, second: float) -> Any:
        moment = BEGUN + timedelta(seconds=second)
        return moment if self.postgres else moment.isoformat()

    def add(self, order: str, second: float, price: float = 1.5, connection: Any = None) -> None:
        statement = "INSERT INTO orders VALUES (:id, 'north', :price, :at)"
        values = {"id": order, "price": price, "at": self.at(second)}
        if connection is None:
            self.run(statement, **values)
        else:
            connection.execute(text(statement), values)


@pytest.fixture(params=["sqlite", "postgresql"])
def orders(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Orders]:
    if request.param == "sqlite":
        made = Orders(f"sqlite:///{tmp_path / 'shop.db'}")
    else:
        made = Orders(request.getfixturevalue("shared_postgres").create())
    yield made
    made.engine.dispose()


def feed_of(source: SqlPoll) -> FeedSpec:
    class Sales(Feed, name="sales", key="sale", freshness=RULE, source=source):
        """A shop's orders, from its own database."""

        sale = Text()
        shop = Text()
        price = Number(unit="EUR")
        changed_at = Moment()

    return Sales.declaration


def poll(orders: Orders, **more: Any) -> SqlPoll:
    mapping = SourceMapping({"sale": "id", "changed_at": GivenTime("changed_at")}, created_at=GivenTime("changed_at"))
    options = {"every_s": 0.1, "mark": "changed_at", "tie": "id", "mapping": mapping, **more}
    return SqlPoll(orders.url, QUERY, **options)


def test_each_row_is_one_event_and_a_changed_row_another(broker_url: str, orders: Orders) -> None:
    for number in range(7):
        orders.add(f"o{number}", second=number // 3)  # three share a mark, and a batch ends within them
    with Running(broker_url, feed_of(poll(orders, batch=2))) as running:
        found = running.wait_for(7)
        assert [event["sale"] for event in found] == [f"o{number}" for number in range(7)]
        assert found[0]["created_at"] == found[0]["changed_at"] == round(BEGUN.timestamp() * 1000)
        assert found[0]["price"] == 1.5
        orders.run("UPDATE orders SET price = 9.25, changed_at = :at WHERE id = 'o3'", at=orders.at(60))
        assert [(event["sale"], event["price"]) for event in running.wait_for(8)[7:]] == [("o3", 9.25)]
        before = running.alive_at()
        wait_until(lambda: running.alive_at() > before, what="a sign of life without rows")
        assert len(running.events()) == 8
        assert running.told == []


def test_another_worker_goes_on_after_the_last_row_that_was_accepted(broker_url: str, orders: Orders) -> None:
    orders.add("before", second=0)
    with Running(broker_url, feed_of(poll(orders))) as running:
        running.wait_for(1)
    orders.run("DELETE FROM orders")  # what is not there any more cannot be read anew by mistake
    orders.add("long ago", second=-100)
    orders.add("same moment", second=0)
    orders.add("after", second=1)
    with Running(broker_url, feed_of(poll(orders)), worker="worker-2") as running:
        assert [event["sale"] for event in running.wait_for(3)] == ["before", "same moment", "after"]
    changed = SqlPoll(
        orders.url, f"{QUERY} WHERE shop = 'north'", 0.1, mark="changed_at", tie="id", mapping=poll(orders).mapping
    )
    with Running(broker_url, feed_of(changed), worker="worker-3") as running:  # another question begins anew
        assert running.wait_for(4)[-1]["sale"] == "long ago"


def test_a_row_that_was_committed_late_is_seen_within_the_overlap(
    broker_url: str, shared_postgres: Postgres
) -> None:
    orders = Orders(shared_postgres.create())
    slow = orders.engine.connect()
    slow.begin()
    orders.add("slow", second=5, connection=slow)  # its mark is of now, its commit is not
    orders.add("quick", second=6)
    with Running(broker_url, feed_of(poll(orders, overlap=30))) as running:
        running.wait_for(1)
        slow.commit()
        assert [event["sale"] for event in running.wait_for(2)] == ["quick", "slow"]
        orders.add("next", second=7)
        assert [event["sale"] for event in running.wait_for(3)] == ["quick", "slow", "next"]
    slow.close()
    orders.engine.dispose()


@pytest.mark.parametrize("since", [1, None])
def test_the_first_start_begins_where_it_is_told(broker_url: str, orders: Orders, since: int | None) -> None:
    for number in range(3):
        orders.add(f"o{number}", second=number)
    begin = None if since is None else orders.at(since)
    with Running(broker_url, feed_of(poll(orders, since=begin))) as running:
        wanted = ["o0", "o1", "o2"] if since is None else ["o1", "o2"]
        assert [event["sale"] for event in running.wait_for(len(wanted))] == wanted


def test_a_database_that_goes_away_is_silent_and_read_on_when_it_is_back(broker_url: str) -> None:
    server = Postgres()
    server.start()
    try:
        orders = Orders(server.create())
        orders.add("before", second=0)
        with Running(broker_url, feed_of(poll(orders))) as running:
            running.wait_for(1)
            server.stop()
            running.wait_told("source_silent", "last answer ")
            server.start()
            orders.engine.dispose()
            orders.add("after", second=1)
            assert [event["sale"] for event in running.wait_for(2)] == ["before", "after"]
        orders.engine.dispose()
    finally:
        server.close()


def test_what_a_database_says_is_told_without_the_question_and_the_password(
    broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none, empty_url = (f"sqlite:///{tmp_path}/{name}.db" for name in ("none", "empty"))
    with Running(broker_url, feed_of(SqlPoll(none, QUERY, 60, mark="m", tie="t"))) as running:
        running.wait_told("source_error", "no file")
    empty: Engine = create_engine(empty_url)
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE other (id int)"))
    empty.dispose()
    with Running(broker_url, feed_of(SqlPoll(empty_url, QUERY, 60, mark="m", tie="t"))) as running:
        assert "SELECT" not in running.wait_told("source_error", "no such table: orders")
    monkeypatch.setenv("SHOP_DB", "postgresql://me:very%20secret@127.0.0.1:1/shop")
    with Running(broker_url, feed_of(SqlPoll("env:SHOP_DB", QUERY, 60, mark="m", tie="t"))) as running:
        assert "secret" not in running.wait_told("source_silent", "refused")


@pytest.mark.parametrize("mark", [Mark(7, "a"), Mark(BEGUN, 3), Mark(BEGUN.date(), None), Mark("b", 1.5)])
def test_a_mark_is_read_as_it_was_written(mark: Mark) -> None:
    assert Mark.read(mark.in_text()) == mark


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tie": "changed_at"}, "name two columns"),
        ({"batch": 0}, "rows from 1 to 5000"),
        ({"overlap": -1}, "from 0"),
        ({"every_s": 0}, "give seconds"),
    ],
)
def test_a_poll_that_cannot_be_meant_is_refused_at_its_declaration(
    tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    options = {"every_s": 5, "mark": "changed_at", "tie": "id", **more}
    with pytest.raises(DeclarationError, match=said):
        feed_of(SqlPoll(f"sqlite:///{tmp_path}/a.db", QUERY, **options))
    with pytest.raises(DeclarationError, match="give a SELECT"):
        feed_of(SqlPoll(f"sqlite:///{tmp_path}/a.db", "DELETE FROM orders", 5, mark="a", tie="b"))
