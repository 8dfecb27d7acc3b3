"""WebSocket feed: what a real server sends becomes events, and it is listened to again after every kind of end."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from headwater import Feed, Freshness, GivenTime, Number, SourceMapping, Text, WebSocketFeed
from services.broker import caps
from services.declare import DeclarationError, FeedSpec
from tests.sources.running import Running
from tests.sources.sending import Sending
from tests.waiting import wait_until

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)
MAPPING = SourceMapping({"symbol": "s", "price": "p"}, created_at=GivenTime("t", unit="ms"), id=("s", "t"))


@pytest.fixture
def server() -> Iterator[Sending]:
    with Sending() as made:
        yield made


def ticks(source: WebSocketFeed) -> FeedSpec:
    class Ticks(Feed, name="ticks", key="symbol", freshness=RULE, source=source):
        """What an exchange sends."""

        symbol = Text()
        price = Number()

    return Ticks.declaration


def tick(symbol: str, price: float) -> dict[str, object]:
    return {"s": symbol, "p": price, "t": round(time.time() * 1000) - 1_000}


def listening(server: Sending, count: int = 1) -> None:
    wait_until(lambda: server.do()["listen"] == count, what=f"{count} that listen")


def test_frames_become_events_after_the_subscription_and_what_is_none_is_a_sign_of_life(
    broker_url: str, server: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKS_KEY", "k3y-of-ticks")
    source = WebSocketFeed(
        server.address, say=['{"subscribe": "all", "key": "env:TICKS_KEY"}'], skip={"type": "hello"}, mapping=MAPPING,
        headers={"Authorization": "Bearer env:TICKS_KEY"},
    )  # fmt: skip
    with Running(broker_url, ticks(source)) as running:
        listening(server)
        wait_until(lambda: server.do()["said"] == ['{"subscribe": "all", "key": "k3y-of-ticks"}'], what="subscription")
        assert server.do()["headers"] == ["Bearer k3y-of-ticks"]
        server.do(send={"type": "hello"})
        server.do(send=[tick("a", 1.5), tick("b", 2)])
        server.do(send=tick("c", 3))
        running.wait_for(3)
        assert running.values("symbol", "price") == [("a", 1.5), ("b", 2), ("c", 3)]
        before = running.alive_at()
        wait_until(lambda: running.alive_at() > before, what="a sign of life of an idle connection")
        assert running.told == []


def test_it_listens_again_after_a_close_a_refusal_and_a_frame_that_is_no_json(
    broker_url: str, server: Sending
) -> None:
    with Running(broker_url, ticks(WebSocketFeed(server.address, mapping=MAPPING))) as running:
        listening(server)
        server.do(refuse=403, close=[1012, "restart"])
        assert running.wait_told("source_error", "closed with 1012 restart")
        assert running.wait_told("source_error", "403 Forbidden")
        server.do(refuse=0)
        listening(server)
        server.do(send="no json")
        running.wait_told("source_error", "a frame is no JSON")
        listening(server)
        server.do(send=tick("a", 1))
        running.wait_for(1)


def test_a_server_that_sends_nothing_or_is_not_there_is_silent(broker_url: str) -> None:
    with Sending() as server, Running(broker_url, ticks(WebSocketFeed(server.address, quiet_s=1))) as running:
        listening(server)
        running.wait_told("source_silent", "nothing was sent for 1 s")
    with Running(broker_url, ticks(WebSocketFeed(server.address))) as running:
        running.wait_told("source_silent", "no connection: Connection refused")


def test_while_ingestion_is_full_nothing_is_lost_and_the_rest_comes_when_there_is_room(
    broker_url: str, server: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "BACKLOG_LIMIT_BYTES", 100)
    with Running(broker_url, ticks(WebSocketFeed(server.address, mapping=MAPPING))) as running:
        listening(server)
        for number in range(20):
            server.do(send=tick(f"s{number}", number))

        def all_there() -> bool:
            running.alive_at()  # drains
            return running.processed() == 20

        wait_until(all_there, what="every event, once there was room")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (WebSocketFeed("http://a"), "begin it with ws:// or wss://"),
        (WebSocketFeed("ws://a", quiet_s=0), "give seconds from 1"),
    ],
)
def test_a_feed_that_cannot_be_meant_is_refused_at_its_declaration(source: WebSocketFeed, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        ticks(source)
