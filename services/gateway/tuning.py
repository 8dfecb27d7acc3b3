"""Tuning: the options of a viewer's socket; those of one platform are set only where they are present."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys

_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
_TCP_INFO_BYTES = 60
_UNACKED_AT, _LAST_ACK_AT = 24, 56
"""Offsets in Linux's `struct tcp_info` (linux/tcp.h): segments unacknowledged, ms since the last acknowledgement."""


def tune(fd: int, send_buffer_bytes: int, user_timeout_s: float) -> None:
    """Non-blocking, no delay, and a small send buffer: a stalled viewer otherwise swallows 3 MB before it shows.

    Not every option exists on every kind of socket; a socket without one works all the same.
    """
    with socket.socket(fileno=fd) as borrowed:
        try:
            borrowed.setblocking(False)
            borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
            with contextlib.suppress(OSError):
                borrowed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if _USER_TIMEOUT is not None:
                    borrowed.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, int(user_timeout_s * 1000))
        finally:
            borrowed.detach()


def shut_for_writing(fd: int) -> None:
    """Say that nothing more will be written; what was written is still delivered."""
    with socket.socket(fileno=fd) as borrowed:
        with contextlib.suppress(OSError):
            borrowed.shutdown(socket.SHUT_WR)
        borrowed.detach()


def still_acknowledging(fd: int, within_s: float) -> bool:
    """Whether bytes are under way and the other end acknowledged some lately: a slow link, not a dead one.

    Linux only; False elsewhere, where a slow link then has to answer a ping in time.
    """
    if _TCP_INFO is None:
        return False
    with socket.socket(fileno=fd) as borrowed:
        try:
            info = borrowed.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _TCP_INFO_BYTES)
        except OSError:
            return False
        finally:
            borrowed.detach()
    if len(info) < _TCP_INFO_BYTES:
        return False
    (unacked,), (last_ack_ms,) = (struct.unpack_from("=I", info, at) for at in (_UNACKED_AT, _LAST_ACK_AT))
    return bool(unacked) and last_ack_ms < within_s * 1000
