"""The examples in the documents are declarations that hold, taken together as a project."""

from __future__ import annotations

import re
import sys
from types import ModuleType

import pytest

import headwater
from app.drafts.sources import KINDS
from components.page import Page, read_pages
from headwater import Source
from services.archive.frames import state_frame
from services.contract.alerting import ThresholdRule
from services.declare import Alert, Declarations, Derived, Retired
from tests.codebase.sources import ROOT
from tests.services.test_sources import Collector


def _examples(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / document).read_text(), re.DOTALL)


EXAMPLES = _examples("extending.md")
OF_SOURCES = _examples("sources.md")


def _run(example: str, names: dict[str, object]) -> None:
    exec(compile(example, "docs/extending.md", "exec"), names)  # noqa: S102 - our own document


@pytest.fixture
def feed_file(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The document's feed file, as the module that its page file imports."""
    module = ModuleType("services.feeds.prices")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    _run(EXAMPLES[0], vars(module))
    return module


def test_the_feed_of_the_document_declares_its_channels(feed_file: ModuleType) -> None:
    declarations = Declarations.read([feed_file])
    assert set(declarations.channels) == {"prices.newest", "prices.last_minute", "prices.course", "prices.dear"}


def test_the_channel_of_channels_of_the_document_is_made_from_them(feed_file: ModuleType) -> None:
    (example,) = (one for one in EXAMPLES if "Derived" in one)
    module = ModuleType("services.feeds.margin")
    _run(example, vars(module))
    declarations = Declarations.read([feed_file, module])
    margin = declarations.channels["margin.now"]
    assert issubclass(margin, Derived)
    assert margin.of == ("prices.newest", "costs.cost")
    made = list(margin.rows({"ACME": {"price": 10.0}, "NEW": {"price": 1.0}}, {"ACME": {"cost": 8.0}}))
    assert made == [{"symbol": "ACME", "percent": pytest.approx(20.0)}]


def test_the_page_of_the_document_shows_them(feed_file: ModuleType) -> None:
    page_file: dict[str, object] = {"__name__": "app.pages.prices"}
    (example,) = (one for one in EXAMPLES if "PRICES = page(" in one)
    _run(example, page_file)
    page = page_file["PRICES"]
    assert isinstance(page, Page)
    page.check(Declarations.read([feed_file]))
    assert {ref.name for ref in page.refs} == {
        "prices.newest",
        "prices.last_minute",
        "prices.course",
        "prices.dear",
    }


def test_what_the_document_retires_has_a_past_alone(feed_file: ModuleType) -> None:
    (example,) = (one for one in EXAMPLES if "Retired(" in one)
    module = ModuleType("services.feeds.rates")
    _run(example, vars(module))
    declarations = Declarations.read([feed_file, module])
    assert "rates.rate" not in declarations.channels
    assert declarations.resolve_past("rates.rate") is not None
    assert vars(module)["RATES"].retired == Retired("2026-11-30", "/prices")


def test_the_alerts_of_the_document_are_rules_of_the_contract(feed_file: ModuleType) -> None:
    (example,) = (one for one in EXAMPLES if "alert(" in one)
    names: dict[str, object] = {"__name__": "alerts.prices"}
    _run(example, names)
    rules = [ThresholdRule.of(one) for one in names.values() if isinstance(one, Alert)]
    assert [(rule.name, rule.channel, rule.field, rule.key, rule.above, rule.below) for rule in rules] == [
        ("prices-last-minute-mean-price-above", "prices.last_minute", "mean_price", None, 900, None),
        ("prices-newest-price-below", "prices.newest", "price", "ACME", None, 1),
    ]


def test_the_callback_of_the_document_draws_what_is_on_the_screen(feed_file: ModuleType) -> None:
    (example,) = (one for one in EXAMPLES if "@callback" in one)
    module = ModuleType("app.pages.drill")
    _run(example, vars(module))
    (page,) = read_pages([module])
    page.check(Declarations.read([feed_file]))
    (drawing,) = page.callbacks
    assert [ref.name for ref in drawing.shown] == ["prices.newest"]
    rows = {"ACME": {"symbol": "ACME", "price": 12.0}, "OLD": {"symbol": "OLD", "price": 1.0}}
    figure = drawing(3, state_frame(drawing.shown[0], {"rows": rows}))
    assert list(figure.data[0].x) == [12.0]


@pytest.mark.parametrize("number", range(len(_examples("components.md"))))
def test_each_component_of_the_document_can_be_declared(number: int) -> None:
    _run(_examples("components.md")[number], {"__name__": "app.pages.shown"})


def test_the_component_of_ones_own_is_a_block_that_needs_its_painter(feed_file: ModuleType) -> None:
    (example,) = (one for one in EXAMPLES if "def gauge(" in one)
    page_file: dict[str, object] = {"__name__": "app.pages.gauges"}
    _run(example, page_file)
    page = page_file["GAUGES"]
    assert isinstance(page, Page)
    page.check(Declarations.read([feed_file]), {"gauge"})
    assert [block.painter for block in page.blocks] == ["gauge"]


def _declared(number: int, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A feed file of the document on sources."""
    module = ModuleType(f"services.feeds.example_{number}")
    module.__file__ = str(ROOT / f"services/feeds/example_{number}.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    _run(OF_SOURCES[number], vars(module))
    return module


FEED_FILES = [number for number, text in enumerate(OF_SOURCES) if text.startswith('"""')]


@pytest.mark.parametrize("number", FEED_FILES)
def test_each_feed_file_of_the_document_on_sources_declares_its_feeds(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Declarations.read([_declared(number, monkeypatch)])
    assert found.feeds
    for feed in found.feeds.values():
        assert feed.source.title


def test_the_document_shows_every_source_there_is_and_how_it_is_drafted() -> None:
    text = (ROOT / "docs/sources.md").read_text()
    shown = "".join(OF_SOURCES)
    pulled = {name for name in headwater.__all__ if isinstance(found := getattr(headwater, name), type)
              and issubclass(found, Source) and found is not Source}  # fmt: skip
    assert pulled >= {"HttpPoll", "SqlPoll", "Kafka", "Http"}
    assert {name for name in pulled if f"source={name}(" not in shown} == set()
    assert {name for name in pulled if f"| `{name}" not in text} == set()
    kinds = set(re.findall(r"^\| [^|]+ \| `([a-z`, ]+)` \|", text, re.MULTILINE))
    assert {kind for one in kinds for kind in one.split("`, `")} == set(KINDS)


def test_the_enrichment_of_the_document_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    (number,) = (n for n, text in enumerate(OF_SOURCES) if "enrichment.passed(" in text)
    module = _declared(number - 1, monkeypatch)
    _run(OF_SOURCES[number], vars(module))


def test_the_source_of_ones_own_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    (number,) = (n for n, text in enumerate(OF_SOURCES) if "class Counter(Source)" in text)
    source = vars(_declared(number, monkeypatch))["Counter"]()
    intake = Collector(rounds=3)
    source.run(intake)
    assert [record["value"] for record in intake.records] == [1, 2, 3]
    assert intake.kept == "3"
    intake = Collector(rounds=1, position=intake.kept)
    source.run(intake)
    assert [record["value"] for record in intake.records] == [4]
