"""**`wire`**: bytes that a viewer of the page of `paint` receives at 200 changes/s, deflated as for a browser, ÷ those
of the same deltas as plain JSON, with `tick_ms` 16 and 100. The viewer checks that no channel's deltas have a gap.

    python -m bench.wire [--runs 5]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.browser.producer import Plant
from bench.browser.served import Served, served
from bench.figures import Bound, Figure, table

CHANNELS = ("plant.gauges", "plant.flows", "plant.heats", "plant.readings")
RATE, SECONDS = 200.0, 8.0
_REACH = {16: "≤ 0.5", 100: "≤ 0.333"}
_COMPRESSED, _LONG = 0x40, 126
_TEXT, _PING, _PONG = 1, 9, 10


@dataclass(slots=True)
class Counted:
    """What came since the counting began: bytes on the wire, and what the deltas are as plain JSON."""

    wire_bytes: int = 0
    plain_bytes: int = 0
    deltas: int = 0
    gaps: int = 0
    seqs: dict[str, int] = field(default_factory=dict)


class WireViewer:
    """A viewer that speaks as Chromium does and counts; `counted` is started anew by `reset`."""

    def __init__(self, at: Served) -> None:
        self.counted = Counted()
        self._socket = socket.create_connection(("127.0.0.1", at.port))
        self._inflate = zlib.decompressobj(-15)
        key = b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /live?protocols=1 HTTP/1.1\r\nHost: 127.0.0.1:{at.port}\r\nOrigin: {at.url}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._socket.recv(1)
        if b" 101 " not in head or b"permessage-deflate" not in head.lower():
            raise SystemExit(f"no deflated WebSocket: {head!r}")
        self._send(json.dumps({"op": "subscribe", "channels": dict.fromkeys(CHANNELS)}).encode())
        threading.Thread(target=self._read, daemon=True).start()

    def reset(self) -> None:
        self.counted = Counted(seqs=self.counted.seqs)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)

    def _send(self, text: bytes, opcode: int = _TEXT) -> None:
        mask = os.urandom(4)
        short = len(text) < _LONG
        length = bytes([0x80 | len(text)]) if short else bytes([0x80 | _LONG, *len(text).to_bytes(2, "big")])
        masked = bytes(one ^ mask[i % 4] for i, one in enumerate(text))
        self._socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def _read(self) -> None:
        for wire_bytes, text in self._messages():
            self.counted.wire_bytes += wire_bytes
            frame = json.loads(text) if text else {}
            if frame.get("op") == "delta":
                self._note(frame, len(text))
            elif frame.get("op") == "snapshot":
                self.counted.seqs[frame["channel"]] = frame["seq"]

    def _note(self, frame: dict[str, int | str], plain_bytes: int) -> None:
        channel, counted = str(frame["channel"]), self.counted
        counted.plain_bytes += plain_bytes
        counted.deltas += 1
        counted.gaps += frame["after"] != counted.seqs.get(channel)
        counted.seqs[channel] = int(frame["seq"])

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        """Each message: its bytes on the wire, header included, and its text."""
        stream = self._socket.makefile("rb")
        while head := stream.read(2):
            length, more = head[1] & 0x7F, 0
            if length >= _LONG:
                more = 2 if length == _LONG else 8
                length = int.from_bytes(stream.read(more), "big")
            body = stream.read(length)
            text = body
            if head[0] & _COMPRESSED:
                text = self._inflate.decompress(body + b"\x00\x00\xff\xff")
            if head[0] & 0x0F == _PING:
                self._send(body, _PONG)
            yield 2 + more + length, text if head[0] & 0x0F == _TEXT else b""


def run(runs: int) -> list[Figure]:
    return [figure for tick_ms in _REACH for figure in _at_tick(tick_ms, runs)]


def _at_tick(tick_ms: int, runs: int) -> list[Figure]:
    with served(tick_ms=tick_ms) as at:
        plant, viewer = Plant(at), WireViewer(at)
        plant.fill()
        found = [_count(plant, viewer) for _ in range(runs)]
        viewer.close()
    if gaps := sum(one.gaps for one in found):
        raise SystemExit(f"{gaps} gaps in the deltas of one viewer")
    what = f"wire, a viewer of the page at 200 changes/s, tick {tick_ms} ms"
    ratios = tuple(one.wire_bytes / one.plain_bytes for one in found)
    return [
        Figure(what, "bytes ÷ plain JSON", Bound.parse(_REACH[tick_ms]), ratios, "", "less"),
        Figure(what, "bytes", None, tuple(one.wire_bytes / SECONDS / 1000 for one in found), "KB/s", "less"),
        Figure(what, "deltas", None, tuple(one.deltas / SECONDS for one in found), "a second", "less"),
    ]


def _count(plant: Plant, viewer: WireViewer) -> Counted:
    plant.produce(RATE, 1.0)
    time.sleep(0.5)
    viewer.reset()
    plant.produce(RATE, SECONDS)
    time.sleep(0.5)
    return viewer.counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    main()
