"""Seen: what a viewer sees when something fails, how long, and what it does to the data; with the test behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.broker.examining import Persistence


@dataclass(frozen=True, slots=True)
class Row:
    """`shown` are words of the page; `longest` is after the fault's end; `test` is a file's path and a test in it."""

    when: str
    shown: tuple[str, ...]
    longest: str
    data: str
    test: str


_SCHEDULES = "tests/chaos/test_faults.py::test_nothing_shown_is_ever_wrong_while_processes_die_and_links_break"
_ONCE = "none: what was acknowledged is in once, and a viewer goes on from its position"
ROWS = (
    Row("the web processes restart", ("Offline", "the server is restarting or refuses live connections"),
        "15 s until values are fresh again", _ONCE,
        "tests/journeys/test_trouble.py::test_web_processes_that_restart_are_found_again"),
    Row("a worker is killed", ("the worker that computes the values is down",),
        "3 s until another worker leads, where one stands by; 15 s until values are fresh", _ONCE,
        "tests/journeys/test_trouble.py::test_a_worker_that_is_killed_is_named_and_its_successor_continues"),
    Row("the viewer's network is cut", ("Offline", "your connection is down"),
        "15 s until values are fresh again", "none: what was missed comes after the reconnect, merged or as a snapshot",
        "tests/browser/test_trouble.py::test_an_offline_browser_says_so_and_is_live_again_when_it_is_online"),
    Row("WebSockets are blocked", ("Updates by long poll, at most four a second: WebSockets are blocked here.",),
        "as long as they are blocked", "none: states between two answers are merged",
        "tests/journeys/test_trouble.py::test_where_a_proxy_bars_websockets_the_page_lives_by_long_poll_and_says_so"),
    Row("a source is silent or late", ("Stale", "the source gives no sign of life", "the source is late"),
        "until the source is back; a feed's own clause says after how long it is told",
        "the last values stay, marked with their age; what the source never sent is not there",
        "tests/journeys/test_trouble.py::test_a_source_that_stops_makes_the_page_stale_and_says_so"),
    Row("a burst comes", ("Live feed delayed by", "events behind", "reduced to"),
        "until the backlog is processed", "none: rows hold the newest value, aggregates every event; a sender is told "
        "to come again when the backlog is full",
        "tests/chaos/test_overload.py::test_a_burst_of_ten_thousand_is_bounded_told_and_drains_to_the_right_state"),
    Row("a source changes its schema", ("records of the source are being rejected",),
        "until the source or the feed is corrected",
        "records that do not fit are refused with a reason, counted and sampled; none is shown",
        "tests/journeys/test_trouble.py::test_a_feed_whose_events_are_all_refused_is_not_called_silent"),
    Row("the broker is lost", ("the broker cannot be reached",),
        "until it is back, then 15 s",
        "clause 16.1 says what it keeps; where it comes back without its data every viewer gets a snapshot of a new "
        "epoch, and nothing of the old one is shown as new",
        "tests/journeys/test_trouble.py::test_a_broker_that_comes_back_empty_starts_a_new_epoch_with_snapshot_and_banner"),
    Row("a new version is deployed", ("the server is restarting or refuses live connections",),
        "3.5 s until the old processes are gone, 15 s until values are fresh", _ONCE, _SCHEDULES),
)  # fmt: skip
_DURABILITY: dict[str, str] = {
    "always": "What was acknowledged was on its disk before: it survives a killed broker and a power cut.",
    "everysec": "What was acknowledged survives a killed broker as a rule; a power cut may lose the last second.",
    "no": "Its disk is flushed when the kernel likes: a power cut may lose half a minute of what was acknowledged.",
    "snapshots": "It keeps snapshots alone: a killed broker loses what was acknowledged since the last one.",
    "nothing": "It keeps nothing on its disk: a killed broker loses every event that is not archived.",
    "untold": "It does not tell what it keeps on its disk: nothing is promised of what a killed broker held.",
}
LOST_DISK = "A broker whose disk is lost loses every event that is not archived, whatever it kept."


def durability(persistence: Persistence) -> str:
    """How much of what was acknowledged a lost broker keeps, no stronger than what was found of it."""
    return f"{_DURABILITY[persistence]} {LOST_DISK}"


def lines_of(row: Row) -> Iterator[str]:
    """A row as the sentences of a clause."""
    yield f"The page says: {'; '.join(f'“{one}”' for one in row.shown)}"
    yield f"Longest: {row.longest}"
    yield f"Data: {row.data}"
    yield f"Tested by {row.test}"
