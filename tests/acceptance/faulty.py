"""A deployment that is broken in one way: a door before a real one, which changes what its viewers are sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from queue import Empty, Queue
from typing import Any

import requests
from flask import Flask, Response, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from werkzeug.serving import make_server

LATE_S = 4.0
Frame = dict[str, Any]
Fault = Callable[[Frame, bool], Frame]
"""A frame as it is sent instead; whether its viewer came back with a position."""


def _same(frame: Frame, recovered: bool) -> Frame:
    return frame


def _lossy(frame: Frame, recovered: bool) -> Frame:
    """What was missed is not all there, and the position says that it is."""
    if recovered and "data" in frame:
        rows = frame["data"].get("rows", frame["data"].get("set", {}))
        for key in [one for one in rows if one.endswith("-10")]:
            del rows[key]
    return frame


def _silent(frame: Frame, recovered: bool) -> Frame:
    if frame["op"] == "heartbeat":
        for told in frame["channels"].values():
            told.update(state="live", cause=None)
    return frame


def _leaking(frame: Frame, recovered: bool) -> Frame:
    if frame["op"] != "error":
        return frame
    return {"op": "snapshot", "channel": frame["channel"], "epoch": "e", "seq": 1, "data": {"rows": {}}}


def _lying(frame: Frame, recovered: bool) -> Frame:
    """The times say that it was sent ten seconds before."""
    if frame["op"] == "delta":
        frame["times"]["sent"] -= 10_000
        frame["times"]["ingested"] = [one - 10_000 for one in frame["times"]["ingested"]]
    return frame


def _wrong(frame: Frame, recovered: bool) -> Frame:
    """After many events an older value stays where a newer one came."""
    rows = frame.get("data", {}).get("rows", frame.get("data", {}).get("set", {}))
    for key, row in rows.items():
        if key.endswith("-7") and row.get("price", 0) > 1_000:
            row["price"] -= 200
    return frame


FAULTS: dict[str, Fault] = {
    "none": _same, "late": _same, "lossy": _lossy, "silent": _silent, "leaking": _leaking, "lying": _lying,
    "wrong": _wrong, "deaf": _same,
}  # fmt: skip


class FaultyDoor:
    """Serves on a port of its own what `behind` answers, with the fault of that name."""

    def __init__(self, behind: str, fault: str) -> None:
        self._behind, self._fault, self._late_s = behind, FAULTS[fault], LATE_S if fault == "late" else 0.0
        self._deaf = fault == "deaf"
        web = Flask(__name__)
        web.add_url_rule("/api/<path:path>", "api", self._http, methods=["GET", "POST"])
        Sock(web).route("/live")(self._live)
        self._server = make_server("127.0.0.1", 0, web, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()

    def _http(self, path: str) -> Response:
        if self._deaf and path == "changes":  # who has no socket learns of nothing
            return Response("[]", 200, content_type="application/json")
        passed = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        found = requests.request(
            request.method, f"{self._behind}/api/{path}", data=request.get_data(), headers=passed, timeout=10
        )
        return Response(found.content, found.status_code, content_type=found.headers["Content-Type"])

    def _live(self, viewer: Any) -> None:
        address = f"{self._behind.replace('http', 'ws', 1)}/live?protocols=1"
        with connect(address, proxy=None, ping_interval=None) as upstream:
            wanted = viewer.receive()
            upstream.send(wanted)
            recovered = any(json.loads(wanted)["channels"].values())
            held: Queue[tuple[float, str]] = Queue()
            threading.Thread(target=self._late, args=(viewer, held), daemon=True).start()
            try:
                for text in upstream:
                    frame = json.dumps(self._fault(json.loads(text), recovered))
                    if self._late_s and '"op": "delta"' in frame:
                        held.put((time.monotonic() + self._late_s, frame))
                    else:
                        viewer.send(frame)
            except (ConnectionClosed, WebSocketException, OSError):
                return

    def _late(self, viewer: Any, held: Queue[tuple[float, str]]) -> None:
        pause = threading.Event()
        while viewer.connected:
            try:
                due, frame = held.get(timeout=1)
                pause.wait(max(0.0, due - time.monotonic()))
                viewer.send(frame)
            except Empty:
                continue
            except (ConnectionClosed, OSError):
                return
