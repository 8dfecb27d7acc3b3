"""Recording: at every position what is replayed is what was shown, whatever the channel is declared as today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, func, select

from headwater import History, Latest, Log, Series, mean, value
from services.archive import keyframes
from services.archive.archiver import Archiver
from services.archive.keeping import Keeper
from services.archive.recomputing import can_recompute, read_recomputed
from services.archive.recording import Recording, read_recorded, recorded_from
from services.database import Database
from services.database.tables import archive_deltas, archive_events, archive_keyframes
from services.declare import Channel, ChannelRef, Declarations
from services.positions import Position
from services.state import state_of
from tests.archive import test_reading as shop
from tests.archive.test_reading import DAY_MS, HOUR, LANE, sale
from tests.system import System

CHANNELS = ("sales.rows", "sales.prices", "sales.turnover", "sales.dear", "sales.shops:north")
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Shown:
    """What the broker gave viewers of a channel at a time."""

    channel: str
    at: int
    position: Position
    data: Any


class Watched:
    """A system whose every state is written down as its viewers see it."""

    def __init__(self, system: System, database: Database) -> None:
        self.system, self.database = system, database
        self.shown: list[Shown] = []
        self.number = 0

    def sell(self, *, step_ms: int = 1_000, archived: bool = True, **more: Any) -> None:
        self.number += 1
        self.system.now_ms += step_ms
        one = sale(self.number, self.system.now_ms, price=float(50 + 7 * self.number % 90)) | more
        self.system.post([one], "sales")
        self.note()
        if archived:
            self.archive()

    def note(self) -> None:
        self.system.drain()
        for name in CHANNELS:
            ref = self.system.declarations.resolve(name)
            if ref is None:
                continue
            stored = self.system.broker.read_channel(ref)
            if stored.position is not None and stored.position.seq > 0:
                self.shown.append(Shown(name, self.system.now_ms, stored.position, self.system.data(name)))

    def archive(self) -> None:
        self.system.broker._redis.delete("hw:{sales.0}:archive:lease")
        Archiver(
            self.system.broker, self.database, self.system.declarations, self.system.telemetry,
            worker=f"archiver-{self.number}", clock=self.system.clock,
        ).drain()  # fmt: skip

    def declare(self, *changed: type[Channel]) -> None:
        """Go on with another release, whose channels of these names are declared otherwise."""
        names = {channel.name for channel in changed}
        kept = [one for one in self.system.declarations.channels.values() if one.name not in names]
        self.system.declarations = Declarations(
            dict(self.system.declarations.feeds), {one.name: one for one in (*kept, *changed)}
        )
        self.system.processor.hand_over()
        self.system.processor = self.system.new_processor("next-release")


@pytest.fixture
def watched(broker_url: str, each_database: Database) -> Iterator[Watched]:
    system = System(broker_url, shop.module())
    system.now_ms = HOUR
    system.drain()
    yield Watched(system, each_database)
    system.close()


def recorded(database: Database, channel: Any, since: int, until: int, **more: Any) -> Recording:
    ref = channel if isinstance(channel, ChannelRef) else ChannelRef(channel)
    with database.reading() as connection:
        return read_recorded(connection, ref, since, until, **more)


def plain(frame: Any) -> Any:
    return orjson.loads(orjson.dumps(frame))


def replayed(frames: Sequence[Any]) -> list[tuple[Position, Any]]:
    """Each position of the frames with its state, applied as a browser does."""
    states: list[tuple[Position, Any]] = []
    state = None
    for frame in map(plain, frames):
        if frame["op"] == "snapshot":
            keep = SimpleNamespace(**{"span_ms": None, "points_max": None, "entries_max": None} | frame["keep"])
            state = state_of(frame["kind"], keep)  # type: ignore[arg-type]
            state.apply({"set": frame["data"]["rows"]} if frame["kind"] == "latest" else frame["data"])
        else:
            assert (frame["epoch"], frame["after"]) == (states[-1][0].epoch, states[-1][0].seq)
            state.apply(frame["data"])  # type: ignore[union-attr]
        states.append((Position(frame["epoch"], frame["seq"]), plain(state.data())))  # type: ignore[union-attr]
    return states


def assert_shown_again(watched: Watched, declarations: Declarations) -> None:
    """Every state that was shown comes back, both as the beginning of a replay and within one."""
    for name in CHANNELS:
        ref = declarations.resolve(name)
        assert ref is not None
        shown = [one for one in watched.shown if one.channel == name]
        through = dict(replayed(recorded(watched.database, ref, HOUR, watched.system.now_ms + 1).frames))
        for one in shown:
            assert through[one.position] == plain(one.data), one
            begin = recorded(watched.database, ref, one.at + 1, one.at + 2)
            assert replayed(begin.frames) == [(one.position, plain(one.data))], one
        assert begin.gaps == []


def test_what_is_replayed_is_what_was_shown_at_every_position(watched: Watched) -> None:
    for n in range(30):
        watched.sell(shop="north" if n % 3 else "south")
    watched.sell(step_ms=2 * HOUR_MS)  # rows are let go, points leave the window
    watched.sell(order="o1")
    assert len(watched.shown) > 100
    assert_shown_again(watched, watched.system.declarations)


class Rows(Log, feed=shop.Sales, name="rows"):
    """Not even of the same kind any more."""


class Prices(Series, feed=shop.Sales, name="prices", span_s=5):
    """A much shorter window, and no shops."""

    price = value(shop.Sales.price)


class Turnover(Series, feed=shop.Sales, name="turnover", window_s=600, span_s=1200):
    """Another reducer."""

    turnover = mean(shop.Sales.price)


class Dear(Log, feed=shop.Sales, name="dear", where=shop.Sales.price.at_least(60), entries_max=3):
    """Other events, and few of them."""


class Shops(Latest, feed=shop.Sales, name="shops", partition=shop.Sales.shop, evict_after_s=1):
    """Rows that are gone after a second."""


def test_it_is_what_was_shown_also_after_the_reducers_changed(watched: Watched) -> None:
    for _ in range(20):
        watched.sell()
    watched.declare(Rows, Prices, Turnover, Dear, Shops)
    assert_shown_again(watched, watched.system.declarations)
    for _ in range(20):
        watched.sell()
    assert len({one.position.epoch for one in watched.shown}) == 2
    assert_shown_again(watched, watched.system.declarations)


def test_unchanged_channels_go_on_through_a_change_of_others(watched: Watched) -> None:
    for _ in range(3):
        watched.sell()
    watched.declare(Turnover)
    for _ in range(3):
        watched.sell()
    found = recorded(watched.database, shop.Rows, HOUR, watched.system.now_ms + 1)
    assert [(frame["op"], frame["seq"]) for frame in found.frames[1:]] == [
        ("snapshot", 1), ("delta", 2), ("delta", 3), ("snapshot", 4), ("delta", 5), ("delta", 6),
    ]  # fmt: skip
    assert_shown_again(watched, watched.system.declarations)


def test_a_replay_comes_in_parts_that_join_without_a_seam(watched: Watched) -> None:
    for n in range(25):
        watched.sell(step_ms=0 if n % 5 == 4 else 1_000)
    until, since, frames, after = watched.system.now_ms + 1, HOUR, [], None
    while since < until:
        part = recorded(watched.database, shop.Rows, since, until, after=after, frames_max=4)
        assert len(part.frames) <= 6
        frames += part.frames
        since, after = part.complete_until, Position(part.frames[-1]["epoch"], part.frames[-1]["seq"])
    assert [frame["op"] for frame in frames] == ["snapshot", "snapshot", *["delta"] * 24]
    assert replayed(frames)[-1][1] == plain(watched.system.data("sales.rows"))


def test_the_first_snapshot_comes_again_where_a_part_does_not_follow(watched: Watched) -> None:
    for _ in range(4):
        watched.sell()
    part = recorded(watched.database, shop.Rows, HOUR + 3_000, HOUR + 5_000, after=Position("gone", 2))
    assert [(frame["op"], frame["seq"]) for frame in part.frames] == [("snapshot", 2), ("delta", 3), ("delta", 4)]


def test_missing_deltas_are_a_gap_after_which_the_whole_state_comes(watched: Watched) -> None:
    watched.sell()
    for _ in range(5):
        watched.sell(archived=False)
    stream = "hw:{sales.0}:c:sales.rows:deltas"
    watched.system.broker._redis.xtrim(stream, minid="6-0", approximate=False)
    watched.sell()
    found = recorded(watched.database, shop.Rows, HOUR, watched.system.now_ms + 1)
    assert [gap["reason"] for gap in found.gaps] == ["deltas_trimmed"]
    assert [(frame["op"], frame["seq"]) for frame in found.frames] == [
        ("snapshot", 0), ("snapshot", 1), ("snapshot", 7),
    ]  # fmt: skip
    assert replayed(found.frames)[-1][1] == plain(watched.system.data("sales.rows"))


def test_a_broker_that_lost_its_last_positions_goes_on_from_the_one_it_kept(watched: Watched) -> None:
    """As a replica that was behind: the same channel at an earlier seq, in another epoch."""
    for _ in range(3):
        watched.sell()
    kept = {key: watched.system.broker._redis.dump(key) for key in watched.system.broker._redis.keys("hw:{sales.0}*")}
    for _ in range(3):
        watched.sell()
    lost = watched.shown[-1]
    watched.system.broker._redis.flushall()
    for key, raw in kept.items():
        watched.system.broker._redis.restore(key, 0, raw)
    watched.system.broker._redis.hset("hw:{sales.0}:lane", "run_id", "another")
    watched.system.broker._redis.delete("hw:{sales.0}:lease")
    watched.system.processor = watched.system.new_processor("after-the-loss")
    for _ in range(4):
        watched.sell()
    assert {one.position.seq for one in watched.shown if one.channel == "sales.rows"} == set(range(1, 8))
    assert lost.position in {one.position for one in watched.shown}
    assert_shown_again(watched, watched.system.declarations)


# Keyframes and retention -----------------------------------------------------------------------------


def kept_frames(database: Database, channel: str) -> list[int]:
    table = archive_keyframes.c
    with database.reading() as connection:
        return list(connection.execute(select(table.seq).where(table.channel == channel).order_by(table.at)).scalars())


def test_a_keyframe_is_kept_for_each_hour_in_which_something_changed(watched: Watched) -> None:
    for _ in range(9):
        watched.sell(step_ms=1_200_000)
    assert kept_frames(watched.database, "sales.rows") == [0, 4, 7]
    watched.sell(step_ms=30 * HOUR_MS)
    assert kept_frames(watched.database, "sales.rows") == [0, 4, 7, 10]
    assert_shown_again(watched, watched.system.declarations)


def test_a_keyframe_is_kept_after_many_deltas(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "EVERY_DELTAS", 5)
    keeping = Archiver(
        watched.system.broker, watched.database, watched.system.declarations, watched.system.telemetry,
        worker="a", clock=watched.system.clock,
    )  # fmt: skip
    for _ in range(12):
        watched.sell(archived=False, step_ms=10)
        keeping.drain()
    assert kept_frames(watched.database, "sales.rows") == [0, 6, 11]


def test_retention_leaves_what_the_first_kept_state_needs(watched: Watched) -> None:
    for n in range(60):
        watched.sell(step_ms=1_200_000 if n != 30 else 10 * HOUR_MS)
    cutoff = watched.shown[0].at + 15 * 1_200_000 + 1
    watched.system.now_ms = cutoff + 2 * DAY_MS
    keeper = Keeper(watched.database, watched.system.declarations, watched.system.clock)
    while keeper.step([LANE]):
        pass
    with watched.database.reading() as connection:
        oldest = connection.execute(
            select(func.min(archive_deltas.c.at)).where(archive_deltas.c.channel == "sales.rows")
        ).scalar_one()
    assert cutoff - HOUR_MS <= oldest <= cutoff
    for one in watched.shown:
        if one.at >= cutoff and (ref := watched.system.declarations.resolve(one.channel)) is not None:
            assert replayed(recorded(watched.database, ref, one.at + 1, one.at + 2).frames) == [
                (one.position, plain(one.data))
            ]


# Recomputing -----------------------------------------------------------------------------------------


class Fleeting(Latest, feed=shop.Sales, name="fleeting", history=History(days=0)):
    """Not recorded."""


def recomputed(database: Database, ref: ChannelRef, since: int, until: int) -> Recording:
    with database.reading() as connection:
        return read_recomputed(connection, ref, since, until)


@pytest.mark.parametrize("name", CHANNELS)
def test_where_only_events_are_left_the_reducers_of_today_make_the_same_values(watched: Watched, name: str) -> None:
    for n in range(40):
        watched.sell(shop="north" if n % 3 else "south")
    with watched.database.writing() as connection:
        connection.execute(delete(archive_deltas))
        connection.execute(delete(archive_keyframes))
    ref = watched.system.declarations.resolve(name)
    assert ref is not None
    with watched.database.reading() as connection:
        assert recorded_from(connection, ref) is None
        assert can_recompute(connection, ref, None)
        accepted = list(
            connection.execute(select(archive_events.c.entry_at).order_by(archive_events.c.entry_at)).scalars()
        )
    found = recomputed(watched.database, ref, accepted[0], accepted[-1] + 1)
    assert (found.how, found.complete_until) == ("recomputed", accepted[-1] + 1)
    assert replayed(found.frames)[-1][1] == plain(watched.system.data(name))
    # what came before an interval is in its first frame
    later = recomputed(watched.database, ref, accepted[-1] + 1, accepted[-1] + 2)
    assert replayed(later.frames)[0][1] == plain(watched.system.data(name))


def test_events_that_led_to_the_first_delta_are_no_reason_to_recompute(watched: Watched) -> None:
    watched.sell()
    with watched.database.reading() as connection:
        first = connection.execute(select(func.min(archive_events.c.entry_at))).scalar_one()
        assert not can_recompute(connection, ChannelRef(shop.Rows), first + 50)
        assert can_recompute(connection, ChannelRef(shop.Rows), first + HOUR_MS)
        assert can_recompute(connection, ChannelRef(Fleeting), None)


def test_what_was_committed_and_is_not_archived_yet_is_not_answered_for(watched: Watched) -> None:
    watched.sell()
    kept = watched.system.now_ms
    watched.sell(archived=False)
    ref = watched.system.declarations.resolve("sales.rows")
    assert ref is not None
    until = watched.system.now_ms + 1_000
    late = recorded(watched.database, ref, HOUR, until, head=watched.shown[-1].position)
    assert (late.complete_until, replayed(late.frames)[-1][0].seq) == (kept + 1, 1)
    watched.archive()
    whole = recorded(watched.database, ref, HOUR, until, head=watched.shown[-1].position)
    assert (whole.complete_until, replayed(whole.frames)[-1][0].seq) == (until, 2)


def test_after_a_change_of_epoch_a_quiet_channel_is_answered_for_once_the_archive_has_seen_it(watched: Watched) -> None:
    for _ in range(2):
        watched.sell()
    kept, until = watched.system.now_ms, watched.system.now_ms + 1_000
    ref = watched.system.declarations.resolve("sales.rows")
    assert ref is not None
    watched.system.broker._redis.hset("hw:{sales.0}:lane", "run_id", "another")
    watched.system.broker._redis.delete("hw:{sales.0}:lease")
    watched.system.processor = watched.system.new_processor("another-broker")
    watched.system.drain()
    head = watched.system.broker.read_channel(ref).position
    assert head is not None
    assert (head.epoch, head.seq) != (watched.shown[-1].position.epoch, watched.shown[-1].position.seq)
    assert head.seq == watched.shown[-1].position.seq
    assert recorded(watched.database, ref, HOUR, until, head=head).complete_until == kept + 1
    watched.archive()
    assert recorded(watched.database, ref, HOUR, until, head=head).complete_until == until
