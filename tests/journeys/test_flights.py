"""The demo's flights with one airport chosen: live, paused, replayed and for who may see others alone, each component
is what SQL over the archive has."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.journeys.browser import Viewer
from tests.journeys.demo import ENDLESS, PASSWORD, Demo
from tests.waiting import wait_until

TILES = ("Departures", "On time", "Mean delay", "Cancelled", "Worst delay")
DECIMALS = (0, 1, 1, 0, 0)
ROWS = """
  const found = [...document.querySelectorAll('[id]')].find((one) => one.id.includes('live-table')), rows = {};
  try {
    const keep = ({id, status, delay_min}) => { rows[id] = [status, delay_min ?? null]; };
    dash_ag_grid.getApi(JSON.parse(found.id)).forEachNode(({data}) => keep(data));
  } catch { return null; } // the grid is not there yet
  return rows;
"""
LINES = """
  const offset = new Date().getTimezoneOffset() * 60000, graph = document.querySelector('.chart .js-plotly-plot');
  const named = (graph?.data ?? []).filter(({name, x}) => name && name !== 'room' && x?.length);
  const points = ({x, y}) => x.map((t, i) => [t + offset, y[i]]).filter(([, value]) => value !== null);
  return Object.fromEntries(named.map((line) => [line.name, points(line)]));
"""
ENTRIES = """
  const text = (item, field) => item.querySelector(`[data-field=${field}]`).textContent;
  return [...document.querySelectorAll('#_pages_content .log [data-entries] li')].map((item) =>
    [text(item, 'flight'), text(item, 'destination_name'), parseFloat(text(item, 'delay_min'))]);
"""
OFFERED = "return [...document.querySelectorAll('#_pages_content [data-choose] option')].map(({value}) => value)"
WHOLE = "return !!window.headwater?.stats && !document.getElementById('early')"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo with ten minutes of flights that stand still."""
    running = Demo(tmp_path_factory.mktemp("demo"))
    running.start()
    running.play(500)
    yield running
    running.stop()


def sign_in(viewer: Viewer, demo: Demo, name: str, path: str) -> None:
    """Open a page through the form."""
    viewer.driver.get("about:blank")
    viewer.driver.delete_all_cookies()
    viewer.driver.get(f"{demo.url}{path}")
    viewer.driver.find_element(By.ID, "name").send_keys(name)
    viewer.driver.find_element(By.ID, "password").send_keys(PASSWORD, Keys.ENTER)
    wait_until(lambda: viewer.run(WHOLE) and viewer.text("h1") == "Flights", what="the page")


def choose(viewer: Viewer, origin: str) -> None:
    wait_until(lambda: origin in viewer.run(OFFERED), what=f"{origin} to choose")
    Select(viewer.driver.find_element(By.CSS_SELECTOR, "#_pages_content [data-choose]")).select_by_value(origin)


def number_of(text: str) -> float | None:
    """A tile's number; None of a dash."""
    found = re.match(r"−?[\d,.]+", text)
    return float(found[0].replace("−", "-").replace(",", "")) if found else None


def close(shown: float | None, wanted: float | None, decimals: int = 6) -> bool:
    """Whether a number is shown as it is, rounded."""
    if shown is None or wanted is None:
        return shown is wanted
    return abs(shown - wanted) <= 0.5 * 10.0**-decimals + 1e-9


def differing(viewer: Viewer, demo: Demo, origin: str, until: int, *, parts_alone: bool) -> dict[str, Any]:
    """What stands on the page otherwise than SQL has it: (shown, wanted)."""
    found: dict[str, Any] = {}
    tiles = zip(TILES, DECIMALS, demo.tiles(origin, until), strict=True)
    for label, decimals, wanted in tiles:
        if not close(number_of(viewer.tile(label)), wanted, decimals):
            found[label] = (viewer.tile(label), wanted)
    rows, expected = viewer.run(ROWS) or {}, demo.rows(origin, until)
    if other := {leg for leg in rows.keys() | expected.keys() if rows.get(leg) != expected.get(leg)}:
        found["table"] = {leg: (rows.get(leg), expected.get(leg)) for leg in other}
    entries, long_delays = viewer.run(ENTRIES), demo.long_delays(origin, until)
    if entries != long_delays[: len(entries)] or len(entries) < min(len(long_delays), 50):
        found["log"] = (entries, long_delays)
    lines, course = viewer.run(LINES), {} if parts_alone else demo.course(origin, until)
    if not same_lines(lines, course):
        found["chart"] = (lines, course)
    return found


def same_lines(shown: Mapping[str, list[Any]], wanted: Mapping[str, list[Any]]) -> bool:
    """Whether lines have the same points."""
    return shown.keys() == wanted.keys() and all(
        [at for at, _ in shown[name]] == [at for at, _ in wanted[name]]
        and all(close(a, b) for (_, a), (_, b) in zip(shown[name], wanted[name], strict=True))
        for name in wanted
    )


