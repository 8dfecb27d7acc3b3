"""Patience: how long a client may take to ask and to be answered. A slow one costs a connection, never a thread.

gunicorn reads a request's head in a thread, without a limit: as many clients as there are threads, each sending a
letter now and then (slowloris), would stop all HTTP. Here heads gather in the poller, and a body has its time.
"""

from __future__ import annotations

import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

CONNECTIONS_MAX = 1_000
"""Connections of a process that wait for a request or are answered; viewers, which are handed over, are none."""
HEAD_WITHIN_S = 10.0
BODY_WITHIN_S = 30.0
TAKEN_WITHIN_S = 60.0
"""How long a client may leave a part of an answer untaken."""
HEAD_BYTES_MAX = 32_768
"""A head that is no longer gathered; what is too long in it, gunicorn says by its own limits."""
LINE_BYTES_MAX = 8_190
FIELDS_MAX = 64
FIELD_BYTES_MAX = 8_190
_READ_BYTES = 16_384
_HEAD_END = b"\r\n\r\n"


class _TimedUnreader(SocketUnreader):  # type: ignore[misc] # gunicorn has no types
    """What a client sends, read until a deadline; raises TimeoutError after it."""

    deadline = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long to come")
        limit = self.sock.gettimeout()
        self.sock.settimeout(left if limit is None else min(left, limit))
        try:
            return bytes(super().chunk(size_hint))
        finally:
            self.sock.settimeout(limit)


class PatientWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's threads, which a connection gets once its request's head is whole."""

    def accept(self, listener: Any) -> None:
        """Take a connection in; where there are too many, the one that has waited longest for its client goes."""
        try:
            sock, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._gather(TConn(self.cfg, sock, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """The next request on a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._gather(conn)

    def handle(self, conn: Any) -> Any:
        """In a thread: the request whose head is here."""
        conn.sock.setblocking(True)
        conn.init()
        if not isinstance(conn.parser.unreader, _TimedUnreader):
            conn.parser.unreader = _TimedUnreader(conn.sock)
        conn.parser.unreader.deadline = time.monotonic() + BODY_WITHIN_S
        conn.parser.unreader.unread(bytes(conn.__dict__.pop("head", b"")))
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """In a thread: answer it; a client that does not take its answer is given up."""
        conn.sock.settimeout(TAKEN_WITHIN_S)
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Close those whose time is up; when the process is to end, those that have asked nothing yet as well."""
        super().murder_pending()
        if not self.alive:
            for conn in [one for one in self.pending_conns if not one.head]:
                self._drop(conn)

    def _gather(self, conn: Any) -> None:
        conn.sock.setblocking(False)
        conn.head, conn.timeout = bytearray(), time.monotonic() + HEAD_WITHIN_S
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._take_in, conn))
        self._take_in(conn, conn.sock)  # most heads are there at once

    def _take_in(self, conn: Any, sock: Any) -> None:
        try:
            data = sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        conn.head += data
        if _HEAD_END in conn.head or len(conn.head) >= HEAD_BYTES_MAX:
            self.poller.unregister(sock)
            self.pending_conns.remove(conn)
            conn.data_ready = True
            self.enqueue_req(conn)

    def _make_room(self) -> None:
        for waiting in (self.pending_conns, self.keepalived_conns):
            if waiting:
                oldest = waiting[0]
                waiting.remove(oldest)
                self._close(oldest)
                return

    def _drop(self, conn: Any) -> None:
        self.pending_conns.remove(conn)
        self._close(conn)

    def _close(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()
