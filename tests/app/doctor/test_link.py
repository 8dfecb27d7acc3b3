"""`headwater doctor URL`, on the way to a real server through a real proxy that misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from werkzeug.serving import make_server

from app.doctor.finding import Finding
from app.doctor.link import Link
from app.doctor.live_link import Heartbeats, Idle, RoundTrip, Upgrade
from app.doctor.outside import examine_link
from app.doctor.pages_link import Answers, Caching, Compression, Encryption, LongPoll
from app.factory import create_app
from app.settings import Settings
from services.embedded import EmbeddedBroker
from tests.app.doctor.certified import Authority, TlsServer
from tests.app.doctor.said import found, passes
from tests.app.running import headwater
from tests.journeys.proxy import FaultProxy


def _silent(_: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module")
def port(shared_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One served web process for the tests of this file."""
    settings = Settings(redis_url=shared_broker.url, data=tmp_path_factory.mktemp("data"))
    web = create_app(settings)
    server = make_server("127.0.0.1", 0, web.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    web.stop()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy(port: int) -> Iterator[FaultProxy]:
    between = FaultProxy(port)
    yield between
    between.close()


def test_a_good_way_passes_all_that_is_looked_at(proxy: FaultProxy) -> None:
    told: list[str] = []
    findings = list(examine_link(Link(proxy.url), 1.5, told.append))
    assert {finding.level for finding in findings} == {"ok"}, findings
    assert [finding.subject for finding in findings] == [
        "address", "TLS", "compression", "cache", "upgrade", "frames", "heartbeats", "round trip", "clock", "idle",
        "long poll",
    ]
    assert "held for 1.5 s" in findings[-2].text
    assert told == ["long poll: waiting 1.5 s for its answer"]


def test_a_proxy_that_takes_out_the_upgrade_is_told_apart_from_one_that_bars_it(proxy: FaultProxy) -> None:
    proxy.take_out("Upgrade")
    finding = found(Upgrade(Link(proxy.url)))
    assert "a proxy on the way takes it out" in finding.text
    assert "proxy_set_header Upgrade" in finding.remedy
    proxy.take_out()
    proxy.bar_upgrades(True)
    finding = found(Upgrade(Link(proxy.url)))
    assert "answered 403 by something on the way, not by Headwater" in finding.text
    assert "long poll" in finding.remedy


def test_behind_a_barred_upgrade_the_rest_is_still_looked_at(proxy: FaultProxy) -> None:
    proxy.bar_upgrades(True)
    levels = {finding.subject: finding.level for finding in examine_link(Link(proxy.url), 1, _silent)}
    assert levels["upgrade"] == "fail"
    assert levels["long poll"] == "ok"
    assert "idle" not in levels


def test_a_proxy_that_cuts_what_idles_is_found_by_waiting(proxy: FaultProxy) -> None:
    proxy.cut_idle(1.0)
    finding = found(Idle(Link(proxy.url), 20, _silent))
    assert "a link without a byte is cut after 1 s; both ends speak every 2 s" in finding.text
    assert "raise the idle timeout" in finding.remedy


def test_a_link_that_dies_without_a_word_is_found(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.doctor.live_link.PONG_WITHIN_S", 1.0)
    monkeypatch.setattr("app.doctor.live_link.TELL_EVERY_S", 0.3)
    told: list[str] = []

    def mute_once_told(text: str) -> None:
        told.append(text)
        proxy.mute()

    assert "it was dead without a word" in found(Idle(Link(proxy.url), 1, mute_once_told)).text
    assert told[0] == "idle: 0 of 1 s without a byte, and still open"


def test_frames_and_pages_that_come_uncompressed_warn(proxy: FaultProxy) -> None:
    proxy.take_out("Sec-WebSocket-Extensions", "Accept-Encoding")
    assert "three times the bytes" in found(Upgrade(Link(proxy.url)), "warn").text
    assert "uncompressed" in found(Compression(Link(proxy.url)), "warn").text


def test_a_cdn_that_answers_out_of_its_cache_fails_and_is_named(proxy: FaultProxy) -> None:
    proxy.put_in("X-Cache: HIT from edge")
    assert "X-Cache: HIT from edge" in found(Caching(Link(proxy.url))).text
    proxy.put_in("Via: 1.1 edge")
    assert "(Via: 1.1 edge" in passes(Answers(Link(proxy.url)))[0]


def test_a_poll_that_is_cut_while_it_waits_fails(proxy: FaultProxy) -> None:
    proxy.cut_idle(0.6)
    assert "cut after 1 s" in found(LongPoll(Link(proxy.url), 10, _silent)).text


def test_frames_that_are_held_back_fail(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.doctor.live_link.FIRST_FRAME_WITHIN_S", 0.5)
    proxy.hold_frames()
    assert "something holds them back" in found(Upgrade(Link(proxy.url))).text


def test_heartbeats_that_are_rarer_than_routers_wait_fail(proxy: FaultProxy) -> None:
    passes(Heartbeats(Link(proxy.url)))
    assert "one every 2 s" in found(Heartbeats(Link(proxy.url), limit_s=1.0)).text


def test_a_far_server_warns(proxy: FaultProxy) -> None:
    finding = found(RoundTrip(Link(proxy.url), slow_ms=0.0), "warn")
    assert finding.subject == "round trip"
    assert "serve nearer" in finding.remedy


def test_a_page_of_another_origin_is_told_which_to_add(port: int) -> None:
    class Elsewhere(Link):
        @property
        def origin(self) -> str:
            return "https://elsewhere.example"

    finding = found(Upgrade(Elsewhere(f"http://127.0.0.1:{port}")))
    assert finding.remedy == "add https://elsewhere.example to HEADWATER_ORIGINS"


def test_what_is_not_headwater_or_not_there_fails(tmp_path: Any) -> None:
    assert "correct the address" in found(Answers(Link("http://127.0.0.1:1"))).remedy
    with TlsServer(Authority(tmp_path).sign("localhost")) as server:
        assert "local issuer" in found(Encryption(Link(f"https://localhost:{server.port}"))).text
    assert "by https" in found(Encryption(Link("http://ops.example.com"))).remedy


def test_the_command_says_how_far_it_is_and_exits_with_1_where_something_failed(proxy: FaultProxy) -> None:
    proxy.take_out("Upgrade")
    ended = headwater("doctor", proxy.url, "--for", "1", "--json")
    assert ended.returncode == 1
    assert orjson.loads(ended.stdout)["fail"] == 1
    assert "... long poll: waiting 1 s" in ended.stderr
    assert headwater("doctor", "ops.example.com").returncode == 2


def test_a_finding_is_one_line_with_its_remedy() -> None:
    assert Finding("fail", "idle", "cut", "raise it").line() == "fail  idle: cut; raise it"