def agree(viewer: Viewer, demo: Demo, origin: str, until: int = ENDLESS, *, parts_alone: bool = False) -> None:
    """Every tile, the table, the chart and the log are those of an airport, as SQL over the archive has them."""
    last: dict[str, Any] = {}

    def agreed() -> bool:
        last.clear()
        last.update(differing(viewer, demo, origin, until, parts_alone=parts_alone))
        return not last

    try:
        wait_until(agreed)
    except AssertionError:
        raise AssertionError(f"{origin or 'all'}: the page shows otherwise than the archive has: {last}") from None


def test_with_an_airport_chosen_each_component_is_what_the_archive_has_also_after_a_reload(
    demo: Demo, viewer: Viewer
) -> None:
    sign_in(viewer, demo, "dora", "/")
    agree(viewer, demo, "")
    choose(viewer, "EWR")
    agree(viewer, demo, "EWR")
    demo.play(8)
    agree(viewer, demo, "EWR")
    assert viewer.run("return location.search") == "?origin=EWR"
    viewer.driver.refresh()
    wait_until(lambda: viewer.run(WHOLE), what="the page again")
    agree(viewer, demo, "EWR")
    choose(viewer, "LGA")
    agree(viewer, demo, "LGA")


def test_who_may_see_other_airports_sees_those_as_the_archive_has_them_and_nothing_of_this_one(
    demo: Demo, viewer: Viewer
) -> None:
    sign_in(viewer, demo, "quentin", "/?origin=EWR")
    note = "There is no origin EWR that you may see"
    wait_until(lambda: note in viewer.text("#_pages_content [data-choice-note]"), what="what is wrong")
    assert viewer.tile("Departures") in ("", "—")
    for origin in ("JFK", "LGA"):
        choose(viewer, origin)
        agree(viewer, demo, origin, parts_alone=True)
    assert viewer.run(OFFERED) == ["JFK", "LGA"]
    assert viewer.run("return document.querySelector('#_pages_content .chart')") is None, "it would show all airports"
    assert "EWR" not in viewer.text("#_pages_content")
    complaints = [one["message"] for one in viewer.driver.get_log("browser") if "dash_renderer" in one["message"]]
    assert complaints == [], "what is on no page of theirs is no fault"
    ask = "return fetch(`/api/channels/${arguments[0]}/snapshot`).then(({status}) => status)"
    assert viewer.run(ask, "flights.board_by_origin:JFK") == 200
    assert viewer.run(ask, "flights.board_by_origin:EWR") == viewer.run(ask, "flights.board") == 404


def test_a_choice_stays_right_while_the_page_is_paused_and_counts_its_own_updates(demo: Demo, viewer: Viewer) -> None:
    sign_in(viewer, demo, "dora", "/?origin=EWR")
    agree(viewer, demo, "EWR")
    before, start = now_ms(), positions(viewer, demo)
    assert "flights.board_by_origin:EWR" in start
    viewer.driver.find_element(By.CSS_SELECTOR, ".header [data-pause]").click()
    wait_until(lambda: "0 updates behind" in viewer.text("[data-pause-behind]"), what="a paused page")
    demo.play(8)
    wait_until(lambda: behind(viewer) == moved(demo, start) > 0, what="as many updates as the archive has")
    agree(viewer, demo, "EWR", before)
    assert "origin=EWR" in viewer.run("return location.search")
    choose(viewer, "LGA")  # is held as it is now
    agree(viewer, demo, "LGA")
    again, start = now_ms(), positions(viewer, demo)
    assert "flights.board_by_origin:EWR" not in start
    demo.play(8)
    wait_until(lambda: behind(viewer) == moved(demo, start) > 0, what="the updates of what is chosen now")
    agree(viewer, demo, "LGA", again)
    viewer.driver.find_element(By.CSS_SELECTOR, "[data-pause-bar] button").click()
    agree(viewer, demo, "LGA")


def now_ms() -> int:
    return int(time.time() * 1000)


def positions(viewer: Viewer, demo: Demo) -> dict[str, int]:
    """How far each channel that the page shows is archived."""
    return {name: demo.position(name) for name in viewer.stats()["channels"]}


def moved(demo: Demo, since: Mapping[str, int]) -> int:
    """How many updates of these channels came since then."""
    return sum(demo.position(name) - seq for name, seq in since.items())


def behind(viewer: Viewer) -> int:
    found = re.match(r"([\d,]+) update", viewer.text("[data-pause-behind]"))
    return int(found[1].replace(",", "")) if found else -1


def test_a_replay_shows_what_is_chosen_as_it_was(demo: Demo, viewer: Viewer) -> None:
    sign_in(viewer, demo, "dora", "/?origin=EWR")
    agree(viewer, demo, "EWR")
    then = now_ms()
    demo.play(8)
    agree(viewer, demo, "EWR")
    assert demo.rows("EWR") != demo.rows("EWR", then)
    viewer.open(f"{demo.url}/?origin=EWR&replay={then}&until={then + 1_000}")
    agree(viewer, demo, "EWR", then)
    choose(viewer, "LGA")
    agree(viewer, demo, "LGA", then)
    assert "replay=" in viewer.run("return location.search")
    viewer.driver.find_element(By.CSS_SELECTOR, '.replay-bar button[title="Back to live"]').send_keys(Keys.ENTER)
    wait_until(lambda: viewer.run("return document.documentElement.dataset.replay === undefined"), what="the live page")
    agree(viewer, demo, "LGA")
