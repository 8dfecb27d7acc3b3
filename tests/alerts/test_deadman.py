"""The dead man's heartbeat: at its pace, to a real server, and without its address in any log."""

from __future__ import annotations

from structlog.testing import capture_logs

from services.alerts.deadman import Heartbeat
from services.contract.alerting import DeadMan
from tests.alerts.servers import hook_server
from tests.ports import free_port

MAN = DeadMan("DEAD_MAN_URL", 60)


def test_a_heartbeat_goes_out_as_often_as_the_contract_says() -> None:
    with hook_server() as server:
        heartbeat = Heartbeat(MAN, {"DEAD_MAN_URL": server.url})
        beats = [heartbeat.beat(at) for at in (5_000, 10_000, 64_999, 65_000, 124_999, 125_000)]
    assert beats == [True, False, False, True, False, True]
    assert server.paths == ["/hook/secret"] * 3


def test_a_heartbeat_that_fails_is_counted_and_the_next_one_goes_out_at_its_time() -> None:
    with hook_server(fails=2) as server:
        heartbeat = Heartbeat(MAN, {"DEAD_MAN_URL": server.url})
        failures = []
        for at in (1, 60_001, 120_001):
            heartbeat.beat(at)
            failures.append(heartbeat.failures)
    assert failures == [1, 2, 0]


def test_the_address_is_a_secret_and_stands_in_no_log() -> None:
    with capture_logs() as lines:
        assert not Heartbeat(MAN, {"DEAD_MAN_URL": f"http://127.0.0.1:{free_port()}/secret"}).beat(1)
        assert not Heartbeat(MAN, {}).beat(1)
    assert [line["log_level"] for line in lines] == ["warning", "warning"]
    assert "secret" not in str(lines)
    assert "the variable DEAD_MAN_URL is not set" in str(lines)
