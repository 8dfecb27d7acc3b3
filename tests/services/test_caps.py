"""Caps: a small broker is shared out, and what cannot fit is refused with sizes."""

from __future__ import annotations

import pytest
import redis

from app.loading import DEMO, load_declarations
from services.broker import BrokerTooSmall, require_room
from services.broker.caps import MB, caps_of, full_bytes
from services.declare import Declarations
from tests import feeds
from tests.system import START_MS, System, order


def test_every_cap_follows_maxmemory_up_to_what_it_is_never_worth_more() -> None:
    small, usual, large = (caps_of(mb * MB, 7) for mb in (25, 256, 64_000))
    assert small.backlog_bytes < small.stream_bytes < 0.4 * 25 * MB
    assert small.ids * 7 * 80 <= 25 * MB / 4
    assert (usual.backlog_bytes, usual.stream_bytes, usual.deltas_bytes) == (64 * MB, 96 * MB, 4 * MB)
    assert large.ids == 200_000
    assert caps_of(0, 7) == large


def test_deltas_give_way_first_where_memory_runs_short() -> None:
    assert caps_of(25 * MB, 7, 0.7).deltas_bytes == caps_of(25 * MB, 7).deltas_bytes // 8


def test_a_small_broker_takes_fewer_ids_and_says_so(broker_url: str) -> None:
    client = redis.Redis.from_url(broker_url)
    before = client.config_get("maxmemory")["maxmemory"]
    try:
        client.config_set("maxmemory", 32 * MB)
        system = System(broker_url)
        assert system.broker.caps == caps_of(32 * MB, 1)
        system.close()
    finally:
        client.config_set("maxmemory", before)
        client.close()


def test_the_demo_fits_into_twenty_five_megabytes() -> None:
    require_room(load_declarations(DEMO), 25 * MB)


def test_what_cannot_fit_is_refused_with_sizes_and_what_to_lower() -> None:
    declarations = load_declarations(DEMO)
    sentence = r"need [\d.]+ MB .* largest are \S+ [\d.]+ MB.*raise maxmemory to [\d.]+ MB"
    with pytest.raises(BrokerTooSmall, match=sentence) as told:
        require_room(declarations, 2 * MB)
    largest = max(declarations.channels.values(), key=full_bytes)
    assert largest.name in str(told.value)
    require_room(declarations, 0)


@pytest.mark.parametrize("name", ["orders.everything", "orders.dear", "orders.prices"])
def test_what_a_full_channel_is_said_to_take_is_what_it_takes(system: System, name: str) -> None:
    channel = Declarations.read((feeds,)).channels[name]
    for first in range(0, 2_200, 550):
        numbers = range(first, first + 550)
        system.post([order(number, price=200.0 + number, at=START_MS - 1_000 * (2_200 - number)) for number in numbers])
        system.drain()
    client = redis.Redis.from_url(system.url)
    key = f"hw:{{orders.0}}:c:{name}"
    held, taken = client.hlen(key), client.memory_usage(key, samples=0)
    client.close()
    full = channel.keep.rows_max or channel.keep.entries_max or held
    assert 0.5 < full_bytes(channel) * held / full / (taken or 1) < 2, (full_bytes(channel), held, taken)
