"""Alerts that a file of the project declares: thresholds of its contract, and told where they cannot be meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.loading import Project, forgiving, in_development, load_contract, load_declarations
from services.alerts.thresholds import Reading, is_beyond, worst_value
from services.declare import DeclarationError
from tests.project.__main__ import PROJECT

ALERTS = '''"""Told."""

from headwater import alert

from ..feeds.shop import ByShop, Everything, Orders, Total

MANY = alert(Total.orders, above=100, for_s=60, means="orders pile up")
CHEAP = alert(Orders.price, of=Everything, key="o1", below=1, severity="critical", means="the order is for nothing")
'''


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A folder of the shop's feeds, its contract, and a file of alerts."""
    folder = tmp_path / "team"
    (folder / "feeds").mkdir(parents=True)
    shutil.copy(Path(PROJECT.feeds.__path__[0]) / "shop.py", folder / "feeds")
    assert PROJECT.contract is not None
    shutil.copy(PROJECT.contract, folder)
    (folder / "alerts").mkdir()
    (folder / "alerts" / "orders.py").write_text(ALERTS)
    return folder


def test_they_are_thresholds_of_the_contract_beside_its_own(team: Path) -> None:
    project = Project.at(team)
    contract = load_contract(load_declarations(project), project)
    without = load_contract(load_declarations(PROJECT), PROJECT)
    assert contract is not None
    assert without is not None
    own = {one.name for one in without.alerting.threshold}
    rules = {one.name: one for one in contract.alerting.threshold if one.name not in own}
    assert set(rules) == {"orders-total-orders-above", "orders-everything-price-below"}
    assert len(contract.alerting.threshold) == len(own) + 2
    many, cheap = rules["orders-total-orders-above"], rules["orders-everything-price-below"]
    assert (many.above, many.for_s, many.severity, many.key) == (100, 60, "major", None)
    seen = Reading("Orders", "Price", "EUR", {"o1": 0.5, "o2": 0.1}, 1, None)
    key, value = worst_value(cheap, seen)
    assert (key, value) == ("o1", 0.5)
    assert is_beyond(cheap, value)  # type: ignore[arg-type]


WRONG = {
    "a limit too many": ("above=100", "above=100, below=1", r"orders\.py:7: alert\(Total\.orders\): .*one of above"),
    "no limit": ("above=100, ", "", "give one of above and below"),
    "a text": ("Total.orders", "Orders.shop, of=Everything", "only numbers have limits"),
    "a field alone": ("Orders.price, of=Everything,", "Orders.price,", "a field of a feed needs of="),
    "another channel's column": ("Orders.price, of=Everything", "Orders.price, of=ByShop", "it has no such column"),
    "a severity": ('"critical"', '"bad"', "give critical, major or minor"),
    "no meaning": ('"orders pile up"', '" "', "say in a few words"),
    "too long a patience": ("for_s=60", "for_s=100_000", "give 0 to 86400 seconds"),
    "a name": ("for_s=60", 'name="Many!"', "use lower-case letters, digits and -"),
    "a name twice": ("for_s=60", 'name="orders-everything-price-below"', "another alert has this name"),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_that_cannot_be_meant_is_told_where_it_stands_and_leaves_the_rest(team: Path, case: str) -> None:
    before, after, told = WRONG[case]
    file = team / "alerts" / "orders.py"
    file.write_text(ALERTS.replace(before, after))
    project = Project.at(team)
    with pytest.raises(DeclarationError, match=told):
        load_contract(load_declarations(project), project)
    given = in_development(project)
    assert given.contract is not None, "the contract itself is not at fault"
    (fault,) = given.faults or ()
    assert fault.startswith(f"{file}:")


def test_without_a_contract_nobody_would_be_told_and_that_is_said(team: Path) -> None:
    (team / "contract.toml").unlink()
    project = forgiving(Project.at(team))
    assert load_contract(load_declarations(project), project) is None
    first, second = project.faults or ()
    assert "orders.py:7: alert 'orders-total-orders-above': 'orders.total': sinks of contract.toml tell of it" in first
    assert "alert 'orders-everything-price-below'" in second
