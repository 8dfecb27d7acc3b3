"""Volley: the same bytes to many sockets by one system call, through io_uring (Linux 5.18 and later).

A `send(2)` of its own for each viewer enters the kernel once a viewer, and ctypes builds its arguments each time: about
a fifth of what a delivered frame costs. Here the requests lie in memory that the kernel reads, and one `io_uring_enter`
carries out all of them before it returns. They ask for MSG_DONTWAIT, so that none waits, goes to a kernel thread or
outlives the call; bytes and descriptors need to live no longer than it. Layouts: linux/io_uring.h, io_uring_enter(2).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
from array import array
from collections.abc import Sequence
from typing import NamedTuple

SHOTS = 256
"""Requests of one system call at most; a power of two."""

_SETUP, _ENTER = 425, 426
"""Numbers of the system calls, the same on x86, arm64 and whatever else CPython is made for but Alpha."""
_SUBMIT_ALL = 1 << 7
"""Setup flag: a request that fails holds up none behind it. Older kernels refuse the flag, and with it the ring."""
_GET_EVENTS, _SEND = 1, 26
_PARAMS_BYTES, _FLAGS_AT, _SQ_AT, _CQ_AT, _OFFSETS = 120, 8, 40, 80, "=7I"
_SQES_MAP_AT = 0x10000000
_SQE, _SQE_BYTES, _CQE_BYTES = "=BBHiQQIIQ", 64, 16
_U32 = 0xFFFFFFFF


class _Views(NamedTuple):
    """The memory shared with the kernel: a column of each thing that changes from request to request, or answer."""

    fds: memoryview
    sizes: memoryview
    addresses: memoryview
    sq_tail: memoryview
    cq_head: memoryview
    cq_tail: memoryview
    slots: memoryview
    results: memoryview


class Volley:
    """A ring of requests, for one thread. Raises OSError where the kernel, or a sandbox, has none to offer."""

    def __init__(self) -> None:
        libc = ctypes.PyDLL(None, use_errno=True)  # keeps the GIL: see `transmit`
        params = ctypes.create_string_buffer(_PARAMS_BYTES)
        struct.pack_into("=I", params, _FLAGS_AT, _SUBMIT_ALL)
        self._fd = int(libc.syscall(ctypes.c_long(_SETUP), SHOTS, params))
        if self._fd < 0:
            raise _refused("io_uring_setup")
        self._enter = libc["syscall"]
        self._enter.argtypes = (ctypes.c_long, *[ctypes.c_uint] * 4, ctypes.c_void_p, ctypes.c_size_t)
        self._tail = 0
        self._requests, self._answers = struct.unpack_from("=2I", params)
        try:
            self._views = _views(self._fd, params.raw, self._requests, self._answers)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Give the ring and its memory back; it is of no use afterwards."""
        del self._views
        os.close(self._fd)

    def fire(self, fds: Sequence[int], data: bytes) -> list[int]:
        """Send the bytes to each: how many it took, or minus its errno.

        Shorter than `fds` where the kernel takes no more requests just now; the rest was not tried.
        """
        taken: list[int] = []
        while len(taken) < len(fds):
            slot = self._tail & (self._requests - 1)
            some = fds[len(taken) : len(taken) + self._requests - slot]  # does not wrap, nor do as many answers
            got = self._fire_from(slot, some, data)
            taken += got
            if len(got) < len(some):
                break
        return taken

    def _fire_from(self, slot: int, fds: Sequence[int], data: bytes) -> list[int]:
        views, count = self._views, len(fds)
        start = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        views.fds[slot : slot + count] = array("i", fds)
        views.sizes[slot : slot + count] = array("I", (len(data),)) * count
        views.addresses[slot : slot + count] = array("Q", (start,)) * count
        views.sq_tail[0] = (self._tail + count) & _U32
        taken = max(0, self._enter(_ENTER, self._fd, count, count, _GET_EVENTS, None, 0))
        self._tail = views.sq_tail[0] = (self._tail + taken) & _U32  # what was not taken is not asked for again
        return self._reap(slot, taken, len(data))

    def _reap(self, slot: int, count: int, size: int) -> list[int]:
        """The answers, in the order of the requests from `slot` on; the kernel may give them in another."""
        views, head = self._views, self._views.cq_head[0]
        while (views.cq_tail[0] - head) & _U32 < count:  # a signal came between
            if self._enter(_ENTER, self._fd, 0, count, _GET_EVENTS, None, 0) < 0 and ctypes.get_errno() != errno.EINTR:
                raise _refused("io_uring_enter")
        at = head & (self._answers - 1)
        found: list[int] = views.results[at : at + count].tolist()
        if found.count(size) < count:
            by_slot = dict(zip(views.slots[at : at + count].tolist(), found, strict=True))
            found = [by_slot[one] for one in range(slot, slot + count)]
        views.cq_head[0] = (head + count) & _U32
        return found


def _views(fd: int, params: bytes, requests: int, answers: int) -> _Views:
    """Map the ring. All of a request that stays the same is written here, once."""
    _, sq_tail, _, _, _, _, order_at = struct.unpack_from(_OFFSETS, params, _SQ_AT)
    cq_head, cq_tail, _, _, _, cqes_at, _ = struct.unpack_from(_OFFSETS, params, _CQ_AT)
    size = max(order_at + 4 * requests, cqes_at + _CQE_BYTES * answers)
    ring = memoryview(mmap.mmap(fd, size))
    sqes = memoryview(mmap.mmap(fd, _SQE_BYTES * requests, offset=_SQES_MAP_AT))
    cqes = ring[cqes_at : cqes_at + _CQE_BYTES * answers]
    ring[order_at : order_at + 4 * requests].cast("I")[:] = memoryview(array("I", range(requests)))
    for slot in range(requests):
        flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        struct.pack_into(_SQE, sqes, _SQE_BYTES * slot, _SEND, 0, 0, -1, 0, 0, 0, flags, slot)
    tail, head, answered = (ring[at : at + 4].cast("I") for at in (sq_tail, cq_head, cq_tail))
    return _Views(
        fds=sqes.cast("i")[1::16], sizes=sqes.cast("I")[6::16], addresses=sqes.cast("Q")[2::8],
        sq_tail=tail, cq_head=head, cq_tail=answered, slots=cqes.cast("Q")[::2], results=cqes.cast("i")[2::4],
    )


def _refused(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {errno.errorcode.get(number, number)}")
