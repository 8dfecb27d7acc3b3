"""What a page says when a part of the system is in trouble: state, cause, and that it passes by itself."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread

import pytest
from selenium.webdriver.common.by import By

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.journeys.proxy import FaultProxy
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

_numbers = count(1_000)
WATCH_TASKS = (
    "window.tasks = []; new PerformanceObserver((list) => { for (const { duration } of list.getEntries())"
    " tasks.push(Math.round(duration)); }).observe({ type: 'longtask' })"
)


def post_until(installation: Installation, condition: Callable[[], object], what: str, timeout_s: float = 20) -> None:
    """Post order after order until the condition holds: a feed that flows."""

    def posted_and_met() -> bool:
        installation.post([_order(next(_numbers))])
        return bool(condition())

    wait_until(posted_and_met, timeout_s, what)


def _order(number: int) -> dict[str, object]:
    return {"id": f"t{number}", "order": f"T{number}", "shop": "north", "price": 10.0 + number}


def test_a_source_that_stops_makes_the_page_stale_and_says_so(installation: Installation, viewer: Viewer) -> None:
    viewer.open(installation.url)
    installation.post([_order(1)])
    post_until(installation, lambda: viewer.badge("orders.everything") == "live", "a badge that says live")
    wait_until(lambda: viewer.badge("orders.everything") == "stale", 15, "a badge that says stale")
    wait_until(lambda: "source" in viewer.banner().lower(), what="the banner that names the source")
    assert viewer.grid_row("T1") is not None
    installation.post([])
    wait_until(lambda: viewer.badge("orders.everything") == "quiet", what="quiet: alive, but no events")
    wait_until(lambda: viewer.banner() == "", what="the banner gone")


def test_a_feed_whose_events_are_all_refused_is_not_called_silent(
    installation: Installation, viewer: Viewer
) -> None:
    viewer.open(installation.url)
    post_until(installation, lambda: viewer.badge("orders.everything") == "live", "a badge that says live")

    def refused() -> bool:
        installation.post([{"order": "no price"}])
        return "missing_field" in viewer.banner()

    wait_until(refused, 15, "the reason of the refusals on the banner")


def test_a_worker_that_is_killed_is_named_and_its_successor_continues(
    own_installation: Installation, viewer: Viewer
) -> None:
    viewer.open(own_installation.url)
    own_installation.post([_order(1)])
    wait_until(lambda: viewer.grid_row("T1"), what="the first row")
    own_installation.end_process("worker", signal.SIGKILL)
    own_installation.post([_order(2)])
    wait_until(lambda: "worker" in viewer.banner().lower(), 15, "the banner that names the worker")
    own_installation.start_process("worker")
    wait_until(lambda: viewer.grid_row("T2"), 15, "the row posted while no worker ran")
    assert viewer.data("orders.total")["rows"]["all"]["orders"] == 2
    post_until(own_installation, lambda: viewer.banner() == "", "the banner gone")


def test_a_backlog_is_named_with_its_size_and_since_when_and_the_page_is_live_again_by_itself(
    own_installation: Installation, viewer: Viewer
) -> None:
    viewer.open(own_installation.url)
    own_installation.post([_order(1)])
    wait_until(lambda: viewer.grid_row("T1"), what="the first row")
    many = [{"order": f"F{n % 500}", "shop": "north", "price": 1.0 + n % 90} for n in range(2_500)]
    with _slowed(own_installation.pid("worker")):  # more comes than it can process
        for _ in range(32):
            own_installation.post(many)
        said = wait_until(lambda: "events behind" in viewer.banner() and viewer.banner(), 30, "the banner: a backlog")
        assert re.match(
            r"Live feed delayed by [\d.]+ (s|min), [\d,]+ events behind since \d\d:\d\d:\d\d .*\(orders\)", said
        ), said
        wait_until(lambda: "behind" in viewer.text(".tile .freshness-text"), what="the same on the badges")
        assert viewer.badge("orders.total") == "late"
    wait_until(lambda: viewer.data("orders.total")["rows"]["all"]["orders"] == 80_001, 60, "every event counted")
    post_until(own_installation, lambda: viewer.badge("orders.total") == "live", "a badge that says live", 30)
    post_until(own_installation, lambda: viewer.banner() == "", "the banner gone")
    assert viewer.stats()["gaps"] == 0


@contextmanager
def _slowed(pid: int) -> Iterator[None]:
    """A process that gets a tenth of its time, as on a machine that has other things to do."""
    over = Event()

    def slow_down() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            over.wait(0.36)
            os.kill(pid, signal.SIGCONT)
            over.wait(0.04)

    slowing = Thread(target=slow_down)
    slowing.start()
    try:
        yield
    finally:
        over.set()
        slowing.join()


def test_a_broker_that_comes_back_empty_starts_a_new_epoch_with_snapshot_and_banner(
    own_installation: Installation, viewer: Viewer
) -> None:
    viewer.open(own_installation.url)
    own_installation.post([_order(1), _order(2)])
    wait_until(lambda: viewer.grid_row("T2"), 20, "the rows")
    before = viewer.state("orders.everything")
    assert before is not None
    own_installation.broker.kill()
    wait_until(lambda: "broker" in viewer.banner().lower(), 15, "the banner that names the broker")
    own_installation.restart_broker_empty()
    own_installation.wait_ready()
    own_installation.post([_order(3)])
    wait_until(lambda: (viewer.state("orders.everything") or before)["epoch"] != before["epoch"], 15, "a new epoch")
    wait_until(lambda: viewer.data("orders.everything")["rows"].keys() == {"T3"}, 15, "the new state alone")
    wait_until(lambda: viewer.grid_row("T1") is None and viewer.grid_row("T3"), what="the new rows on screen")
    post_until(own_installation, lambda: viewer.banner() == "", "the banner gone")


def test_web_processes_that_restart_are_found_again(own_installation: Installation, viewer: Viewer) -> None:
    viewer.open(own_installation.url)
    own_installation.post([_order(1)])
    wait_until(lambda: viewer.grid_row("T1"), what="the first row")
    own_installation.end_process("web", signal.SIGTERM)
    own_installation.start_process("web")
    own_installation.wait_ready()
    own_installation.post([_order(2)])
    wait_until(lambda: viewer.grid_row("T2"), 30, "the row posted after the restart")


def test_a_page_that_is_asked_for_without_a_server_is_told_of_and_comes_by_itself(
    own_installation: Installation, viewer: Viewer
) -> None:
    viewer.open(own_installation.url)
    own_installation.post([_order(1)])
    wait_until(lambda: viewer.grid_row("T1"), what="the first row")
    own_installation.kill_tree("web")
    wait_until(lambda: "the server does not answer" in viewer.banner(), 15, "the banner: no server")
    viewer.driver.find_element(By.LINK_TEXT, "Total").click()
    words = "Total opens as soon as the server answers. This is still Shop."
    wait_until(lambda: viewer.text(".arriving") == words, 15, "what is shown, and what comes")
    assert viewer.grid_row("T1") is not None, "the last values stay"
    own_installation.start_process("web")
    own_installation.wait_ready()
    wait_until(lambda: viewer.text("h1") == "Total" and viewer.tile("Turnover"), 30, "the page that was asked for")
    assert viewer.text(".arriving") == ""


def test_where_a_proxy_bars_websockets_the_page_lives_by_long_poll_and_says_so(
    installation: Installation, viewer: Viewer, proxy: FaultProxy
) -> None:
    proxy.bar_upgrades(True)
    viewer.open(proxy.url)
    wait_until(lambda: viewer.stats()["link"]["state"] == "polling", 20, "a long poll")
    installation.post([_order(501)])
    wait_until(lambda: viewer.grid_row("T501"), what="the row in the table")
    post_until(installation, lambda: viewer.badge("orders.everything") == "live", "a badge that says live")
    wait_until(lambda: "WebSockets are blocked here" in viewer.banner(), what="the banner says how updates come")
    assert viewer.text(".link-state") == "Live by long poll"
    assert proxy.barred >= 3
    proxy.bar_upgrades(False)
    viewer.run("dispatchEvent(new Event('online'))")
    wait_until(lambda: viewer.stats()["link"]["state"] == "open", 20, "a socket")
    installation.post([_order(502)])
    wait_until(lambda: viewer.grid_row("T502"), what="the row that came by the socket")
    post_until(installation, lambda: viewer.banner() == "", "the banner gone")
    theirs = installation.snapshot("orders.everything")
    wait_until(lambda: (viewer.state("orders.everything") or {}).get("data") == theirs["data"], what="agreement")
    assert viewer.stats()["gaps"] == 0


def test_a_burst_of_ten_thousand_events_over_a_thousand_keys_leaves_the_page_usable(
    own_installation: Installation, viewer: Viewer
) -> None:
    viewer.open(own_installation.url)
    own_installation.post([_order(1)])
    wait_until(lambda: viewer.grid_row("T1"), what="the first row")
    # The arrival of Plotly is one long task of opening the page, not of the burst.
    wait_until(lambda: viewer.run("return Boolean(document.querySelector('.js-plotly-plot .main-svg'))"), what="charts")
    viewer.run(WATCH_TASKS)
    for part in range(4):
        events = [
            {"id": f"b{n}", "order": f"K{n % 1_000:04}", "shop": ("north", "south")[n % 2], "price": 1.0 + n % 150}
            for n in range(part * 2_500, (part + 1) * 2_500)
        ]
        own_installation.post(events)
    wait_until(lambda: (viewer.grid_row("K0999") or {}).get("price") == 1.0 + 9_999 % 150, 30, "the last event painted")
    wait_until(lambda: viewer.data("orders.total")["rows"]["all"]["orders"] == 10_001, 30, "every event counted")
    for channel in ("orders.everything", "orders.total", "orders.prices", "orders.dear"):
        truth = own_installation.snapshot(channel)["data"]
        wait_until(lambda channel=channel, truth=truth: viewer.data(channel) == truth, 20, f"{channel} as the server's")
    tasks = viewer.run("return tasks")
    print(f"tasks over 50 ms during the burst, in ms: {sorted(tasks)}")
    assert max(tasks, default=0) < 1_000  # under 200 on a quiet machine; a busy one shall not fail the suite
    assert viewer.stats()["gaps"] == 0
