"""A fan-out in one system call: what it writes is what a send for each viewer writes, and where it is forbidden."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from services.gateway.gateway import GatewayLimits
from services.gateway.links import SocketLimits
from services.gateway.transmit import BySend, InVolleys, Transmit
from services.telemetry import Measurement
from tests.gateway.conftest import VOLLEYS
from tests.gateway.served import Served
from tests.gateway.spread import Spread
from tests.system import System
from tests.waiting import wait_until

WAYS = [InVolleys if volleys else BySend for volleys in VOLLEYS]
VIEWERS = 40
Pairs = list[tuple[socket.socket, socket.socket]]

FORBIDDEN = """
import ctypes, struct
from services.gateway.transmit import make_transmit
LOAD, IF_EQUAL, ANSWER, ALLOW, ERROR = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000
steps = [(LOAD, 0, 0, 0), (IF_EQUAL, 0, 1, {number}), (ANSWER, 0, 0, ERROR | {answer}), (ANSWER, 0, 0, ALLOW)]
program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
filter = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(program)))
prctl = ctypes.CDLL(None, use_errno=True).prctl
assert prctl(38, 1, 0, 0, 0) == 0, "no new privileges"
assert prctl(22, 2, ctypes.c_void_p(ctypes.addressof(filter)), 0, 0) == 0, "seccomp"
print(make_transmit().way)
"""
"""A process whose sandbox refuses one system call, as those of many hosts do (seccomp(2))."""


@pytest.fixture
def pairs() -> Iterator[Pairs]:
    made = [socket.socketpair() for _ in range(VIEWERS)]
    for ours, _ in made:
        ours.setblocking(False)
    yield made
    for pair in made:
        for end in pair:
            end.close()


@pytest.fixture(params=WAYS, ids=lambda way: way.way)
def way(request: pytest.FixtureRequest) -> Iterator[Transmit]:
    made = request.param()
    yield made
    made.close()


def read_to_end(reader: socket.socket, chance: random.Random, limit: int) -> bytes:
    """What came, read in pieces of any size, up to the limit."""
    got = bytearray()
    while len(got) < limit and (part := reader.recv(min(limit - len(got), chance.randrange(1, 60_000)))):
        got += part
    return bytes(got)


def test_what_one_viewer_takes_or_refuses_changes_nothing_for_the_others(way: Transmit, pairs: Pairs) -> None:
    full, gone, rest = pairs[3][0], pairs[5], pairs[8:]
    while way.one(full.fileno(), b"x" * 100_000):
        pass
    gone[1].close()
    fds = [full.fileno(), -1, gone[0].fileno(), *(ours.fileno() for ours, _ in rest)]
    expected = [0, -1, -1] + [7] * len(rest)
    for turn in range(40):  # more requests than a ring holds, and not a whole number of rings
        assert way.many(fds, b"turn %02d" % turn) == expected
    said = b"".join(b"turn %02d" % turn for turn in range(40))
    assert [theirs.recv(1_000) for _, theirs in rest] == [said] * len(rest)


def test_nothing_is_written_after_the_call(way: Transmit, pairs: Pairs) -> None:
    fds, frame = [ours.fileno() for ours, _ in pairs], os.urandom(3_000_000)
    taken = way.many(fds, frame)
    assert all(0 < size < len(frame) for size in taken)
    assert way.many(fds, frame) == [0] * len(pairs)
    workers = [comm.read_text() for comm in Path("/proc/self").glob("task/*/comm")]
    assert not [name for name in workers if name.startswith("iou-wrk")], "none waits in a thread of the kernel's"
    for (ours, theirs), size in zip(pairs, taken, strict=True):
        ours.close()
        assert read_to_end(theirs, random.Random(1), len(frame)) == frame[:size]


def test_a_number_that_belongs_to_another_viewer_now_reaches_that_one(way: Transmit, pairs: Pairs) -> None:
    fds = [ours.fileno() for ours, _ in pairs]
    assert way.many(fds, b"before") == [6] * len(fds)
    for ours, _ in pairs:
        ours.close()
    newer = [socket.socketpair() for _ in pairs]
    numbers = [ours.fileno() for ours, _ in newer]
    assert set(numbers) & set(fds)
    assert way.many(numbers, b"after") == [5] * len(numbers)
    assert [theirs.recv(100) for _, theirs in newer] == [b"after"] * len(newer)
    assert [theirs.recv(100) + theirs.recv(100) for _, theirs in pairs] == [b"before"] * len(pairs)
    for pair in newer:
        for end in pair:
            end.close()


@pytest.mark.usefixtures("each_way")
def test_every_byte_arrives_once_and_in_order_however_slowly_it_is_taken() -> None:
    chance = random.Random(7)
    frames = [chance.randbytes(chance.choice((1, 90, 1_500, 40_000, 150_000))) for _ in range(80)]
    said = b"".join(frames)
    with Spread(frames) as spread, ThreadPoolExecutor(VIEWERS) as pool:
        theirs = spread.add(VIEWERS)
        readers = [pool.submit(read_to_end, one, random.Random(n), len(said)) for n, one in enumerate(theirs)]
        found = {hashlib.sha256(reader.result(60)).digest() for reader in readers}
        assert spread.held_links, "a frame that did not fit was written in parts"
    assert found == {hashlib.sha256(said).digest()}


@pytest.mark.usefixtures("each_way")
def test_viewers_that_leave_in_the_middle_take_nothing_from_the_others() -> None:
    frames = [random.Random(n).randbytes(20_000) for n in range(60)]
    said = b"".join(frames)
    with Spread(frames) as spread, ThreadPoolExecutor(VIEWERS) as pool:
        theirs = spread.add(VIEWERS)
        for leaver in theirs[::2]:
            leaver.recv(5_000)
            leaver.close()  # with bytes unread: a reset
        readers = [pool.submit(read_to_end, one, random.Random(2), len(said)) for one in theirs[1::2]]
        assert all(reader.result(60) == said for reader in readers)
        wait_until(lambda: len(spread.sockets) == VIEWERS // 2, what="those that left forgotten")
        newer = spread.add(VIEWERS // 2)
        assert all(pool.map(lambda one: read_to_end(one, random.Random(3), len(said)) == said, newer))


@pytest.mark.parametrize("way", [InVolleys] if True in VOLLEYS else [], indirect=True)
def test_where_the_kernel_takes_no_more_requests_each_viewer_gets_its_own(way: InVolleys, pairs: Pairs) -> None:
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), way._volley._fd)
    assert way.many([ours.fileno() for ours, _ in pairs], b"hello") == [5] * len(pairs)
    assert [theirs.recv(100) for _, theirs in pairs] == [b"hello"] * len(pairs)


@pytest.mark.parametrize("number", [425, 426] if sys.platform == "linux" else [], ids=lambda number: f"call {number}")
def test_a_sandbox_that_forbids_it_is_found_out_at_the_start_and_told(number: int) -> None:
    script = FORBIDDEN.format(number=number, answer=errno.EPERM)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.splitlines()[-1] == "send"
    assert "a fan-out takes a send for each viewer" in ran.stdout


@pytest.mark.parametrize("volleys", [True, False], ids=["allowed", "forbidden"])
def test_which_way_a_process_takes_is_in_its_metrics(system: System, volleys: bool) -> None:
    limits = GatewayLimits(sockets=SocketLimits(volleys=volleys))
    with Served(system.url, system.declarations, limits=limits) as served:
        served.gateway.start()
        gauge = wait_until(lambda: Measurement.decoded(served.telemetry.payload()).gauges, what="gauges")["volleys"]
        assert gauge == (volleys and VOLLEYS[-1])


def test_a_process_gives_the_ring_back() -> None:
    before = psutil.Process().num_fds()
    for _ in range(3):
        with Spread() as spread:
            assert spread.sockets.in_volleys == VOLLEYS[-1]
    wait_until(lambda: psutil.Process().num_fds() <= before, what="the descriptors given back")
