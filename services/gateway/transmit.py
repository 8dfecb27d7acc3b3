"""Transmit: non-blocking `send(2)` that keeps the GIL, to one descriptor or to many.

`socket.send` gives the GIL up for a call of 5 µs and then waits for it behind every busy thread of the
process: with 50 ms callbacks beside it, a fan-out's p99 was 356 ms, and 30 ms this way. A fan-out goes in volleys
(`volley`) where the kernel lets it, and else runs in `map`, without a line of Python between two calls: that halves
what it costs beside the system call itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
from collections.abc import Sequence
from itertools import repeat
from typing import Protocol

import structlog

from services.gateway.volley import Volley

VOLLEY_FROM = 16
"""From so many descriptors on, one system call for all of them costs less than one for each."""
_WOULD_BLOCK = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ENOBUFS})

log = structlog.get_logger(__name__)


class Transmit(Protocol):
    """Writes without waiting; an answer is how many bytes were taken, 0 where it would block, -1 where it is dead.

    `way` is how a fan-out goes: `io_uring`, `send` or `write`.
    """

    way: str

    def one(self, fd: int, data: bytes) -> int:
        """To one descriptor."""

    def many(self, fds: Sequence[int], data: bytes) -> list[int]:
        """The same bytes to each, all in one go; nobody else runs meanwhile, so it must not be too many."""

    def close(self) -> None:
        """Give back what it holds of the kernel's; it is of no use afterwards."""


class BySend:
    """`send(2)` by ctypes. Raises OSError or AttributeError where the platform has none to offer."""

    way = "send"

    def __init__(self) -> None:
        self._send = ctypes.PyDLL(None, use_errno=True).send
        self._send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
        # Without argtypes and errno a call costs half; an int is passed as C's int, so the size is made a size_t.
        self._quick = ctypes.PyDLL(None).send
        self._send.restype = self._quick.restype = ctypes.c_ssize_t
        self._flags = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)

    def one(self, fd: int, data: bytes) -> int:
        sent: int = self._send(fd, data, len(data), self._flags)
        return sent if sent >= 0 else 0 if ctypes.get_errno() in _WOULD_BLOCK else -1

    def many(self, fds: Sequence[int], data: bytes) -> list[int]:
        size = ctypes.c_size_t(len(data))
        sent = list(map(self._quick, fds, repeat(data), repeat(size), repeat(self._flags)))
        if -1 in sent:  # nothing was written there: asking again tells why, or it is taken by now
            return [self.one(fd, data) if got < 0 else got for fd, got in zip(fds, sent, strict=True)]
        return sent

    def close(self) -> None:
        """Nothing is held."""


class InVolleys(BySend):
    """The same, with one system call for many descriptors. Raises OSError where it is forbidden or does not work."""

    way = "io_uring"

    def __init__(self) -> None:
        super().__init__()
        self._volley = Volley()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            found = self._volley.fire([ours.fileno(), -1, ours.fileno()], b"tried")
            if found != [5, -errno.EBADF, 5] or theirs.recv(100) != b"triedtried":
                self._volley.close()
                raise OSError(errno.EIO, f"a trial of io_uring gave {found}")

    def many(self, fds: Sequence[int], data: bytes) -> list[int]:
        if len(fds) < VOLLEY_FROM:
            return super().many(fds, data)
        sent = self._volley.fire(fds, data)
        if len(sent) < len(fds):
            return [*map(_taken, sent), *super().many(fds[len(sent) :], data)]
        return sent if min(sent) >= 0 else list(map(_taken, sent))

    def close(self) -> None:
        self._volley.close()


def _taken(result: int) -> int:
    """A volley's answer, which is minus an errno where nothing was taken, as this module's."""
    return result if result >= 0 else 0 if -result in _WOULD_BLOCK else -1


class ByOsWrite:
    """The same by `os.write`, on descriptors that are set to non-blocking."""

    way = "write"

    def one(self, fd: int, data: bytes) -> int:
        try:
            return os.write(fd, data)
        except OSError as error:
            return 0 if error.errno in _WOULD_BLOCK else -1

    def many(self, fds: Sequence[int], data: bytes) -> list[int]:
        return [self.one(fd, data) for fd in fds]

    def close(self) -> None:
        """Nothing is held."""


def make_transmit(*, volleys: bool = True) -> Transmit:
    """The best way of this platform, which is told; without `volleys`, the best of the others."""
    if sys.implementation.name != "cpython":
        return ByOsWrite()
    if volleys:
        try:
            return InVolleys()
        except (OSError, AttributeError, TypeError) as refusal:
            log.info("no io_uring here; a fan-out takes a send for each viewer", reason=str(refusal))
    try:
        return BySend()
    except (OSError, AttributeError, TypeError):
        return ByOsWrite()
