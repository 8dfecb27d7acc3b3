"""Frames: messages as bytes on the wire (RFC 6455, RFC 7692), made once and shared by all viewers.

The other direction, reading what a viewer sends, is `inbound`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from services.messages import Close

DEFLATE_FROM_BYTES = 256
"""Smaller payloads are sent plain: a fresh compressor gains nothing on them."""

_FIN, _RSV1 = 0x80, 0x40
_REASON_LIMIT_BYTES = 123


class Opcode(IntEnum):
    """RFC 6455, section 5.2."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


def encode(opcode: Opcode, payload: bytes, *, compressed: bool = False) -> bytes:
    """One whole unmasked frame, as a server sends it."""
    first = _FIN | opcode | (_RSV1 if compressed else 0)
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def encode_close(close: Close, detail: str = "") -> bytes:
    """A close frame; `detail` replaces the code's own reason."""
    reason = (detail or close.reason).encode()[:_REASON_LIMIT_BYTES].decode(errors="ignore").encode()
    return encode(Opcode.CLOSE, struct.pack("!H", close.code) + reason)


PING = encode(Opcode.PING, b"")


class Writable(Protocol):
    """What a link can be given to write: the same content for both kinds of viewers."""

    @property
    def plain(self) -> bytes:
        """For viewers without permessage-deflate."""

    @property
    def deflated(self) -> bytes:
        """For viewers that negotiated it; made at most once, and only if somebody wants it."""


class Frame:
    """One text message. A fresh compressor refers to no earlier frame, so every viewer can decode it."""

    __slots__ = ("_deflated", "_payload_at", "plain")

    def __init__(self, payload: bytes) -> None:
        self.plain = encode(Opcode.TEXT, payload)
        self._payload_at = len(self.plain) - len(payload)
        self._deflated: bytes | None = None

    @property
    def payload(self) -> bytes:
        """The message without its frame head."""
        return self.plain[self._payload_at :]

    @property
    def deflated(self) -> bytes:
        if self._deflated is None:
            self._deflated = self._compress()
        return self._deflated

    def _compress(self) -> bytes:
        if len(self.plain) - self._payload_at < DEFLATE_FROM_BYTES:
            return self.plain
        compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        squeezed = compressor.compress(self.payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
        # RFC 7692, section 7.2.1: the tail 00 00 FF FF is left out.
        framed = encode(Opcode.TEXT, squeezed[:-4], compressed=True)
        return framed if len(framed) < len(self.plain) else self.plain


class Joined:
    """Several frames for one write: the system call is most of a frame's cost."""

    __slots__ = ("_deflated", "_frames", "_plain")

    def __init__(self, frames: Sequence[Writable]) -> None:
        self._frames = frames
        self._plain: bytes | None = None
        self._deflated: bytes | None = None

    @property
    def plain(self) -> bytes:
        if self._plain is None:
            self._plain = b"".join(frame.plain for frame in self._frames)
        return self._plain

    @property
    def deflated(self) -> bytes:
        if self._deflated is None:
            self._deflated = b"".join(frame.deflated for frame in self._frames)
        return self._deflated


def join(frames: Sequence[Writable]) -> Writable:
    """One write of these frames, in order; at least one."""
    return frames[0] if len(frames) == 1 else Joined(frames)
