"""Inbound: reads the frames that a viewer sends (RFC 6455, RFC 7692), and refuses what breaks the rules.

Sizes are checked on the frame's head, before the payload is held, and again while inflating, so that
neither a large message nor a small one that inflates to a large one costs memory.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from services.gateway.frames import Opcode
from services.messages import Close

_MESSAGE_OPCODES = (Opcode.TEXT, Opcode.BINARY)
_KNOWN_OPCODES = frozenset(Opcode)
_CONTROL_LIMIT_BYTES = 125
_EMPTY_PONG = b"\x8a\x80"
_EMPTY_PONG_BYTES = 6
_DEFLATE_TAIL = b"\x00\x00\xff\xff"
_CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})


class Fault(Exception):
    """What a viewer sent breaks a rule; carries the code to close with."""

    def __init__(self, close: Close, detail: str) -> None:
        super().__init__(detail)
        self.close, self.detail = close, detail


class Received(NamedTuple):
    """A whole message or control frame; text is checked to be UTF-8."""

    opcode: Opcode
    payload: bytes


class _Head(NamedTuple):
    fin: bool
    compressed: bool
    opcode: Opcode
    size: int
    payload_at: int
    """Where the payload begins; its four bytes of mask stand before it."""


class Inbound:
    """The inbound half of one socket. An idle one holds no buffer.

    `limit_bytes` caps a message both as sent and as inflated. `keeps_window`: the viewer's compressor
    refers to its earlier messages, which costs up to 40 KB here. `frames` counts what was read.
    """

    __slots__ = (
        "_binary", "_buffer", "_compressed", "_deflate", "_inflater", "_keeps_window", "_limit", "_opcode", "_parts",
        "frames",
    )

    def __init__(self, limit_bytes: int, *, deflate: bool, keeps_window: bool, binary: bool = False) -> None:
        self.frames = 0
        self._limit, self._binary = limit_bytes, binary
        self._deflate, self._keeps_window = deflate, keeps_window
        self._inflater: zlib._Decompress | None = None
        self._buffer = b""
        self._opcode: Opcode | None = None
        self._compressed = False
        self._parts = b""

    def is_pong(self, data: bytes) -> bool:
        """Whether these bytes are just the answer to our ping: most of what most viewers ever send."""
        if len(data) != _EMPTY_PONG_BYTES or self._buffer or not data.startswith(_EMPTY_PONG):
            return False
        self.frames += 1
        return True

    def feed(self, data: bytes) -> Iterator[Received]:
        """What these bytes complete, in order. Raises Fault; the messages before it have been yielded."""
        buffer, at = self._buffer + data if self._buffer else data, 0
        while (head := self._read_head(buffer, at)) is not None:
            end = head.payload_at + head.size
            if len(buffer) < end:
                break
            key = buffer[head.payload_at - 4 : head.payload_at]
            received = self._take(head, _unmask(key, buffer[head.payload_at : end]))
            at, self.frames = end, self.frames + 1
            if received is not None:
                yield received
        self._buffer = buffer[at:]

    def _read_head(self, buffer: bytes, at: int) -> _Head | None:
        """The head at `at`, checked; None where it is not whole yet."""
        available = len(buffer) - at
        if available < 2:
            return None
        first, second = buffer[at], buffer[at + 1]
        size, payload_at = second & 0x7F, at + 6
        opcode = self._check_head(first, masked=bool(second & 0x80), short_size=size)
        if size == 126:
            if available < 4:
                return None
            size, payload_at = struct.unpack_from("!H", buffer, at + 2)[0], at + 8
        elif size == 127:
            if available < 10:
                return None
            size, payload_at = struct.unpack_from("!Q", buffer, at + 2)[0], at + 14
        if len(self._parts) + size > self._limit:
            raise Fault(Close.TOO_BIG, f"more than {self._limit} bytes")
        return _Head(bool(first & 0x80), bool(first & 0x40), opcode, size, payload_at)

    def _check_head(self, first: int, *, masked: bool, short_size: int) -> Opcode:
        if not masked:
            raise Fault(Close.PROTOCOL_ERROR, "frame without a mask")
        if (first & 0x0F) not in _KNOWN_OPCODES:
            raise Fault(Close.PROTOCOL_ERROR, f"unknown opcode {first & 0x0F}")
        opcode = Opcode(first & 0x0F)
        if first & 0x30 or (first & 0x40 and not (self._deflate and opcode in _MESSAGE_OPCODES)):
            raise Fault(Close.PROTOCOL_ERROR, "reserved bit set")
        if opcode >= Opcode.CLOSE:
            if short_size > _CONTROL_LIMIT_BYTES or not first & 0x80:
                raise Fault(Close.PROTOCOL_ERROR, "control frame too long or fragmented")
        elif (opcode is Opcode.CONTINUATION) is (self._opcode is None):
            raise Fault(Close.PROTOCOL_ERROR, "fragments out of order")
        elif opcode is Opcode.BINARY and not self._binary:
            raise Fault(Close.UNSUPPORTED, "send text frames")
        return opcode

    def _take(self, head: _Head, payload: bytes) -> Received | None:
        if head.opcode >= Opcode.CLOSE:
            if head.opcode is Opcode.CLOSE:
                _check_close(payload)
            return Received(head.opcode, payload)
        if self._opcode is None:
            self._opcode, self._compressed = head.opcode, head.compressed
        if not head.fin:
            self._parts += payload
            return None
        opcode, message = self._opcode, self._parts + payload
        self._opcode, self._parts = None, b""
        return self._finish(opcode, message)

    def _finish(self, opcode: Opcode, message: bytes) -> Received:
        if self._compressed:
            message = self._inflate(message)
        if opcode is Opcode.TEXT:
            _check_text(message)
        return Received(opcode, message)

    def _inflate(self, message: bytes) -> bytes:
        inflater = self._inflater or zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            inflated = inflater.decompress(message + _DEFLATE_TAIL, self._limit + 1)
        except zlib.error as error:
            raise Fault(Close.BAD_TEXT, f"cannot be inflated: {error}") from None
        if len(inflated) > self._limit:
            raise Fault(Close.TOO_BIG, f"inflates to more than {self._limit} bytes")
        self._inflater = inflater if self._keeps_window and not inflater.eof else None
        return inflated


def _unmask(key: bytes, payload: bytes) -> bytes:
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def _check_text(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise Fault(Close.BAD_TEXT, f"not UTF-8: {error.reason} at byte {error.start}") from None


def _check_close(payload: bytes) -> None:
    """RFC 6455, section 7.4: no payload, or a code that may be on the wire and a UTF-8 reason."""
    if not payload:
        return
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not (code in _CLOSE_CODES or 3000 <= code <= 4999):
        raise Fault(Close.PROTOCOL_ERROR, "no such close code")
    _check_text(payload[2:])
