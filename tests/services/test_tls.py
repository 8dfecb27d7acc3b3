"""TLS: a broker whose certificate nobody known signed is refused, unless its authority is named or nothing is asked."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.settings import Settings
from services.broker import Broker, BrokerDown
from services.declare import ChannelRef, Declarations
from tests import feeds
from tests.redis_server import RedisServer
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis"), timeout="3") as running:
        yield running


def version(**said: str) -> str:
    with closing(Broker(Settings(**said).broker_url())) as broker:
        return str(broker.server()["redis_version"])


def test_a_certificate_that_signs_itself_is_refused_and_no_secret_is_told(server: RedisServer) -> None:
    with pytest.raises(BrokerDown, match="certificate verify failed") as told:
        version(REDIS_URL=server.url)
    assert "password" not in str(told.value)


def test_its_authority_can_be_named_as_a_file_or_as_text(server: RedisServer) -> None:
    assert version(REDIS_URL=server.url, REDIS_TLS_CA=str(server.certificate)).startswith("7")
    text = server.certificate.read_text()
    assert version(REDIS_URL=server.url, REDIS_TLS_CA=text).startswith("7")
    assert version(REDIS_URL=server.url, REDIS_TLS_CA=text.replace("\n", "\\n")).startswith("7")


def test_any_certificate_is_taken_where_that_is_said(server: RedisServer) -> None:
    assert version(REDIS_URL=server.url, REDIS_TLS_VERIFY="none").startswith("7")


def test_what_says_how_to_verify_is_said_once_however_often_it_is_handed_on(server: RedisServer) -> None:
    settings = Settings(REDIS_URL=server.url, REDIS_TLS_VERIFY="none")
    again = settings.model_copy(update={"redis_url": settings.broker_url()})
    assert again.broker_url() == settings.broker_url()
    assert Settings(REDIS_URL="redis://localhost", REDIS_TLS_VERIFY="none").broker_url() == "redis://localhost"


def test_an_authority_that_is_neither_file_nor_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file, and no PEM text"):
        Settings(REDIS_TLS_CA=str(tmp_path / "missing.pem"))


def test_connections_that_the_server_closed_as_idle_are_opened_again_unseen(server: RedisServer) -> None:
    settings = Settings(REDIS_URL=server.url, REDIS_TLS_CA=str(server.certificate))
    ref = ChannelRef(Declarations.read((feeds,)).channels["orders.everything"])
    with closing(Broker(settings.broker_url())) as broker, closing(server.client(socket_timeout=5)) as client:
        assert broker.read_deltas({ref: 0}, 1) == []
        assert broker.workers("processor") == 0

        def ours() -> int:
            return sum(one["name"].startswith("headwater-") for one in client.client_list())

        assert ours() == 2
        wait_until(lambda: not ours(), what="the server to close what is idle")
        assert broker.read_deltas({ref: 0}, 1) == []
        assert broker.workers("processor") == 0


def test_the_tests_broker_speaks_nothing_but_tls(server: RedisServer) -> None:
    with pytest.raises(BrokerDown):
        version(REDIS_URL=server.url.replace("rediss://", "redis://"))
    assert ssl.get_server_certificate(("127.0.0.1", server.port), timeout=5)
