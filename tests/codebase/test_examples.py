"""The examples in the documents are declarations that hold, taken together as a project."""

from __future__ import annotations

import re
import sys
from types import ModuleType

import pytest

from components.page import Page
from services.declare import Declarations
from tests.codebase.sources import ROOT

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs/extending.md").read_text(), re.DOTALL)


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
