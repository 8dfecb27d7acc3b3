"""Publications: which frame a viewer at a position gets, made once, from a bounded memory."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.broker import StoredChannel, StoredDelta
from services.declare import ChannelRef
from services.gateway.publications import MERGED_MAX, RING_BYTES, RING_DELTAS, UNWRITTEN, Outcome, Publication
from services.positions import Position, Times
from services.state import state_of
from tests import feeds

EPOCH = "e1"
TIMES = Times((1, 2), (3, 4), 5, 1)
BOARD = ChannelRef(feeds.Everything)


def stored(seq: int, data: dict[str, Any] | None = None, *, epoch: str = EPOCH, ref: ChannelRef = BOARD) -> StoredDelta:
    data = data or {"set": {f"k{seq % 3}": {"v": seq}}, "del": []}
    return StoredDelta(ref, epoch, seq, orjson.dumps(data), TIMES)


def loaded(seq: int = 0, ref: ChannelRef = BOARD, cells: dict[str, bytes] | None = None) -> Publication:
    publication = Publication(ref, lambda: 1_000)
    publication.load(StoredChannel(Position(EPOCH, seq), cells or {}, None))
    return publication


def body(publication: Publication, position: Position | None) -> dict[str, Any]:
    step = publication.next_step(position)
    assert step is not None
    found: dict[str, Any] = orjson.loads(step.frame.payload)
    return found


def test_one_delta_is_sent_as_it_was_committed_and_encoded_once() -> None:
    publication = loaded()
    assert publication.add(stored(1)) is Outcome.ADDED
    first = publication.next_step(Position(EPOCH, 0))
    assert first is not None
    assert first.frame is publication.next_step(Position(EPOCH, 0)).frame  # type: ignore[union-attr]
    assert first.frame.deflated is first.frame.deflated
    assert orjson.loads(first.frame.payload) == {
        "op": "delta", "channel": "orders.everything", "epoch": EPOCH, "after": 0, "seq": 1,
        "data": {"set": {"k1": {"v": 1}}, "del": []},
        "times": {"created": [1, 2], "ingested": [3, 4], "processed": 5, "events": 1, "sent": 1_000},
    }


def test_several_deltas_are_merged_and_say_how_many_they_are() -> None:
    publication = loaded()
    for seq in range(1, 6):
        publication.add(stored(seq))
    merged = body(publication, Position(EPOCH, 1))
    assert (merged["after"], merged["seq"], merged["merged"]) == (1, 5, 4)
    assert merged["data"]["set"] == {"k2": {"v": 5}, "k0": {"v": 3}, "k1": {"v": 4}}
    assert merged["times"]["events"] == 4


def test_a_viewer_at_head_gets_nothing_and_one_ahead_waits() -> None:
    publication = loaded(3)
    assert publication.next_step(Position(EPOCH, 3)) is None
    assert publication.next_step(Position(EPOCH, 4)) is None


@pytest.mark.parametrize("position", [None, Position("old", 3), Position(EPOCH, 1)])
def test_without_a_way_from_there_a_snapshot_is_sent(position: Position | None) -> None:
    publication = loaded(3, cells={"a": orjson.dumps([1, {"v": 1}])})
    publication.add(stored(4))
    sent = body(publication, position)
    assert (sent["op"], sent["seq"]) == ("snapshot", 4)
    assert sent["data"] == {"rows": {"a": {"v": 1}, "k1": {"v": 4}}}


def test_only_a_few_merged_frames_are_made_for_one_head_the_others_get_the_snapshot() -> None:
    publication = loaded()
    for seq in range(1, 40):
        publication.add(stored(seq))
    kinds = [body(publication, Position(EPOCH, after))["op"] for after in range(20)]
    assert kinds == ["delta"] * MERGED_MAX + ["snapshot"] * (20 - MERGED_MAX)
    publication.add(stored(40))
    assert body(publication, Position(EPOCH, 30))["op"] == "delta"


def test_a_snapshot_is_sent_where_it_is_smaller_than_the_merged_delta() -> None:
    publication = loaded()
    publication.snapshot()
    publication.add(stored(1, {"set": {"a": {"v": "x" * 500}}, "del": []}))
    publication.add(stored(2, {"set": {}, "del": ["a"]}))
    assert body(publication, Position(EPOCH, 0))["op"] == "delta"
    publication.snapshot()
    publication.add(stored(3, {"set": {"b": {"v": "x" * 500}}, "del": []}))
    assert body(publication, Position(EPOCH, 1))["op"] == "snapshot"


def test_the_ring_is_bounded_by_count_and_by_bytes() -> None:
    publication = loaded()
    for seq in range(1, RING_DELTAS + 50):
        publication.add(stored(seq))
    assert len(publication._ring) == RING_DELTAS
    large = {"set": {"a": {"v": "x" * (RING_BYTES // 4)}}, "del": []}
    for seq in range(RING_DELTAS + 50, RING_DELTAS + 60):
        publication.add(stored(seq, large))
    assert publication._ring_bytes <= RING_BYTES
    assert len(publication._ring) < 10


def test_duplicates_are_passed_over_and_gaps_told() -> None:
    publication = loaded(3)
    assert publication.add(stored(3)) is Outcome.DUPLICATE
    assert publication.add(stored(5)) is Outcome.GAP
    assert publication.add(stored(4, epoch="e2")) is Outcome.GAP
    assert publication.position == Position(EPOCH, 3)


def test_older_deltas_are_put_before_the_ring_only_where_they_join_it() -> None:
    publication = loaded(9)
    publication.add(stored(10))
    assert publication.lacks_range(Position(EPOCH, 6))
    publication.extend_back([stored(7), stored(8), stored(9), stored(10)])
    assert not publication.lacks_range(Position(EPOCH, 6))
    assert body(publication, Position(EPOCH, 6))["merged"] == 4
    publication.extend_back([stored(4), stored(5)])
    assert publication.lacks_range(Position(EPOCH, 4))
    publication.extend_back([stored(6, epoch="e0")])
    assert publication.lacks_range(Position(EPOCH, 5))


def test_a_large_snapshot_is_sent_again_with_the_deltas_since() -> None:
    cells = {f"k{n}": orjson.dumps([1, {"v": "x" * 100}]) for n in range(1_000)}
    publication = loaded(3, cells=cells)
    first = publication.next_step(None)
    assert first is not None
    publication.add(stored(4))
    again = publication.next_step(None)
    assert again is not None
    assert again.frame is first.frame
    assert body(publication, again.position)["seq"] == 4
    assert publication.snapshot().position == Position(EPOCH, 4)


def test_a_channel_that_was_never_written_stands_nowhere() -> None:
    publication = Publication(BOARD, lambda: 1_000)
    assert publication.next_step(None) is None
    publication.load(StoredChannel(None, {}, None))
    assert publication.position == UNWRITTEN
    assert body(publication, None)["data"] == {"rows": {}}
    assert publication.add(stored(1)) is Outcome.GAP


Change = st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans())


@given(st.lists(st.lists(Change, max_size=4), min_size=1, max_size=30), st.data())
def test_from_wherever_a_viewer_starts_it_ends_in_the_same_state(changes: list[list[Any]], data: st.DataObject) -> None:
    publication, viewer = loaded(), state_of("latest", feeds.Everything.keep)
    here: Position | None = None
    truth = state_of("latest", feeds.Everything.keep)
    for seq, change in enumerate(changes, 1):
        rows = {key: {f"f{value % 3}": value} for key, value, gone in change if not gone}
        delta = {"set": rows, "del": [key for key, _, gone in change if gone]}
        truth.apply(delta)
        publication.add(stored(seq, delta))
        if data.draw(st.booleans()):
            here = _bring_up(publication, viewer, here)
            assert viewer.data() == truth.data()
    _bring_up(publication, viewer, here)
    assert viewer.data() == truth.data()


def _bring_up(publication: Publication, viewer: Any, here: Position | None) -> Position | None:
    while (step := publication.next_step(here)) is not None:
        frame = orjson.loads(step.frame.payload)
        if frame["op"] == "snapshot":
            viewer.rows = frame["data"]["rows"]
        else:
            assert here == Position(frame["epoch"], frame["after"])
            viewer.apply(frame["data"])
        here = step.position
    return here
