"""Receive: one non-blocking `recv(2)` that keeps the GIL.

`os.read` gives the GIL up; where callbacks burn CPU, each of a thousand pongs then waits for it, and a tick behind
them: p99 126 ms instead of 20.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
from collections.abc import Callable

READ_BYTES = 65_536

Receive = Callable[[int], bytes | None]
"""Takes a descriptor; what has come, at most `READ_BYTES`: None where that is nothing yet, empty where it has ended."""

_NOTHING_YET = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR})


def _with_gil() -> Receive:
    """`recv(2)` by ctypes, into one buffer: for one thread. Raises OSError or AttributeError where there is none."""
    recv = ctypes.PyDLL(None, use_errno=True).recv
    buffer = ctypes.create_string_buffer(READ_BYTES)
    recv.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    recv.restype = ctypes.c_ssize_t
    view, flags = memoryview(buffer).cast("B"), socket.MSG_DONTWAIT

    def receive(fd: int) -> bytes | None:
        got: int = recv(fd, buffer, READ_BYTES, flags)
        if got > 0:
            return bytes(view[:got])
        return None if got < 0 and ctypes.get_errno() in _NOTHING_YET else b""

    return receive


def by_os_read(fd: int) -> bytes | None:
    """The same by `os.read`, on a descriptor that is set to non-blocking."""
    try:
        return os.read(fd, READ_BYTES)
    except OSError as error:
        return None if error.errno in _NOTHING_YET else b""


def make_receive() -> Receive:
    """The best way of this platform."""
    if sys.implementation.name != "cpython":
        return by_os_read
    try:
        return _with_gil()
    except (OSError, AttributeError, TypeError):
        return by_os_read
