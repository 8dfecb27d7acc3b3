"""A page's own callback: in the browser it is given what stands on the screen, also of a page that is paused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running import Running, headwater, running
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

PAGE = '''"""Prices."""

from dash import Input, Output, dcc, html
from headwater import callback, page, table

from ..feeds.prices import Newest, Prices

PRICES = page(
    "Prices", "/prices",
    table(Newest, columns=[Prices.item, Prices.value]),
    html.Div([html.Button("Sum up", id="sum-up"), html.P(id="sum", role="status")]),
)


@callback(Output("sum", "children"), Input("sum-up", "n_clicks"), shown=Newest, prevent_initial_call=True)
def sum_up(clicks, newest):
    return f"{newest.value.sum():g} in {len(newest)} rows, asked {clicks} times"
'''


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Running]:
    folder = tmp_path / "weather"
    folder.mkdir()
    assert headwater("new", "feed", "prices", cwd=folder, HEADWATER_PROJECT=".").returncode == 0
    (folder / "pages").mkdir()
    (folder / "pages" / "prices.py").write_text(PAGE)
    with running("up", tmp_path, cwd=folder, HEADWATER_PROJECT=".") as started:
        started.wait_until_ready()
        wait_until(lambda: "is live at" in started.output, what="the supervisor's word")
        yield started


def _post(up: Running, item: str, value: float) -> None:
    headers = {"Authorization": f"Bearer {(up.data / 'ingest.key').read_text().strip()}",
               "Content-Type": "application/json"}
    assert up.get("/api/ingest/prices", headers, json.dumps({"item": item, "value": value}).encode())[0] == 202


def _rows(viewer: Viewer) -> int:
    data = viewer.data("prices.newest")
    return len(data["rows"]) if data else 0


def test_a_callback_sums_up_what_is_on_the_screen_live_and_paused(up: Running, viewer: Viewer) -> None:
    viewer.open(f"{up.url}/prices")
    for number, item in enumerate(["apples", "pears"], 1):
        _post(up, item, 1.5)
        wait_until(lambda seen=number: _rows(viewer) == seen, what="the value in the store")
    ask = "document.getElementById('sum-up').click()"
    viewer.run(ask)
    wait_until(lambda: viewer.text("#sum") == "3 in 2 rows, asked 1 times", what="the sum")

    viewer.run("document.querySelector('.header [data-pause]').click()")
    _post(up, "figs", 4.0)
    wait_until(lambda: _rows(viewer) == 3, what="the value behind the pause")
    viewer.run(ask)
    wait_until(lambda: viewer.text("#sum") == "3 in 2 rows, asked 2 times", what="the sum of what is paused")
    viewer.run("document.querySelector('.header [data-pause]').click()")
    viewer.run(ask)
    wait_until(lambda: viewer.text("#sum") == "7 in 3 rows, asked 3 times", what="the sum of all")
