"""An event posted by HTTP is on the page; faults on the way leave no gap and no duplicate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.journeys.proxy import FaultProxy
from tests.waiting import wait_until

CHANNELS = ("orders.everything", "orders.total", "orders.prices", "orders.dear")
_numbers = count(1)


@pytest.fixture
def orders() -> Iterator[Any]:
    """Makes orders that no other journey has."""
    return (
        {"id": f"journey-{n}", "order": f"J{n:05}", "shop": ("north", "south")[n % 2], "price": 90 + n % 20}
        for n in _numbers
    )


def agrees(viewer: Viewer, installation: Installation, channels: tuple[str, ...] = CHANNELS) -> bool:
    """Whether the browser holds what the server holds, value by value, at the same position."""
    for channel in channels:
        mine, theirs = viewer.state(channel), installation.snapshot(channel)
        if mine is None or (mine["epoch"], mine["seq"]) != (theirs["epoch"], theirs["seq"]):
            return False
        assert mine["data"] == theirs["data"], channel
    return True


def test_an_event_posted_by_http_appears_in_tile_chart_table_and_log(
    installation: Installation, viewer: Viewer, orders: Iterator[Any]
) -> None:
    viewer.open(installation.url)
    order = next(orders) | {"price": 123.25, "note": "<b>bold</b>"}
    installation.post([order])
    key = order["order"]
    row = wait_until(lambda: viewer.grid_row(key), what="the row in the table")
    assert (row["price"], row["note"]) == (123.25, "<b>bold</b>")
    wait_until(lambda: key in viewer.log_text(), what="the entry in the log")
    wait_until(
        lambda: any(123.25 in points for points in viewer.chart_points().values()), what="the point in the chart"
    )
    total = installation.snapshot("orders.total")["data"]["rows"]["all"]["orders"]
    wait_until(lambda: viewer.tile("Orders") == str(total), what="the count on the tile")

    def calm_and_live() -> bool:
        installation.post([next(orders)])
        return viewer.badge("orders.everything") == "live" and viewer.banner() == ""

    wait_until(calm_and_live, what="a badge that says live, and no banner")


def test_two_tabs_agree_with_the_server_value_by_value(
    installation: Installation, viewer: Viewer, orders: Iterator[Any]
) -> None:
    viewer.open(installation.url)
    first = viewer.driver.current_window_handle
    viewer.driver.switch_to.new_window("tab")
    second = viewer.driver.current_window_handle
    viewer.open(installation.url)
    for _ in range(20):
        installation.post([next(orders) for _ in range(10)])
    for tab in (first, second):
        viewer.driver.switch_to.window(tab)
        wait_until(lambda: agrees(viewer, installation), what="agreement with the server")
    viewer.leave()
    viewer.driver.close()
    viewer.driver.switch_to.window(first)


def test_a_lost_frame_is_noticed_and_made_good(
    installation: Installation, viewer: Viewer, proxy: FaultProxy, orders: Iterator[Any]
) -> None:
    viewer.open(proxy.url)
    installation.post([next(orders)])
    wait_until(lambda: agrees(viewer, installation), what="agreement before the fault")
    proxy.lose_deltas(1)
    installation.post([next(orders)])
    wait_until(lambda: proxy.lost, what="a lost frame")
    installation.post([next(orders)])
    wait_until(lambda: viewer.stats()["gaps"] > 0, what="the gap noticed")
    wait_until(lambda: agrees(viewer, installation), what="agreement after the fault")


def test_a_frame_lost_with_nothing_after_it_is_noticed_by_the_heartbeat(
    installation: Installation, viewer: Viewer, proxy: FaultProxy, orders: Iterator[Any]
) -> None:
    viewer.open(proxy.url)
    installation.post([next(orders)])
    wait_until(lambda: agrees(viewer, installation), what="agreement before the fault")
    proxy.lose_deltas(10)
    installation.post([next(orders)])
    wait_until(lambda: proxy.lost, what="a lost frame")
    proxy.lose_deltas(0)
    wait_until(lambda: agrees(viewer, installation), what="agreement after the fault")


def test_a_killed_socket_resumes_from_its_position_without_a_snapshot(
    installation: Installation, viewer: Viewer, proxy: FaultProxy, orders: Iterator[Any]
) -> None:
    viewer.open(proxy.url)
    installation.post([next(orders)])
    wait_until(lambda: agrees(viewer, installation), what="agreement before the fault")
    snapshots = viewer.stats()["snapshots"]
    proxy.cut()
    installation.post([next(orders) for _ in range(5)])
    wait_until(lambda: viewer.stats()["reconnects"] == 1, what="a second connection")
    wait_until(lambda: agrees(viewer, installation), what="agreement after the fault")
    assert viewer.stats()["snapshots"] == snapshots


def test_a_cut_link_is_told_on_the_page_and_the_last_values_stay(
    installation: Installation, viewer: Viewer, proxy: FaultProxy, orders: Iterator[Any]
) -> None:
    viewer.open(proxy.url)
    order = next(orders)
    installation.post([order])
    wait_until(lambda: viewer.grid_row(order["order"]), what="the row in the table")
    proxy.refuse(True)
    proxy.cut()
    wait_until(lambda: viewer.badge("orders.everything") == "offline", what="a badge that says offline")
    wait_until(lambda: "offline" in viewer.banner().lower(), what="the banner that says offline")
    assert viewer.grid_row(order["order"]) is not None
    proxy.refuse(False)

    def calm_again() -> bool:
        installation.post([next(orders)])
        return viewer.banner() == ""

    wait_until(calm_again, what="the banner gone")


def test_a_half_open_link_is_noticed_within_a_few_heartbeats(
    installation: Installation, viewer: Viewer, proxy: FaultProxy, orders: Iterator[Any]
) -> None:
    viewer.open(proxy.url)
    installation.post([next(orders)])
    wait_until(lambda: agrees(viewer, installation), what="agreement before the fault")
    proxy.mute()
    wait_until(lambda: viewer.badge("orders.everything") == "offline", what="a badge that says offline")
    proxy.unmute()
    installation.post([next(orders)])
    wait_until(lambda: agrees(viewer, installation), what="agreement after the fault")


def test_a_hidden_tab_catches_up_when_it_is_seen_again(
    installation: Installation, viewer: Viewer, orders: Iterator[Any]
) -> None:
    viewer.open(installation.url)
    installation.post([next(orders)])
    wait_until(lambda: agrees(viewer, installation), what="agreement before hiding")
    first = viewer.driver.current_window_handle
    viewer.driver.switch_to.new_window("tab")
    order = next(orders) | {"price": 1234.0}
    installation.post([order])
    viewer.driver.close()
    viewer.driver.switch_to.window(first)
    wait_until(lambda: order["order"] in viewer.log_text(), what="the entry painted after the return")
    assert agrees(viewer, installation)


def test_a_subscription_is_what_the_open_page_shows(
    installation: Installation, viewer: Viewer, orders: Iterator[Any]
) -> None:
    viewer.open(installation.url)
    wait_until(lambda: set(viewer.stats()["channels"]) == set(CHANNELS), what="the channels of the first page")
    viewer.driver.find_element("link text", "Total").click()
    wait_until(lambda: viewer.stats()["channels"] == ["orders.total"], what="the channels of the second page")
    wait_until(lambda: viewer.tile("Turnover"), what="a turnover on the tile")
    before = viewer.tile("Turnover")
    installation.post([next(orders)])

    def follows() -> bool:
        turnover = installation.snapshot("orders.total")["data"]["rows"]["all"]["turnover"]
        return viewer.tile("Turnover").replace(",", "") == f"{turnover:.2f}"

    wait_until(lambda: viewer.tile("Turnover") != before and follows(), what="the new turnover on the tile")
    viewer.driver.find_element("link text", "Shop").click()
    wait_until(lambda: agrees(viewer, installation), what="agreement after the way back")
    assert viewer.stats()["reconnects"] == 0
