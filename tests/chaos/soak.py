"""Soak: a system that runs for long while a random process is restarted every minute, and what memory does.

One web, one worker and a page in Chromium live through all of it; their memory must not grow. The rest is
killed, stopped and started around them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from selenium import webdriver
from selenium.webdriver.chrome.options import Options

from tests.chaos import faults
from tests.chaos.arena import Arena
from tests.chaos.memory import MemoryWatch, resident_apart_mb, resident_mb, slope_mb_per_min
from tests.chaos.summary import quantiles, tell
from tests.chaos.truth import settle
from tests.chromium import FLAGS

STEADY = ("web-1", "worker-1")
WARM_UP_S = 660
"""Until windows, logs and rings are full for the first time: the project's longest course spans ten minutes."""
SLOPE_LIMITS_MB_PER_MIN = {"page's heap": 0.5, "page's processes": 2.0}
SLOPE_LIMIT_MB_PER_MIN = 0.5
"""Of each process of the steady web and worker."""


@contextmanager
def chromium(url: str) -> Iterator[webdriver.Chrome]:
    """A browser that shows the page, and whose garbage can be collected."""
    options = Options()
    for flag in (*FLAGS, "--window-size=1280,1000", "--js-flags=--expose-gc", "--enable-precise-memory-info"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options)
    try:
        driver.get(url)
        yield driver
    finally:
        driver.quit()


def soak(minutes: float, every_s: float) -> list[str]:
    """Run for that long; tells the slopes and returns what was wrong."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    with Arena(folder, int(time.time()), viewers=6, producers=2, every_s=0.2, spared=STEADY) as arena:
        with chromium(f"http://127.0.0.1:{arena.front.port}/") as driver:
            with MemoryWatch(lambda: _read(arena, driver), 5.0) as memory:
                _restart_again_and_again(arena, time.monotonic() + 60 * minutes, every_s)
            page = driver.find_element("tag name", "body").text
        settle(arena)
    tell(f"soaked {minutes:g} min: " + ", ".join(f"{name} {count}" for name, count in sorted(arena.faults.items())))
    tell(f"takeover {quantiles(arena.takeovers_s)}; recovery {quantiles(arena.recoveries_s)}")
    wrong = [*arena.record.violations, *_judge(memory)]
    if "Turnover" not in page:
        wrong.append(f"the page shows: {page[:200]!r}")
    tell(f"violations {len(wrong)}")
    for text in wrong:
        tell(text)
    return wrong


def _restart_again_and_again(arena: Arena, until: float, every_s: float) -> None:
    restarts = [faults.kill_worker, faults.kill_web, faults.stop_worker, faults.stop_web, faults.restart_broker]
    while time.monotonic() < until:
        arena.let_run(min(every_s, max(0.0, until - time.monotonic())))
        if time.monotonic() < until:
            restart = arena.chance.choice(restarts)
            arena.faults[restart.__name__] += 1
            restart(arena)


def _read(arena: Arena, driver: webdriver.Chrome) -> dict[str, float]:
    heap = driver.execute_script("window.gc && window.gc(); return performance.memory.usedJSHeapSize")
    return {
        **resident_apart_mb(STEADY[0], arena.system.pid(STEADY[0])),
        **resident_apart_mb(STEADY[1], arena.system.pid(STEADY[1])),
        "page's heap": heap / 1e6,
        "page's processes": resident_mb(psutil.Process(driver.service.process.pid).pid),
    }


def _judge(memory: MemoryWatch) -> list[str]:
    """Tell each slope after the warm-up; returns those over the limit."""
    steep = []
    for name, course in memory.course.items():
        after = [(at, mb) for at, mb in course if at - course[0][0] >= WARM_UP_S]
        if len(after) < 10:
            tell(f"{name}: too short to say")
            continue
        slope = slope_mb_per_min(after)
        tell(f"{name}: {after[0][1]:.1f} to {after[-1][1]:.1f} MB, slope {slope:+.2f} MB/min")
        limit = SLOPE_LIMITS_MB_PER_MIN.get(name, SLOPE_LIMIT_MB_PER_MIN)
        if slope > limit:
            steep.append(f"{name} grows by {slope:.2f} MB/min, more than {limit:g}")
    return steep
