"""Over load: more channels, more readings a second, a longer table, a longer course."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench.figures import Curve, Finding, Line
from bench.growth.growing import Point, curves, measured
from bench.growth.posting import CHUNK, Poster, TooMuch
from bench.growth.project.feeds.load import CHANNELS
from bench.growth.sizes import SERIES_LINES, Sizes
from bench.growth.stand import Stand, stand
from bench.rig.viewers import Viewers

PARTS = (1, 10, 50, 100, 200, 400)
RATES = (100, 500, 2_000, 5_000, 10_000, 20_000)
ROWS = (100, 500, 1_000, 2_500, 5_000, 10_000)
POINTS = (100, 600, 2_000, 5_000, 10_000, 20_000)
VIEWERS = 100
ARCHIVED = (10_000, 50_000, 100_000, 200_000, 400_000)
CHANNELS_A_VIEWER = 8
ARCHIVED_WITHIN_S = 60.0
RATE, HZ = 1_000.0, 5.0
RATE_OF_CHANNELS = HZ * PARTS[-1]
"""Each channel changes with each request, however many there are."""


def over_channels(runs: int) -> list[Finding]:
    """Partitions of one channel, each watched, under the same readings a second."""
    points = []
    for parts in PARTS:
        sizes = Sizes(parts=parts)
        with _filled(sizes) as (running, poster), ExitStack() as stack:
            for watched in _shared_out([f"load.parts:part-{n}" for n in range(parts)]):
                stack.enter_context(Viewers(running.port, 2, watched))
            points.append(_under(running, poster, parts, RATE_OF_CHANNELS, runs))
    note = f"{RATE_OF_CHANNELS:,.0f} readings/s in {HZ:g} requests/s over all channels; two viewers of each channel."
    return [*curves("channels", "channels", note, points)]


def over_rate(runs: int) -> list[Finding]:
    """Readings a second by HTTP, into all channels of the project."""
    points, note = [], f"Posted in 20 requests/s to one web process; {VIEWERS} viewers of five channels."
    with _filled(Sizes()) as (running, poster), Viewers(running.port, VIEWERS, CHANNELS) as viewers:
        for rate in RATES:
            try:
                points.append(_under(running, poster, rate, rate, runs, hz=20.0))
            except TooMuch as limit:
                note += f" {limit}."
                break
            viewers.tally().sound()
    return [*curves("readings a second", "readings/s", note, points)]


def over_rows(runs: int) -> list[Finding]:
    """Rows of the table, under the same readings a second."""
    return _over_kept("table rows", "rows", {count: Sizes(rows=count) for count in ROWS}, "load.rows", runs)


def over_points(runs: int) -> list[Finding]:
    """Points of each of the course's lines: history that a page shows at once."""
    kept = {count: Sizes(points=count) for count in POINTS}
    return _over_kept("history length", f"points a line, {SERIES_LINES} lines", kept, "load.course", runs)


def over_archive(runs: int) -> list[Finding]:
    """Events in the database: what they take on its disk, and how long the history of one minute takes to read."""
    sizes, disk, asked, points = Sizes(points=100), list[tuple[float, float]](), list[tuple[float, float]](), []
    with _filled(sizes) as (running, poster):
        posted = 0
        for count in ARCHIVED:
            while posted < count:
                poster.post(min(CHUNK, count - posted))
                posted += CHUNK
            _wait_until_archived(running)
            disk.append((float(count), sum(file.stat().st_size for file in running.data.glob("headwater.db*")) / 1e6))
            asked.append((float(count), _history_ms(running, runs)))
            points.append(measured(running, count, 1))
    memory = curves("archived events", "events", "", points)[1]
    return [
        memory,
        Curve("Database over archived events", "events", "MB on disk", (Line("SQLite", tuple(disk)),)),
        Curve("Reading history over archived events", "events", "ms", (Line("last minute of a course", tuple(asked)),)),
    ]


def _wait_until_archived(running: Stand) -> None:
    deadline = time.monotonic() + ARCHIVED_WITHIN_S
    while 'headwater_lane_unarchived_events{lane="load.0"} 0\n' not in _read(running, "/metrics").decode():
        if time.monotonic() > deadline:
            raise RuntimeError(f"the archive did not hold everything within {ARCHIVED_WITHIN_S:g} s")
        time.sleep(0.2)


def _history_ms(running: Stand, runs: int) -> float:
    spent = []
    for _ in range(runs):
        now, began = int(time.time() * 1000), time.monotonic()
        _read(running, f"/api/channels/load.course/history?since={now - 60_000}&until={now}")
        spent.append(1000 * (time.monotonic() - began))
    return statistics.median(spent)


def _over_kept(over: str, x_label: str, kept: dict[int, Sizes], channel: str, runs: int) -> list[Finding]:
    points, snapshots = [], []
    for count, sizes in kept.items():
        with _filled(sizes) as (running, poster), Viewers(running.port, VIEWERS, [channel]) as viewers:
            points.append(_under(running, poster, count, RATE, runs))
            viewers.tally().sound()
            snapshots.append((float(count), _snapshot_kb(running, channel)))
    note = f"{RATE:,.0f} readings/s in {HZ:g} requests/s; {VIEWERS} viewers of `{channel}`."
    snapshot = Curve(f"Snapshot over {over}", x_label, "KB, uncompressed", (Line("snapshot", tuple(snapshots)),))
    return [*curves(over, x_label, note, points), snapshot]


@contextmanager
def _filled(sizes: Sizes) -> Iterator[tuple[Stand, Poster]]:
    """A stand whose table and course are as long as they will be."""
    with stand(sizes) as running:
        poster = Poster(running.port, sizes)
        poster.fill_points()
        poster.fill_rows()
        poster.check()
        yield running, poster


def _under(running: Stand, poster: Poster, size: float, rate: float, runs: int, hz: float = HZ) -> Point:
    """Costs under a flow of readings; the table is right afterwards."""
    with poster.flow(rate, hz):
        point = measured(running, size, runs)
    poster.check()
    return point


def _shared_out(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[first : first + CHANNELS_A_VIEWER] for first in range(0, len(names), CHANNELS_A_VIEWER)]


def _snapshot_kb(running: Stand, channel: str) -> float:
    return len(_read(running, f"/api/channels/{channel}/snapshot")) / 1e3


def _read(running: Stand, path: str) -> bytes:
    """The body of a page that has to be there."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: HTTP {answer.status} {body[:200].decode()}")
    return body
