"""Scope: what is delivered and for how much is read from the file, and what does not go together is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.loading import DEMO, load_contract, load_declarations
from services.contract.check_scope import check_scope
from services.contract.document import Contract
from services.contract.faults import ContractError
from services.contract.reading import read_contract
from services.contract.scope import Scope
from tests.contract.written import shop

DECLARATIONS = load_declarations(DEMO)
PAGES, ROLES = ("/", "/host", "/operations", "/signals", "/machine"), ("admin", "desk", "wall", "client", "ewr-ops")
assert DEMO.contract is not None
TEXT = DEMO.contract.read_text()


def demo() -> Contract:
    found = load_contract(DECLARATIONS, DEMO)
    assert found is not None
    return found


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "contract.toml"
    path.write_text(text)
    return path


def _faults(path: Path) -> str:
    with pytest.raises(ContractError) as refused:
        read_contract(path, DECLARATIONS)
    return str(refused.value)


def test_scope_envelope_dependencies_phases_and_prices_are_read() -> None:
    scope = demo().scope
    assert scope.named.feeds == ("flights", "host", "operations", "signals")
    assert scope.named.pages == ("/", "/host", "/operations", "/signals")
    assert scope.envelope is not None
    assert (scope.envelope.events_per_s, scope.envelope.viewers, scope.envelope.rows) == (1_000, 500, 400)
    assert scope.dependencies[0].due == date(2026, 1, 15)
    assert scope.dependencies[0].moves == ("first-pages", "handover")
    assert [one.phase for one in scope.phases] == ["mvp", "production"]
    assert sum(each.pays_percent for one in scope.phases for each in one.milestones) == 100
    assert scope.prices is not None
    assert scope.prices.factor == 1.25
    assert len(scope.prices.support.bands) == 4


def test_a_contract_without_these_tables_is_whole() -> None:
    assert shop().scope == Scope(named=shop().scope.named)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"flights", "host", "operations"', '"flihgts"', "scope.feeds: 'flihgts': no such feed; did you mean flights?"),
        ('objectives = ["reconnect"]', 'objectives = ["reconect"]', "no such objective; did you mean reconnect?"),
        (
            'moves = ["first-pages", ',
            'moves = ["pages", ',
            "dependency[0].moves: 'pages': no such milestone; did you mean",
        ),
        ("pays_percent = 60", "pays_percent = 50", "let pays_percent of all milestones add up to 100"),
        ("begins = 2027-01-01", "begins = 2025-01-01", "phase[1].begins: 2025-01-01: give a day on or after the mvp's"),
        ('name = "handover"', 'name = "first-pages"', "'first-pages': taken twice; give another"),
        ("viewers = 500", "viewers = 0", "envelope.viewers: 0: give a whole number of viewers from 1"),
        ("retainer_a_month = 600\n", "", "price.support.retainer_a_month: missing: give what the retainer costs"),
        ('hours = "other"', 'hours = "support"', "price.support.band[1].hours: 'support': priced above"),
        ("day_rate = 800", "day_rate = -1", "price.day_rate: -1: give an amount from 0, for example 800"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_remedy(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert told in _faults(changed(tmp_path, (old, new)))


def test_a_page_or_role_in_scope_that_nothing_declares_fails_the_check(tmp_path: Path) -> None:
    path = changed(tmp_path, ('pages = ["/", ', 'pages = ["/machin", '), ('roles = ["desk", ', 'roles = ["desks", '))
    remarks = [one.text for one in check_scope(read_contract(path, DECLARATIONS), PAGES, ROLES, accepted=True)]
    assert remarks[0] == "'/machin': no such page; did you mean /machine?"
    assert remarks[1] == "'desks': no such role; did you mean desk?"


def test_production_needs_a_passed_acceptance_where_phases_are_declared(tmp_path: Path) -> None:
    contract = read_contract(changed(tmp_path, ('phase = "mvp"', 'phase = "production"')), DECLARATIONS)
    (remark,) = check_scope(contract, PAGES, ROLES, accepted=False)
    assert remark.level == "fail"
    assert remark.text.startswith("production needs a passed acceptance")
    assert not list(check_scope(contract, PAGES, ROLES, accepted=True))
    assert not list(check_scope(demo(), PAGES, ROLES, accepted=False))


def test_prices_without_an_envelope_are_a_warning(tmp_path: Path) -> None:
    table = "[envelope]\nevents_per_s = 1_000\nviewers = 500\nrows = 400\n"
    contract = read_contract(changed(tmp_path, (table, "")), DECLARATIONS)
    assert [one.level for one in check_scope(contract, PAGES, ROLES, accepted=False)] == ["warn"]
