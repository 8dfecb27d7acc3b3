"""Markup that events, people and addresses bring is shown as it was sent, and no place takes it for its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from app.explore.question import PARAMETERS
from services.alerts.finding import Finding
from services.alerts.register import Register
from services.database import Database
from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.journeys.watching import found, watched
from tests.markup import MARKUP
from tests.waiting import wait_until

MADE_OF_MARKUP = """
return document.querySelectorAll('img[src="x"], svg[onload], iframe, [onmouseover], [onerror], a[href^="javascript"],'
  + 'a[href*="evil.example"], sup, main b, .drawer b, .legend a, .hovertext a').length
"""
TEXTS = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
TAKES_TEXT_FOR_MARKUP = """
const own = Object.getOwnPropertyDescriptor(Node.prototype, 'textContent');
Object.defineProperty(Element.prototype, 'textContent', { get: own.get, set(text) { this.innerHTML = text; } });
"""


@pytest.fixture
def page(viewer: Viewer) -> Iterator[Viewer]:
    """A browser that is watched."""
    with watched(viewer) as made:
        yield made


def assert_nothing_ran(page: Viewer, where: str) -> None:
    assert (found(page), page.run(MADE_OF_MARKUP)) == ([], 0), where


def is_drawn(page: Viewer) -> bool:
    return bool(page.run("return document.querySelector('#early') === null"))


def click(page: Viewer, selector: str) -> None:
    page.run("document.querySelector(arguments[0]).click()", selector)


def post(installation: Installation) -> None:
    """An order for each text, which is its key, its shop and its note."""
    installation.post([
        {"id": f"markup-{number}", "order": text, "shop": text, "price": 100.0 + number, "note": f"note {text}"}
        for number, text in enumerate(MARKUP)
    ])


def test_markup_in_events_is_shown_as_it_was_sent_and_never_runs(installation: Installation, page: Viewer) -> None:
    post(installation)
    page.open(installation.url)
    wait_until(lambda: all(map(page.grid_row, MARKUP)), what="every order in the table")
    wait_until(lambda: len(page.run(TEXTS, ".legend .legendtext")) >= len(MARKUP), what="a line for each shop")
    legend, log, cells = page.run(TEXTS, ".legend .legendtext"), page.log_text(), page.run(TEXTS, ".ag-cell")
    assert {*MARKUP} <= {*legend}
    assert [text for text in MARKUP if text not in log] == []
    assert len([text for text in MARKUP if text in cells]) >= 5, "those that are on the screen"
    page.run("const plot = document.querySelector('.js-plotly-plot');"
             "Plotly.Fx.hover(plot, plot.data.map((_, curve) => ({curveNumber: curve, pointNumber: 0})))")
    wait_until(lambda: page.run(TEXTS, ".hoverlayer .hovertext"), what="a hover text")
    click(page, ".ag-row .ag-cell[col-id='row-details']")
    wait_until(lambda: page.text("dialog.drawer[open]"), what="the opened row")
    assert any(text in page.text(".drawer") for text in MARKUP)
    assert_nothing_ran(page, "the first page")

    for text in MARKUP[:2]:
        page.open(f"{installation.url}/shops?shop={quote(text, safe='')}")
        wait_until(lambda: page.run(TEXTS, ".js-plotly-plot"), what="its charts")
        assert_nothing_ran(page, text)


def test_markup_in_incidents_and_notices_is_shown_as_it_was_written(installation: Installation, page: Viewer) -> None:
    database = Database(f"sqlite:///{installation.folder / 'data' / 'headwater.db'}")
    text = "".join(MARKUP[:3])
    now = json.loads(installation.get("/api/channels/orders.total/snapshot"))["times"]["processed"]
    Register(database).fire(Finding("markup", "markup", "major", "worker", text, now - 5_000), now, "journey")
    database.close()
    page.open(installation.url)
    post(installation)
    wait_until(lambda: any("<scr" in one for one in page.run(TEXTS, ".annotation-text")), what="the mark on a chart")
    assert_nothing_ran(page, "the chart")
    for path in ("/sla", "/status"):
        page.driver.get(installation.url + path)
        wait_until(lambda: page.run("return document.readyState") == "complete", what=path)
        assert_nothing_ran(page, path)


def test_markup_in_what_is_painted_is_shown_as_it_was_sent(installation: Installation, page: Viewer) -> None:
    post(installation)
    page.open(f"{installation.url}/gallery")
    wait_until(lambda: len(page.run(TEXTS, ".bar-name")) == 5, what="bars")
    wait_until(lambda: page.run("return document.querySelectorAll('.status-list li, .states li').length") >= 1
               or "Shops" in page.run("return document.body.innerText"), what="states")
    wait_until(lambda: len(page.run(TEXTS, ".heat th")) > len(MARKUP), what="a map of shops by orders")
    shown = page.run("return document.body.textContent")
    assert {*page.run(TEXTS, ".bar-name")} <= {*MARKUP}
    assert [text for text in MARKUP if text not in shown] == []
    page.driver.find_element(By.CSS_SELECTOR, ".heat-frame").send_keys(Keys.ARROW_RIGHT)
    wait_until(lambda: page.text(".heat-foot .readout"), what="a cell in words")
    assert_nothing_ran(page, "the gallery")


def test_no_parameter_of_an_address_becomes_markup(installation: Installation, page: Viewer) -> None:
    post(installation)
    whole = quote("".join(MARKUP[:5]), safe="")
    page.open(f"{installation.url}/explore?of=orders&show=count&by=shop&as=table")
    wait_until(lambda: MARKUP[1] in page.run("return document.body.innerText"), what="the archive's answer")
    assert_nothing_ran(page, "an answer with a line for each shop")
    part = f"of={quote('orders.total_by_shop:' + MARKUP[1])}"
    chosen = f"of=orders&show=count&by=shop&where=shop&is={quote(MARKUP[0])}"
    wrong = "&".join(f"{name}={whole}" for name in PARAMETERS if name != "of")
    for asked in (part, chosen, f"of={whole}", f"of=orders&{wrong}"):
        page.open(f"{installation.url}/explore?{asked}")
        wait_until(lambda: is_drawn(page) and page.run(TEXTS, ".explore-form"), what=asked)
        assert_nothing_ran(page, asked)
    for address in ("/{}", "/?replay={}", "/?kiosk=1&pages={}", "/?orders.everything.q={}&q={}"):
        page.driver.get(installation.url + address.replace("{}", whole))
        wait_until(lambda: is_drawn(page), what=address)
        assert_nothing_ran(page, address)


@contextmanager
def holed(page: Viewer) -> Iterator[Viewer]:
    """The browser with a hole: what our pages set as text, it takes for markup."""
    told = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": TAKES_TEXT_FOR_MARKUP})
    yield page
    page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", told)


@pytest.mark.parametrize("path", ["/", "/gallery"])
def test_a_place_that_took_text_for_markup_would_be_noticed_here(
    installation: Installation, page: Viewer, path: str
) -> None:
    post(installation)
    with holed(page):
        page.driver.get(installation.url + path)
        assert wait_until(lambda: page.run(MADE_OF_MARKUP), what="elements that an event made")
        refused = wait_until(lambda: found(page), what="what the policy refused them")
    assert not any("it ran" in one for one in refused), "and even then the policy lets no script of theirs run"
