"""The examples in the documents are declarations that hold, taken together as a project."""

from __future__ import annotations

import re
import sys
from types import ModuleType

import pytest

from components.page import Page
from services.declare import Declarations
from tests.codebase.sources import ROOT


def _examples(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / document).read_text(), re.DOTALL)


EXAMPLES = _examples("extending.md")


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


def test_the_page_of_the_document_shows_them(feed_file: ModuleType) -> None:
    page_file: dict[str, object] = {"__name__": "app.pages.prices"}
    _run(EXAMPLES[1], page_file)
    page = page_file["PRICES"]
    assert isinstance(page, Page)
    page.check(Declarations.read([feed_file]))
    assert {ref.name for ref in page.refs} == {
        "prices.newest",
        "prices.last_minute",
        "prices.course",
        "prices.dear",
    }


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
