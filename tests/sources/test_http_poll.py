"""HTTP poll: what a real server answers becomes events; what it refuses is told as it said it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from headwater import Feed, Freshness, Given, GivenTime, HttpPoll, Number, SourceMapping, Text
from services.declare import DeclarationError, FeedSpec
from services.sources.http_poll import patience_s
from tests.sources.running import Running
from tests.sources.scripted_http import ScriptedHttp
from tests.waiting import wait_until

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)
MAPPING = SourceMapping(
    {"symbol": "sym", "price": Given("quote.cents", factor=0.01)},
    created_at=GivenTime("at", unit="s"), id=("sym", "at"), records="data.quotes",
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedHttp]:
    with ScriptedHttp() as made:
        yield made


def quotes(source: HttpPoll) -> FeedSpec:
    class Quotes(Feed, name="quotes", key="symbol", freshness=RULE, source=source):
        """What an exchange's interface answers."""

        symbol = Text()
        price = Number(unit="EUR")

    return Quotes.declaration


def answer(*cents: int, at: float | None = None) -> dict[str, object]:
    stamp = time.time() - 5 if at is None else at
    return {"data": {"quotes": [
        {"sym": f"s{number}", "quote": {"cents": price}, "at": stamp} for number, price in enumerate(cents)
    ]}}  # fmt: skip


def test_records_of_an_answer_become_events_and_the_same_answer_counts_once(
    broker_url: str, server: ScriptedHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTES_TOKEN", "t0p-secret")
    server.script({"body": answer(1_250, 300)})
    source = HttpPoll(
        f"{server.origin}/quotes", every_s=0.1, mapping=MAPPING, headers={"Authorization": "Bearer env:QUOTES_TOKEN"}
    )
    with Running(broker_url, quotes(source)) as running:
        wait_until(lambda: len(server.seen()) >= 3, what="three questions")
        assert running.values("symbol", "price") == [("s0", 12.5), ("s1", 3.0)]
        assert {one["authorization"] for one in server.seen()} == {"Bearer t0p-secret"}
        assert running.told == []
    assert "t0p" not in source.title


def test_what_did_not_change_is_a_sign_of_life_and_a_change_is_taken(broker_url: str, server: ScriptedHttp) -> None:
    server.script(
        {"body": answer(100), "headers": {"ETag": '"one"', "Last-Modified": "Sat, 28 Nov 2026 10:00:00 GMT"}},
        {"status": 304}, {"status": 304}, {"body": answer(200), "headers": {"ETag": '"two"'}}, {"status": 304},
    )  # fmt: skip
    with Running(broker_url, quotes(HttpPoll(f"{server.origin}/q", 0.1, mapping=MAPPING))) as running:
        assert [event["price"] for event in running.wait_for(2)] == [1.0, 2.0]
        wait_until(lambda: len(server.seen()) >= 5, what="five questions")
        before = running.alive_at()
        wait_until(lambda: running.alive_at() > before, what="another sign of life")
        first, second, *_, last = server.seen()
        assert "if-none-match" not in first
        assert (second["if-none-match"], second["if-modified-since"]) == ('"one"', "Sat, 28 Nov 2026 10:00:00 GMT")
        assert last["if-none-match"] == '"two"'
        assert len(running.events()) == 2


@pytest.mark.parametrize(
    ("scripted", "cause", "said"),
    [
        ({"status": 401}, "source_error", "401 Unauthorized"),
        ({"status": 500, "body": "env"}, "source_error", "500 Internal Server Error"),
        ({"body": "<html>"}, "source_error", "the answer is no JSON"),
        ({"body": {"data": {}}}, "source_error", "no records at 'data.quotes'"),
        ({"pause_s": 3, "body": []}, "source_silent", "no answer in 0.5 s"),
        ({"status": 302, "headers": {"Location": "https://other.example/a?key=t0p"}}, "source_error",
         "to other.example/a: a redirect is not followed"),
    ],
)  # fmt: skip
def test_what_a_server_refuses_is_told_with_its_cause_and_asked_again(
    broker_url: str, server: ScriptedHttp, scripted: dict[str, object], cause: str, said: str
) -> None:
    server.script(scripted, {"body": answer(100)})
    with Running(broker_url, quotes(HttpPoll(f"{server.origin}/q", 60, mapping=MAPPING, timeout_s=0.5))) as running:
        running.wait_told(cause, said)
        running.wait_for(1)


def test_a_server_that_asks_for_patience_gets_it_and_viewers_read_until_when(
    broker_url: str, server: ScriptedHttp
) -> None:
    server.script({"status": 429, "headers": {"Retry-After": "3"}}, {"body": answer(100)})
    with Running(broker_url, quotes(HttpPoll(f"{server.origin}/q", 0.1, mapping=MAPPING))) as running:
        text = running.wait_told("source_error", "429 Too Many Requests until ")
        told_at = time.monotonic()
        assert text.endswith(" UTC")
        running.wait_for(1)
        assert time.monotonic() - told_at > 2  # three seconds, less what the test took to notice
        assert len(server.seen()) >= 2


def test_a_server_that_is_gone_is_silent_since_its_last_answer_and_found_again(broker_url: str) -> None:
    with ScriptedHttp() as server:
        server.script({"body": answer(100)})
        with Running(broker_url, quotes(HttpPoll(f"{server.origin}/q", 0.1, mapping=MAPPING))) as running:
            running.wait_for(1)
            server.stop()
            text = running.wait_told("source_silent", "no connection: Connection refused; last answer ")
            assert text.endswith(" UTC")
            server.start()
            server.script({"body": answer(200)})
            assert running.wait_for(2)[-1]["price"] == 2.0


def test_a_secret_stands_in_no_text_that_is_told(
    broker_url: str, server: ScriptedHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = HttpPoll("env:QUOTES_ADDRESS", every_s=0.1)
    with Running(broker_url, quotes(source)) as running:
        running.wait_told("source_error", "QUOTES_ADDRESS is not set")
        monkeypatch.setenv("QUOTES_ADDRESS", "http://user:pa%24s@127.0.0.1:1/q?key=very-secret")
        text = running.wait_told("source_silent", "no connection")
        assert "secret" not in text
        assert "pa%24s" not in text
    assert source.hidden("at http://user:pa%24s@127.0.0.1:1/q?key=very-secret, pa$s") == (
        "at env:QUOTES_ADDRESS, env:QUOTES_ADDRESS"
    )


def test_a_date_or_a_number_of_seconds_asks_for_patience() -> None:
    now_ms = 1_700_000_000_000
    assert patience_s("120", now_ms) == 120
    assert patience_s(formatdate(now_ms / 1000 + 90, usegmt=True), now_ms) == 90
    assert patience_s(formatdate(now_ms / 1000 - 90, usegmt=True), now_ms) == 0
    assert patience_s("864000", now_ms) == 3_600
    assert patience_s("", now_ms) is None
    assert patience_s("soon", now_ms) is None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (HttpPoll("", 5), "give an address"),
        (HttpPoll("ftp://a/b", 5), "begin it with http:// or https://"),
        (HttpPoll("http://a/b", 0), "give seconds from 0.05"),
        (HttpPoll("http://a/b", 5, timeout_s=0), "give seconds from 0.1"),
        (HttpPoll("https://me:hunter22@a/b", 5), "a password stands in the file; give env:NAME"),
    ],
)
def test_a_poll_that_cannot_be_meant_is_refused_at_its_declaration(source: HttpPoll, said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as refused:
        quotes(source)
    assert "hunter22" not in str(refused.value)
