"""Event posted → painted: the whole way through the running demo, as a person with a browser sees it.

Starts `headwater up` on a free port, opens the Signals page in headless Chromium, posts events open loop
(each at its due time, whether or not the one before is back) and takes the time from just before the POST
to the first task after the frame that shows the event's log entry. Prints p50, p95, p99.

    python -m bench.event_to_paint [--rate 20] [--seconds 30]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options

from bench.figures import Figure

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)
WATCH = """
const painted = window.painted = {};
const channel = new MessageChannel();
let seen = [];
channel.port1.onmessage = () => {  // a task after the frame in which the entries were put into the page
  const at = performance.timeOrigin + performance.now();
  for (const number of seen.splice(0)) painted[number] ??= at;
};
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) {
    const found = /bench-(\\d+)/.exec(node.textContent);
    if (found) seen.push(found[1]);
  }
  if (seen.length) requestAnimationFrame(() => channel.port2.postMessage(0));
}).observe(document.querySelector('[data-entries]'), {childList: true, subtree: true});
"""


@contextmanager
def demo(port: int, folder: Path) -> Iterator[str]:
    """The demo as `make run` starts it, with data of its own; gives the ingest key."""
    environment = {**os.environ, "PORT": str(port), "HEADWATER_DATA": str(folder), "HEADWATER_LOG_LEVEL": "warning"}
    environment.pop("REDIS_URL", None)
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "up"], env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not _ready(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit("the demo did not become ready within 60 s")
            time.sleep(0.2)
        yield (folder / "ingest.key").read_text().strip()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Poster:
    """Posts one event on a kept connection of its thread, and remembers when it was about to."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._local = port, threading.local()
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.sent_at: dict[str, float] = {}

    def __call__(self, number: int, due: float) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        body = json.dumps({"name": f"signal {number % 5}", "value": number % 100, "text": f"bench-{number}"})
        self.sent_at[str(number)] = time.time() * 1000 - max(0.0, time.monotonic() - due) * 1000
        connection.request("POST", "/api/ingest/signals", body, self._headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise RuntimeError(f"event {number}: HTTP {answer.status}")


def measure(port: int, key: str, rate: float, seconds: float) -> dict[str, Any]:
    """Latencies in milliseconds, and what the page's own telemetry counted."""
    options = Options()
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options)
    try:
        driver.get(f"http://127.0.0.1:{port}/signals")
        time.sleep(5)  # the page settles, Plotly and the grid included
        driver.execute_script(WATCH)
        poster, chance = Poster(port, key), random.Random(1)
        with ThreadPoolExecutor(8) as pool:
            due, jobs = time.monotonic(), []
            for number in range(int(rate * seconds)):
                due += chance.expovariate(rate)
                time.sleep(max(0.0, due - time.monotonic()))
                jobs.append(pool.submit(poster, number, due))
            for job in jobs:
                job.result()
        time.sleep(2)
        painted: dict[str, float] = driver.execute_script("return window.painted")
        stats = driver.execute_script("return window.headwater.stats()")
    finally:
        driver.quit()
    latencies = sorted(at - poster.sent_at[number] for number, at in painted.items())
    return {"posted": len(poster.sent_at), "painted": len(latencies), "latencies_ms": latencies, "stats": stats}


def run(runs: int) -> list[Figure]:
    """p50 and p95 of 20 events/s on the Signals page of the running demo; each run is 20 seconds."""
    with tempfile.TemporaryDirectory() as folder, demo(8099, Path(folder)) as key:
        time.sleep(5)  # the replay's first ten minutes are in
        found = [measure(8099, key, rate=20.0, seconds=20.0)["latencies_ms"] for _ in range(runs)]
    what = "event posted → painted, Signals page of the demo, 20 events/s"
    return [
        Figure(what, f"p{100 * q:g}", None, tuple(one[int(q * (len(one) - 1))] for one in found), "ms", "less")
        for q in (0.5, 0.95)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=20.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--port", type=int, default=8099)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, demo(arguments.port, Path(folder)) as key:
        time.sleep(5)  # the replay's first ten minutes are in
        found = measure(arguments.port, key, arguments.rate, arguments.seconds)
    latencies = found["latencies_ms"]
    print(f"events posted {found['posted']}, painted {found['painted']}; {arguments.rate:g}/s, open loop")
    for q in (0.5, 0.95, 0.99):
        print(f"posted → painted p{100 * q:g}: {latencies[int(q * (len(latencies) - 1))]:.0f} ms")
    stats = found["stats"]
    for stage, figures in stats.items():
        if isinstance(figures, dict) and "p95" in figures:
            print(f"page's own measurement, {stage}: p50 {figures['p50']} ms, p95 {figures['p95']} ms")
    counted = ", ".join(f"{name} {stats[name]}" for name in ("gaps", "duplicates", "reconnects"))
    print(f"page's own count: {counted}")


if __name__ == "__main__":
    main()
