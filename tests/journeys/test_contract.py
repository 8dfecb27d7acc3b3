"""What a party to the contract sees in a browser, in a project that is not the demo: SLA page and status page."""

from __future__ import annotations

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}


def test_every_promise_of_the_project_stands_on_the_live_sla_page_and_on_the_status_page(
    installation: Installation, viewer: Viewer
) -> None:
    installation.post([{"id": "sla-1", "order": "S1", "shop": "north", "price": 5}])
    viewer.open(f"{installation.url}/sla")
    rows = wait_until(lambda: (viewer.data("contract.objectives") or {}).get("rows"), 90, "the standing on the page")
    assert {"orders-sent", "orders-painted", "orders-interval"} <= set(rows)
    assert rows["orders-sent"]["target_percent"] > 0
    assert wait_until(lambda: viewer.tile("Phase"), what="the phase") == "production"

    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        viewer.open(f"{installation.url}/sla")
        assert viewer.run("return document.documentElement.scrollWidth") <= PHONE["width"]

        def promises_on_the_status_page() -> bool:
            viewer.driver.get(f"{installation.url}/status")  # without a script, it says what its process knows by now
            page = viewer.text("main")
            return "Orders of the shop" in page and "Orders sent" in page

        wait_until(promises_on_the_status_page, 90, "the objectives on the status page")
        assert viewer.run("return document.documentElement.scrollWidth") <= PHONE["width"]
    finally:
        viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
