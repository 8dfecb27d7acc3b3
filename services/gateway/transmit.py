"""Transmit: one non-blocking `send(2)` that keeps the GIL.

`socket.send` gives the GIL up for a call of 5 µs and then waits for it behind every busy thread of the
process: with 50 ms callbacks beside it, a fan-out's p99 was 356 ms, and 30 ms this way.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
from collections.abc import Callable

Transmit = Callable[[int, bytes], int]
"""Takes a descriptor and bytes; returns how many were taken, 0 where it would block, -1 where it is dead."""

_WOULD_BLOCK = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ENOBUFS})


def _with_gil() -> Transmit:
    """`send(2)` by ctypes. Raises OSError or AttributeError where the platform has none to offer."""
    send = ctypes.PyDLL(None, use_errno=True).send
    send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    send.restype = ctypes.c_ssize_t
    flags = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)

    def transmit(fd: int, data: bytes) -> int:
        sent: int = send(fd, data, len(data), flags)
        return sent if sent >= 0 else 0 if ctypes.get_errno() in _WOULD_BLOCK else -1

    return transmit


def by_os_write(fd: int, data: bytes) -> int:
    """The same by `os.write`, on a descriptor that is set to non-blocking."""
    try:
        return os.write(fd, data)
    except OSError as error:
        return 0 if error.errno in _WOULD_BLOCK else -1


def make_transmit() -> Transmit:
    """The best way of this platform."""
    if sys.implementation.name != "cpython":
        return by_os_write
    try:
        return _with_gil()
    except (OSError, AttributeError, TypeError):
        return by_os_write
