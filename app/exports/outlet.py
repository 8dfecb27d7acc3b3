"""Outlet: a file that is written in a thread of its own while an answer hands it over, piece by piece.

A writer pushes, an answer pulls; between the two stands a short queue, so that a slow client slows the reading of the
archive down and a client that is gone ends it.
"""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import orjson
import structlog

PIECE_BYTES = 64 * 1024
PIECES_MAX = 4
STALLED_S = 60.0
"""A client that takes nothing for so long keeps a transaction open for nothing."""

TAKEN_AWAY = "you are signed out, or may no longer see this; what came until then is not the whole file"

log = structlog.get_logger("export")


class Gone(Exception):
    """Nobody takes the file any more."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the file, and how far it is by then: rows, and the time up to which history was read."""

    body: bytes
    rows: int
    until: int
    error: str = ""
    last: bool = False


class Sink(io.RawIOBase):
    """What the writer of a file writes into; `note` says how far it is. Both raise Gone."""

    def __init__(self, put: Callable[[Piece], None]) -> None:
        self._put, self._held = put, bytearray()
        self.rows = self.until = 0

    def writable(self) -> bool:
        return True

    def write(self, body: bytes) -> int:  # type: ignore[override]  # whole or not at all
        self._held += body
        while len(self._held) >= PIECE_BYTES:
            self._pass_on(PIECE_BYTES)
        return len(body)

    def note(self, rows: int, until: int) -> None:
        """So many rows more, and read up to that time."""
        self.rows, self.until = self.rows + rows, until
        self._pass_on(len(self._held))

    def end(self, error: str = "") -> None:
        body = bytes(self._held) if not error else b""
        self._put(Piece(body, self.rows, self.until, error, last=True))

    def _pass_on(self, count: int) -> None:
        body = bytes(self._held[:count])
        del self._held[:count]
        self._put(Piece(body, self.rows, self.until))


class Outlet:
    """Iterates over the pieces of what `produce` writes; `close` ends the writing, whenever it comes.

    Before each piece `allowed` is asked: what was taken away while the file was under way is handed over no further.
    With `framed` each piece follows a line of JSON that says its size and how far the file is:
    `{"bytes": n, "rows": n, "until": ms, "done": bool, "error"?: text}`. Without, an error breaks the answer off.
    """

    def __init__(
        self, produce: Callable[[Sink], None], *, framed: bool, ended: Callable[[], None],
        allowed: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._produce, self._framed, self._ended, self._allowed = produce, framed, ended, allowed
        self._pieces: queue.Queue[Piece] = queue.Queue(PIECES_MAX)
        self._closed, self._over = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="export", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while not self._over:
            piece = self._pieces.get()
            if not self._allowed():
                self._closed.set()
                piece = Piece(b"", piece.rows, piece.until, TAKEN_AWAY, last=True)
            self._over = piece.last
            if self._framed:
                return _frame(piece) + piece.body
            if piece.error:
                raise RuntimeError(piece.error)
            if piece.body:
                return piece.body
        raise StopIteration

    def close(self) -> None:
        """The answer is over, whole or not."""
        self._over = True
        self._closed.set()

    def _run(self) -> None:
        sink = Sink(self._put)
        try:
            self._produce(sink)
            sink.end()
        except Exception as error:
            if not self._closed.is_set():
                log.exception("export ended early", rows=sink.rows)
                self._tell(sink, error)
        finally:
            self._ended()

    def _tell(self, sink: Sink, error: Exception) -> None:
        with suppress(Gone):
            sink.end(str(error) or type(error).__name__)

    def _put(self, piece: Piece) -> None:
        waited_s = 0.0
        while not self._closed.is_set() and waited_s < STALLED_S:
            try:
                self._pieces.put(piece, timeout=0.25)
            except queue.Full:
                waited_s += 0.25
            else:
                return
        raise Gone


def _frame(piece: Piece) -> bytes:
    told = {"bytes": len(piece.body), "rows": piece.rows, "until": piece.until, "done": piece.last and not piece.error}
    return orjson.dumps(told | ({"error": piece.error} if piece.error else {})) + b"\n"
