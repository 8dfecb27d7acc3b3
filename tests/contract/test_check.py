"""Check: targets that the declared system cannot hold are told with the figure and the nearest one that holds."""

from __future__ import annotations

from pathlib import Path

from services.contract.check import Remark, check_contract
from services.contract.reading import read_contract
from tests.contract.written import DECLARATIONS, written

SET = {"SHOP_CHAT_URL": "set", "SHOP_DEAD_MAN_URL": "set"}
REACTIVE = ('monitoring = "proactive"', 'monitoring = "reactive"')


def _remarks(folder: Path, *changes: tuple[str, str], tick_ms: int = 16) -> list[Remark]:
    contract = read_contract(written(folder, *changes), DECLARATIONS)
    return list(check_contract(contract, DECLARATIONS, tick_ms=tick_ms, environment=SET, tested=["mail"]))


def test_a_contract_that_the_system_can_hold_has_no_remarks(tmp_path: Path) -> None:
    assert _remarks(tmp_path) == []


def test_freshness_below_the_sources_interval_and_a_tick_is_told_with_what_holds(tmp_path: Path) -> None:
    (remark,) = _remarks(tmp_path, ("within_s = 3.0\nowner", "within_s = 0.5\nowner"))
    assert (remark.level, remark.name) == ("warn", "total-freshness")
    assert remark.text == (
        "within_s = 0.5: orders.total has an event every 1.0 s and a tick takes 0.016 s, so at most 49.212 % can hold; "
        "the nearest target that holds is within_s = 1.1"
    )


def test_the_target_that_is_named_as_nearest_holds(tmp_path: Path) -> None:
    assert _remarks(tmp_path, ("within_s = 3.0\nowner", "within_s = 1.1\nowner")) == []


def test_freshness_of_all_channels_is_held_against_the_slowest_that_may_not_be_quiet(tmp_path: Path) -> None:
    every = ('channel = "orders.total"\ntarget_percent = 99\nwithin_s = 3.0', "target_percent = 99\nwithin_s = 0.5")
    assert _remarks(tmp_path, every) == []  # the shop's only feed may be quiet


def test_an_interval_below_the_sources_own_is_told(tmp_path: Path) -> None:
    (remark,) = _remarks(tmp_path, ("target_percent = 90\nwithin_s = 5.0", "target_percent = 90\nwithin_s = 0.9"))
    assert (remark.name, remark.text[-44:]) == ("orders-interval", " nearest target that holds is within_s = 1.1")


def test_latency_below_a_tick_is_told(tmp_path: Path) -> None:
    below = ("within_s = 2.0", "within_s = 0.05"), ("within_s = 5.0", "within_s = 0.05")
    sent, painted = (remark.text for remark in _remarks(tmp_path, *below, tick_ms=100))
    nearest = "; the nearest target that holds is within_s = "
    assert sent == f"within_s = 0.05: a tick alone may take 0.1 s{nearest}0.1"
    assert painted == f"within_s = 0.05: a tick and a frame alone may take 0.117 s{nearest}0.12"


def test_availability_finer_than_its_probes_can_show_is_told(tmp_path: Path) -> None:
    (remark,) = _remarks(tmp_path, ("target_percent = 99.9", "window_days = 1\ntarget_percent = 99.99"))
    assert remark.text == (
        "99.99 %: the 8,640 probes of 1 days cannot show it, a single missed one is 99.988 %; "
        "the nearest target that holds is target_percent = 99.988"
    )


def test_a_limit_below_what_was_measured_lately_is_told(tmp_path: Path) -> None:
    contract = read_contract(written(tmp_path), DECLARATIONS)
    figures = {"orders-sent": 2.314, "orders-painted": 4.9, "backlog": 1_234}
    sent, backlog = check_contract(
        contract, DECLARATIONS, tick_ms=16, environment=SET, measured=lambda one: figures.get(one.name), tested=["mail"]
    )
    assert sent.text == (
        "within_s = 2: lately 95 % were within 2.314 s; the nearest target that holds is within_s = 2.4"
    )
    assert backlog.text.endswith("were within 1,234 events; the nearest target that holds is within_events = 1300")


def test_proactive_monitoring_without_a_tested_sink_fails(tmp_path: Path) -> None:
    contract = read_contract(written(tmp_path), DECLARATIONS)
    (remark,) = check_contract(contract, DECLARATIONS, tick_ms=16, environment=SET, tested=["log"])
    assert (remark.level, remark.name) == ("fail", "support.monitoring")
    assert remark.text.endswith("no test ever reached a sink (chat, mail); run headwater alerts test")


def test_proactive_monitoring_with_a_log_alone_fails_before_any_test(tmp_path: Path) -> None:
    text = written(tmp_path).read_text()
    sinks = text[text.index("[[sink]]") : text.index('[[sink]]\nname = "log"')]
    path = written(tmp_path, (sinks, ""), ('sinks = ["mail", "log"]', 'sinks = ["log"]'))
    contract = read_contract(path, DECLARATIONS)
    (remark,) = check_contract(contract, DECLARATIONS, tick_ms=16, environment=SET)
    assert remark.text == "proactive, but no sink reaches anybody; declare a webhook or mail"


def test_reactive_monitoring_needs_no_tested_sink(tmp_path: Path) -> None:
    contract = read_contract(written(tmp_path, REACTIVE), DECLARATIONS)
    assert list(check_contract(contract, DECLARATIONS, tick_ms=16, environment=SET, tested=[])) == []


def test_a_sink_whose_secret_is_not_set_is_told_by_the_variables_name(tmp_path: Path) -> None:
    contract = read_contract(written(tmp_path), DECLARATIONS)
    (remark,) = check_contract(contract, DECLARATIONS, tick_ms=16, environment={}, tested=["mail"])
    assert (remark.level, remark.name) == ("warn", "sink chat")
    assert remark.text == "SHOP_CHAT_URL is not set; nothing can be sent by it"


def test_raw_samples_that_are_gone_before_the_report_are_told(tmp_path: Path) -> None:
    (remark,) = _remarks(tmp_path, ("raw_days = 60", "raw_days = 20"))
    assert remark.name == "report.raw_days"
    assert "kept for 20 days, a month has up to 31" in remark.text
