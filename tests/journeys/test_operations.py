"""The operations page of the demo, for who looks after it: one event from its post to the screen, and what is wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from services.broker import Broker
from services.embedded import read_address
from services.telemetry import Telemetry
from tests.app.running import Running, running
from tests.journeys.axe import faults
from tests.journeys.browser import Viewer
from tests.journeys.test_markup import MADE_OF_MARKUP
from tests.journeys.watching import found, watched
from tests.markup import MARKUP
from tests.waiting import wait_until

OPEN_PAGE = "[...document.querySelectorAll('#navigation a')].find((a) => a.textContent === arguments[0]).click()"
TALL = {"width": 1280, "height": 3600, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("up", tmp_path_factory.mktemp("demo")) as started:
        started.wait_until_ready()
        yield started


def post(demo: Running, event: dict[str, Any], correlation: str) -> None:
    key = (demo.data / "ingest.key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "X-Request-ID": correlation}
    assert demo.get("/api/ingest/signals", headers, json.dumps(event).encode())[0] == 202


def is_painted(demo: Running, wanted: str) -> bool:
    found = demo.get(f"/api/trace/{wanted}")[1]
    return any(trace["painted"] for trace in found["traces"])


def ask(viewer: Viewer, wanted: str) -> None:
    field = viewer.driver.find_element(By.ID, "trace-wanted")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(wanted)
    viewer.driver.find_element(By.ID, "trace-ask").click()


def test_an_event_is_traced_from_its_post_to_this_very_screen(demo: Running, viewer: Viewer) -> None:
    viewer.open(f"{demo.url}/signals")
    for number in range(2):  # the browser's clock may not be settled yet when the first one comes
        post(demo, {"id": f"s-{number}", "name": f"name-{number}", "value": 1.5}, f"request-{number}")
        wait_until(lambda number=number: f"name-{number}" in viewer.log_text(), what="the signal")  # type: ignore[misc]
    wait_until(lambda: is_painted(demo, "request-1"), what="the browser's report of what it painted")
    viewer.run(OPEN_PAGE, "Operations")
    wait_until(lambda: viewer.text(".trace-ask"), what="the question")
    ask(viewer, "request-1")
    wait_until(lambda: "painted" in viewer.text(".trace-answer"), what="the stages")
    answer = viewer.text(".trace-answer")
    for stage in ("s-1", "created", "accepted", "signals.newest seq", "sent", "received", "by viewer"):
        assert stage in answer, answer
    ask(viewer, "no-such-event")
    wait_until(lambda: "No event" in viewer.text(".trace-answer"), what="the answer that there is none")


def test_what_is_wrong_stands_on_the_page_and_everybody_can_read_it(demo: Running, viewer: Viewer) -> None:
    address = read_address(demo.data)
    assert address is not None
    now = int(time.time() * 1000)  # one that came too late for its window would be folded nowhere
    bad = {"id": "bad-1", "created_at": now, "ingested_at": now, "name": "s", "value": "x"}
    with redis.Redis.from_url(address) as client:
        client.xadd("hw:{signals.0}:events", {"events": orjson.dumps([bad]), "n": 1})
    post(demo, {"name": "without a value"}, "request-2")
    slow = Telemetry("web-slow", "web", lambda: int(time.time() * 1000))
    slow.name_slow([{"viewer": "ab12cd34", "principal": "open", "channels": 3, "rate_hz": 1.5, "for_s": 8.0}])
    broker = Broker(address)
    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TALL)
    viewer.open(f"{demo.url}/operations")

    def whole() -> str:
        broker.write_telemetry(slow.process, slow.payload())
        found: str = viewer.run("return document.body.innerText")
        return found

    wanted = ("missing_field", "ab12cd34", "signals.0 processor", "flights.0 archive", "worker-")
    wait_until(lambda: all(text in whole() for text in wanted), what=f"{wanted} on the page")
    viewer.driver.find_element(By.ID, "quarantine-refresh").click()  # its list is of when it was asked for
    wait_until(lambda: "bad-1" in viewer.text(".quarantine-list"), what="what could not be folded")
    viewer.run("document.documentElement.dataset.theme = 'light'")
    assert faults(viewer) == []
    viewer.run("document.documentElement.dataset.theme = 'dark'")
    assert faults(viewer, "color-contrast") == []
    viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    broker.close()


def test_markup_in_what_is_refused_put_aside_and_traced_is_shown_as_it_was_sent(demo: Running, viewer: Viewer) -> None:
    address, now = read_address(demo.data), int(time.time() * 1000)
    assert address is not None
    aside = [{"id": text, "created_at": now, "ingested_at": now, "name": text, "value": text} for text in MARKUP]
    with redis.Redis.from_url(address) as client:
        client.xadd("hw:{signals.0}:events", {"events": orjson.dumps(aside), "n": len(aside)})
    traced = f"traced {MARKUP[1]}"
    post(demo, {"id": traced, "name": MARKUP[0], "value": 1.5}, "request-4")
    for number, text in enumerate(MARKUP):
        post(demo, {"name": text, "value": text, text: text}, f"request-5-{number}")
    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TALL)
    with watched(viewer):
        viewer.open(f"{demo.url}/operations")
        wait_until(lambda: "not_a_number" in viewer.log_text() or "wrong_type" in viewer.log_text(), what="refusals")
        viewer.driver.find_element(By.ID, "quarantine-refresh").click()
        wait_until(lambda: MARKUP[1] in viewer.text(".quarantine-list"), what="what could not be folded")
        for wanted in (traced, *MARKUP[:3]):
            ask(viewer, wanted)
            wait_until(lambda wanted=wanted: wanted in viewer.text(".trace-answer"), what="an answer")  # type: ignore[misc]
        assert (found(viewer), viewer.run(MADE_OF_MARKUP)) == ([], 0)


def test_a_feed_paused_for_everybody_stands_still_says_by_whom_and_whoever_resumes_sees_it_live(
    demo: Running, viewer: Viewer
) -> None:
    viewer.open(f"{demo.url}/operations")
    wait_until(lambda: "signals" in viewer.text(".pause-all"), what="the feeds")
    click(viewer, "Pause signals for everybody")
    wait_until(lambda: "Paused signals for everybody." in viewer.text(".pause-all"), what="the answer")
    viewer.run(OPEN_PAGE, "Signals")
    wait_until(lambda: "for everybody by open" in badges(viewer), what="who paused it")
    post(demo, {"id": "while-paused", "name": "while-paused", "value": 3}, "request-3")
    wait_until(lambda: "1 update behind" in badges(viewer), what="how far behind it is")
    assert "while-paused" not in viewer.log_text()
    viewer.run("document.querySelector('.log [data-pause]').click()")
    wait_until(lambda: "while-paused" in viewer.log_text(), what="the log live again, for this reader")
    demo_resumes(viewer)
    wait_until(lambda: "for everybody" not in badges(viewer), what="everything live again")


def demo_resumes(viewer: Viewer) -> None:
    """The same button ends it."""
    viewer.run(OPEN_PAGE, "Operations")
    wait_until(lambda: "paused by open since" in viewer.text(".pause-all"), what="the feed as paused")
    click(viewer, "Resume signals for everybody")
    wait_until(lambda: "Resumed signals for everybody." in viewer.text(".pause-all"), what="the answer")
    viewer.run(OPEN_PAGE, "Signals")
    wait_until(lambda: viewer.log_text(), what="the page")


def click(viewer: Viewer, words: str) -> None:
    viewer.run("document.querySelector(`button[aria-label='${arguments[0]}']`).click()", words)


def badges(viewer: Viewer) -> str:
    """What the badges say, and what stands in their details."""
    every = "[...document.querySelectorAll('.freshness')]"
    text: str = viewer.run(f"return {every}.map((one) => one.textContent).join('; ')")
    return text
