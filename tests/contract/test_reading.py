"""Reading: every field of `contract.toml` has its place in the contract, and every fault its line, value and remedy."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from app.loading import DEMO, load_contract, load_declarations
from services.contract.document import POINTS, Contract
from services.contract.faults import ContractError
from services.contract.reading import read_contract
from services.contract.sentences import sentence
from tests.contract.written import DECLARATIONS, TEXT, shop, written

SENT = 'measured_at = "gateway"'


def _refusals(path: Path) -> list[str]:
    with pytest.raises(ContractError) as refused:
        read_contract(path, DECLARATIONS)
    return [line.removeprefix(f"{path}:") for line in str(refused.value).splitlines()]


def _line(text: str, changed: str) -> int:
    return changed[: changed.index(text)].count("\n") + 1


def test_the_demo_and_the_shop_have_contracts_that_hold_every_kind_of_objective() -> None:
    demo = load_contract(load_declarations(DEMO), DEMO)
    assert demo is not None
    for contract in (demo, shop()):
        assert {one.kind for one in contract.objectives} == set(POINTS)


def test_parties_period_zone_and_phase_are_read() -> None:
    contract = shop()
    assert (contract.name, contract.phase, contract.period) == ("Orders of the shop", "production", "month")
    assert (contract.begins, contract.ends) == (date(2026, 1, 1), date(2027, 12, 31))
    assert contract.zone.key == "America/New_York"
    assert contract.provider.name == "Example Operations Ltd"
    assert contract.client.contact == "board@example.com"


def test_an_objective_carries_all_that_was_promised() -> None:
    painted = shop().objective("orders-painted")
    assert painted is not None
    assert (painted.kind, painted.channel, painted.point) == ("latency", "orders.everything", "browser")
    assert (painted.share, painted.limit, painted.window_days) == (0.99, 5.0, None)
    assert (painted.exception, painted.tolerated_minutes) == ("the yearly stock count", 30)
    assert painted.degraded == "updates at a slower rate"
    assert painted.breach == "an event that is painted later than 5.0 s"
    assert painted.binding
    assert "viewer_network" in painted.excluding
    assert painted.line == _line('name = "orders-painted"', TEXT) - 1


def test_in_production_an_objective_can_be_named_as_not_binding() -> None:
    interaction = shop().objective("interaction")
    assert interaction is not None
    assert not interaction.binding


def test_in_mvp_nothing_binds(tmp_path: Path) -> None:
    path = written(tmp_path, ('phase = "production"', 'phase = "mvp"'))
    assert {one.binding for one in read_contract(path, DECLARATIONS).objectives} == {False}


def test_support_severities_sinks_and_report_are_read() -> None:
    contract = shop()
    assert contract.support.monitoring == "proactive"
    assert contract.support.hours[5] == (time(10), time(14))
    assert date(2026, 12, 25) in contract.support.holidays
    critical = contract.severity("critical")
    assert critical is not None
    assert (critical.response_s, critical.resolution_s) == (900, 14_400)
    assert [sink.kind for sink in contract.alerting.sinks] == ["webhook", "smtp", "log"]
    assert [rule.rate for rule in contract.alerting.burn] == [14.4, 6.0, 1.0]
    assert contract.alerting.dead_man is not None
    assert (contract.reporting.weekday, contract.reporting.at) == (0, time(6, 30))
    assert contract.reporting.sinks == ("mail", "log")


def test_an_objective_is_said_in_one_plain_sentence() -> None:
    sent, painted = shop().objectives[:2]
    assert sentence(sent).startswith(
        "95 % of valid events of orders.everything within 2.0 s of receipt, measured at the gateway, "
        "excluding upstream latency, "
    )
    assert sentence(sent).endswith(" and viewer network")
    assert "painted within 5.0 s of creation, measured in the viewer's browser" in sentence(painted)


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        ("within_s = 2.0", "within_s = -2.0", "within_s = -2.0", "objective[0].within_s: -2.0: give seconds above 0"),
        ("within_s = 2.0", 'within_s = "2"', 'within_s = "2"', "objective[0].within_s: '2': give seconds above 0"),
        (
            "within_s = 2.0",
            "within = 2.0",
            "within = 2.0",
            "objective[0].within: 2.0: nothing reads this field; did you",
        ),
        ("within_s = 2.0\n", "", "[[objective]]", "objective[0].within_s: missing: latency needs within_s"),
        ("target_percent = 95", "target_percent = 100", "= 100", "objective[0].target_percent: 100: give a percentage"),
        ('kind = "latency"', 'kind = "lateness"', "lateness", "objective[0].kind: 'lateness': give one of latency, "),
        (
            '"orders.everything"',
            '"orders.everthing"',
            "everthing",
            "objective[0].channel: 'orders.everthing': no such channel; did you mean orders.everything?",
        ),
        (
            'kind = "backlog"',
            'kind = "backlog"\nmeasured_at = "browser"',
            'measured_at = "browser"\ntarget_percent = 99\nwithin_events',
            "objective[7].measured_at: 'browser': backlog is measured at broker",
        ),
        (SENT, "", "[[objective]]", "objective[0].measured_at: missing: say where: gateway or "),
        (
            'name = "orders-painted"',
            'name = "orders-sent" ',
            'name = "orders-sent" ',
            "objective[1].name: 'orders-sent': already taken above",
        ),
        (
            "tolerated_minutes = 30",
            "tolerated_minutes = 1.5",
            "= 1.5",
            "objective[1].tolerated_minutes: 1.5: give a whole",
        ),
        (
            "America/New_York",
            "America/NewYork",
            "NewYork",
            "contract.zone: 'America/NewYork': give a time zone such as",
        ),
        ("ends = 2027-12-31", "ends = 2025-12-31", "2025-12-31", "contract.ends: 2025-12-31: give a day on or after"),
        (
            'feed = "orders"',
            'feed = "order"',
            'feed = "order"',
            "exclusions.upstream[0].feed: 'order': no such feed; did",
        ),
        (
            'monday = "08:00-18:00"',
            'monday = "18:00-08:00"',
            "18:00-08",
            "support.hours.monday: '18:00-08:00': give an end",
        ),
        ('monday = "08:00-18:00"', 'monday = "8-18"', '"8-18"', "support.hours.monday: '8-18': give for each weekday"),
        (
            'monday = "08:00-18:00"',
            'moonday = "08:00-18:00"',
            "moonday",
            "support.hours.moonday: 'moonday': give for each",
        ),
        (
            'field = "turnover"',
            'field = "turnovr"',
            "turnovr",
            "alerts.threshold[0].field: 'turnovr': no such column of ",
        ),
        ("below = 1\n", "", "[[alerts.threshold]]", "alerts.threshold[0].above: missing: give one of above and below"),
        ('kind = "webhook"', 'kind = "web"', "[[sink]]", "sink[0].kind: 'web': give webhook, smtp or log"),
        ('to = ["board@example.com", ', 'to = ["", ', "to = [", "sink[1].to[0]: '': give addresses"),
        (
            'sinks = ["mail", "log"]',
            'sinks = ["mial"]',
            "mial",
            "report.sinks: 'mial': no such sink; did you mean mail?",
        ),
        (
            "together_percent = 10",
            "together_percent = 20",
            "= 20\n",
            "exclusions.viewer_network.together_percent: 20: give a",
        ),
        ("ends = 2026-06-02T00:00:00", "ends = 2026-06-01T21:00:00", "T21", "exclusions.maintenance.single[0].ends: "),
        (
            "begins = 02:00:00",
            'begins = "02:00"',
            '"02:00"',
            "exclusions.maintenance.recurring[0].begins: '02:00': give a",
        ),
        (
            "resolution_minutes = 240",
            "resolution_minutes = 5",
            "resolution_minutes = 5",
            "severity[0].resolution_minutes: 5: give at",
        ),
    ],
)
def test_a_fault_is_told_with_its_line_value_and_remedy(tmp_path: Path, old: str, new: str, at: str, said: str) -> None:
    path = written(tmp_path, (old, new))
    text = path.read_text()
    line = text[: text.index(at)].count("\n") + 1
    refusals = _refusals(path)
    assert any(one.split(": ", 1)[1].startswith(said) for one in refusals), refusals
    assert len(refusals) == 1
    assert refusals[0].startswith(f"{line}:")


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, ('period = "month"', 'period = "week"'), ('least = "major"', 'least = "big"'))
    first, second = _refusals(path)
    assert "contract.period: 'week': give month, quarter or year" in first
    assert "sink[0].least: 'big': give critical, major or minor" in second


def test_a_secret_in_place_of_its_variable_is_not_repeated(tmp_path: Path) -> None:
    path = written(tmp_path, ('url_env = "SHOP_CHAT_URL"', 'url_env = "https://chat.example.com/T0K3N"'))
    (refusal,) = _refusals(path)
    assert "T0K3N" not in refusal
    assert "name the environment variable that holds it" in refusal


def test_an_unread_table_is_an_error(tmp_path: Path) -> None:
    (refusal,) = _refusals(written(tmp_path, more="\n[suport]\nhours = 1\n"))
    assert "suport: {'hours': 1}: nothing reads this field; did you mean support?" in refusal


def test_text_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, ('zone = "America/New_York"', "zone = America"))
    (refusal,) = _refusals(path)
    assert refusal.startswith(f"{_line('zone = America', path.read_text())}: TOML: Invalid value")


def test_a_file_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="No such file or directory: give a file that can be read"):
        read_contract(tmp_path / "none.toml", DECLARATIONS)


def test_a_contract_says_for_each_objective_where_it_stands_in_the_file() -> None:
    contract: Contract = shop()
    lines = TEXT.splitlines()
    for objective in contract.objectives:
        assert lines[objective.line - 1] == "[[objective]]"
        assert lines[objective.line] == f'name = "{objective.name}"'


def test_an_objective_excludes_what_the_contract_has_rules_for_and_what_can_be_part_of_it() -> None:
    excluded = {one.name: set(one.excluding) for one in shop().objectives}
    intervals = {"maintenance", "hotfix", "third_party", "force_majeure"}
    assert excluded["orders-sent"] == excluded["backlog"] == excluded["availability"] == intervals
    assert excluded["orders-painted"] == intervals | {"upstream", "viewer_network"}
    assert excluded["total-freshness"] == intervals | {"upstream"}
    painted = shop().objective("orders-painted")
    assert painted is not None
    assert painted.upstream == (("orders", 3.0),)


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ('"viewer_network"', "'viewer_network': no part of latency measured at gateway; leave it out"),
        ('"maintenance", "hotfix"', "'hotfix': there is no rule for it; give [exclusions.hotfix]"),
    ],
)
def test_an_exclusion_that_cannot_apply_is_refused(tmp_path: Path, listed: str, said: str) -> None:
    hotfix = TEXT[TEXT.index("[exclusions.hotfix]") : TEXT.index("[exclusions.force_majeure]")]
    path = written(tmp_path, (SENT, f"{SENT}\nexcluding = [{listed}]"), (hotfix, ""))
    (refusal,) = _refusals(path)
    assert refusal.endswith(f"objective[0].excluding: {said}")


def test_upstream_is_excluded_only_for_channels_of_a_feed_that_has_a_rule() -> None:
    declarations = load_declarations(DEMO)
    demo = load_contract(declarations, DEMO)
    assert demo is not None
    excluded = {one.name: "upstream" in one.excluding for one in demo.objectives}
    assert (excluded["board-painted"], excluded["machine-freshness"]) == (True, False)
