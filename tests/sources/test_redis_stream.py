"""Redis stream: entries that others write become events once, whoever reads, and what was trimmed unread is told."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from headwater import Feed, Freshness, Number, RedisStream, SourceMapping, Text
from services.declare import DeclarationError, FeedSpec
from tests.redis_server import RedisServer
from tests.sources.running import Running

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("theirs")) as made:
        yield made


@pytest.fixture
def theirs(server: RedisServer) -> Iterator[redis.Redis]:
    """The team's own Redis, empty; it speaks TLS and asks for a password."""
    client = server.client()
    client.flushall()
    yield client
    client.close()


def address(server: RedisServer) -> str:
    return f"{server.url}?ssl_ca_certs={server.certificate}"


def jobs(source: RedisStream) -> FeedSpec:
    class Jobs(Feed, name="jobs", key="job", freshness=RULE, source=source):
        """Jobs that another system writes to a stream."""

        job = Text()
        took_s = Number(unit="s")

    return Jobs.declaration


def stream(server: RedisServer, monkeypatch: pytest.MonkeyPatch, **more: str) -> RedisStream:
    monkeypatch.setenv("JOBS_REDIS", address(server))
    return RedisStream("env:JOBS_REDIS", "jobs", mapping=SourceMapping(parse=True), **more)


def test_another_worker_goes_on_after_the_last_entry_that_was_accepted(
    broker_url: str, server: RedisServer, theirs: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: str = theirs.xadd("jobs", {"job": "a", "took_s": "1.5"}).decode()  # type: ignore[union-attr]
    with Running(broker_url, jobs(stream(server, monkeypatch, since="0"))) as running:
        [event] = running.wait_for(1)
        assert (event["id"], event["job"], event["took_s"]) == (first, "a", 1.5)
        theirs.xadd("jobs", {"job": "b", "took_s": "2"})
        running.wait_for(2)
    theirs.xadd("jobs", {"job": "c", "took_s": "3"})
    with Running(broker_url, jobs(stream(server, monkeypatch, since="0")), worker="worker-2") as running:
        running.wait_for(3)
        assert running.values("job") == ["a", "b", "c"]
        assert running.duplicates() == 0
        assert running.told == []


def test_what_was_trimmed_before_it_was_read_is_told_with_its_number(
    broker_url: str, server: RedisServer, theirs: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs.xadd("jobs", {"job": "a", "took_s": "1"})
    with Running(broker_url, jobs(stream(server, monkeypatch, since="0"))) as running:
        running.wait_for(1)
    for number in range(10):
        theirs.xadd("jobs", {"job": f"j{number}", "took_s": "1"}, maxlen=3, approximate=False)
    with Running(broker_url, jobs(stream(server, monkeypatch)), worker="worker-2") as running:
        running.wait_told("source_error", "7 entries after ")
        running.wait_for(4)
        assert running.values("job") == ["a", "j7", "j8", "j9"]
        assert len(running.told) == 1


def test_without_a_position_it_begins_with_what_comes_and_json_in_a_field_is_read(
    broker_url: str, server: RedisServer, theirs: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs.xadd("jobs", {"body": json.dumps({"job": "before", "took_s": 1})})
    monkeypatch.setenv("JOBS_REDIS", address(server))
    with Running(broker_url, jobs(RedisStream("env:JOBS_REDIS", "jobs", field="body"))) as running:
        before = running.alive_at()
        assert running.until_alive(before)
        theirs.xadd("jobs", {"body": json.dumps({"job": "after", "took_s": 2})})
        [event] = running.wait_for(1)
        assert event["job"] == "after"
        theirs.xadd("jobs", {"body": "no json"})
        running.wait_rejected("wrong_type")


def test_a_redis_that_goes_away_is_silent_and_read_on_and_its_password_is_told_to_nobody(
    broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer(tmp_path / "theirs") as server:
        source = stream(server, monkeypatch, since="0")
        with server.client() as client, Running(broker_url, jobs(source)) as running:
            client.xadd("jobs", {"job": "a", "took_s": "1"})
            running.wait_for(1)
            server.stop(signal.SIGKILL)
            assert "password" not in running.wait_told("source_silent", "no connection")
            server.start()
            client.xadd("jobs", {"job": "b", "took_s": "1"})
            running.wait_for(2)
            assert running.values("job") == ["a", "b"]
        monkeypatch.setenv("JOBS_REDIS", address(server).replace("a-password-for-the-tests", "another-password"))
        with Running(broker_url, jobs(source), worker="worker-2") as running:
            assert "another" not in running.wait_told("source_error", "invalid username-password pair")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (RedisStream("http://a", "jobs"), "begin it with redis://"),
        (RedisStream("redis://a", ""), "name a stream"),
        (RedisStream("redis://a", "jobs", since="now"), "give an entry's id"),
        (RedisStream("redis://:secret1@a", "jobs"), "a password stands in the file"),
    ],
)
def test_a_stream_that_cannot_be_meant_is_refused_at_its_declaration(source: RedisStream, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        jobs(source)
