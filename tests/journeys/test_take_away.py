"""Take away: a reader saves what is shown, an interval and a picture, by keyboard, and stops a long one."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from arro3.io import read_parquet
from selenium.webdriver.common.keys import Keys

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

ORDERS = [
    {"id": f"take-{n}", "order": f"T{n:03}", "shop": ("north", "south")[n % 2], "price": n, "note": "x" * 2_000}
    for n in range(120)
]


@pytest.fixture
def folder(viewer: Viewer, tmp_path: Path) -> Path:
    """Where the browser saves."""
    settings = {"behavior": "allow", "downloadPath": str(tmp_path)}
    viewer.driver.execute_cdp_cmd("Page.setDownloadBehavior", settings)
    return tmp_path


def press(viewer: Viewer, block: str, label: str, group: str = "") -> None:
    """Press the button of that label in the open menu of a block; `group` where several are called so."""
    pressed = viewer.run(
        "const found = [...document.querySelectorAll(`${arguments[0]} .menu button`)].find((button) =>"
        " button.textContent === arguments[1] && button.parentElement.textContent.includes(arguments[2]));"
        "found?.click(); return Boolean(found)", block, label, group,
    )
    assert pressed, label


def saved(folder: Path, ending: str) -> bytes:
    """The file that was saved last with that ending."""
    done = wait_until(lambda: sorted(folder.glob(f"*.{ending}")), what=f"a saved .{ending}")
    return wait_until(done[-1].read_bytes, what="its content")


def rows_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def test_what_is_shown_an_interval_and_a_picture_are_taken_away_and_a_long_one_is_stopped(
    installation: Installation, viewer: Viewer, folder: Path
) -> None:
    installation.post(ORDERS)
    viewer.open(installation.url)
    wait_until(lambda: viewer.run("return document.querySelectorAll('.ag-row').length") > 5, what="rows")
    field = viewer.driver.find_element("css selector", ".tools input")
    field.send_keys("T00")
    shown = "return [...document.querySelectorAll('.ag-center-cols-container .ag-row')].length"
    wait_until(lambda: viewer.run(shown) == 10, what="ten rows that contain T00")
    summary = viewer.driver.find_element("css selector", ".table .menu summary")
    summary.send_keys(Keys.ENTER)
    wait_until(lambda: "What is shown" in viewer.text(".table .menu-body"), what="the menu")

    viewer.run("window.kept = window.headwater.state('orders.everything')")
    press(viewer, ".table", "CSV")
    wait_until(lambda: viewer.text(".table .menu-status") == "10 rows saved", what="the filtered rows in a file")
    rows, kept = rows_of(saved(folder, "csv")), viewer.run("return window.kept")
    assert [row["order"] for row in rows] == [f"T{n:03}" for n in range(10)]
    assert {(row["stamp_epoch"], int(row["stamp_seq"])) for row in rows} == {(kept["epoch"], kept["seq"])}
    assert all(float(row["price"]) == kept["data"]["rows"][row["key"]]["price"] for row in rows)

    def archived() -> int:
        return len(rows_of(installation.get("/api/channels/orders.everything/export?since=0").encode()))

    wait_until(lambda: archived() == len(ORDERS), what="an archive that has all")
    press(viewer, ".table", "Parquet", "An interval")
    wait_until(lambda: viewer.text(".table .menu-status") == "120 rows saved", what="the interval as Parquet")
    table = read_parquet(saved(folder, "parquet")).read_all()
    assert sorted(table.column("order").to_pylist()) == [order["order"] for order in ORDERS]

    viewer.driver.execute_cdp_cmd("Network.enable", {})
    slow = {"offline": False, "latency": 0, "downloadThroughput": 20_000, "uploadThroughput": 100_000}
    viewer.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    press(viewer, ".table", "CSV", "An interval")
    wait_until(lambda: viewer.run("return document.querySelector('.menu progress') !== null"), what="a progress bar")
    press(viewer, ".table", "Cancel")
    wait_until(lambda: "Cancelled" in viewer.text(".table .menu-status"), what="a stopped export")
    free = {**slow, "downloadThroughput": -1, "uploadThroughput": -1}
    viewer.driver.execute_cdp_cmd("Network.emulateNetworkConditions", free)
    assert len(list(folder.glob("*.csv"))) == 1, "nothing of it was saved"

    summary.send_keys(Keys.ESCAPE)
    assert viewer.run("return document.activeElement.closest('.menu') !== null"), "the focus is back on the menu"
    viewer.driver.find_element("css selector", ".chart .menu summary").send_keys(Keys.ENTER)
    wait_until(lambda: viewer.run("return document.querySelector('.chart .menu button') !== null"), what="its menu")
    press(viewer, ".chart", "PNG")
    wait_until(lambda: viewer.text(".chart .menu-status") == "Picture saved", what="the picture")
    assert saved(folder, "png").startswith(b"\x89PNG")
