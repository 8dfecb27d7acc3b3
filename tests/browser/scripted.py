"""A gateway that a test plays by hand, on the same port as a small Dash app with one component of each kind.

It speaks the protocol truly (snapshots, deltas, recovery, heartbeats), and can be told to lie: lose a
frame, send one twice, fall silent, cut a socket. What it believes is in `services.state`, so that a
test compares the browser with the server's own rules.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dash
import dash_ag_grid
from dash import Dash, Input, dcc, html, page_container
from dash.development.base_component import Component
from flask import Response, request, send_from_directory
from flask_sock import ConnectionClosed, Server, Sock
from werkzeug.serving import make_server
from wsproto.events import CloseConnection

from callbacks import live
from components.live import (
    LiveId,
    LiveType,
    badge_id,
    live_data,
    live_id,
    live_shell,
)
from components.theme import GRID_THEME
from services.declare import Keep
from services.state import State, state_of

ASSETS = Path(__file__).parents[2] / "assets"
MODULES = "/live/modules/test/"
INDEX = f"""<!DOCTYPE html>
<html lang="en"><head>{{%metas%}}<meta name="headwater-modules" content="{MODULES}"><title>{{%title%}}</title>
{{%favicon%}}{{%css%}}</head><body>{{%app_entry%}}<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer></body></html>"""

TEAMS_OWN = "(changes) => { window.teamSaw?.push(changes); return dash_clientside.no_update }"
"""A clientside callback as a team writes one, on the changed channels."""

KINDS = {
    "host.now": ("latest", Keep(rows_max=5000)),
    "host.board": ("latest", Keep(rows_max=5000)),
    "host.cpu": ("series", Keep(span_ms=600_000, points_max=2000)),
    "host.alerts": ("log", Keep(entries_max=20)),
}
"""One channel of each kind, which `/` shows."""
ALL = {**KINDS, "host.slow": ("series", Keep(span_ms=600_000, points_max=2000))}
HEARTBEAT_S = 2.0
"""A page gives up a socket that says nothing for two and a half of them, which a busy machine may need."""
FACTS = [["Definition", "<b>share</b> of time"], ["Unit", "%"]]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Truth:
    """What the server knows of one channel."""

    name: str
    kind: str
    keep: Keep
    epoch: str = "e1"
    seq: int = 0
    created: int = 0
    deltas: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state: State = state_of(self.kind, self.keep)  # type: ignore[arg-type]

    def advance(self, data: dict[str, Any], created: int | None) -> dict[str, Any]:
        """Fold one delta in and return its frame."""
        self.created = now_ms() if created is None else created
        self.state.apply(data)
        self.seq += 1
        frame = {"op": "delta", "channel": self.name, "epoch": self.epoch, "after": self.seq - 1, "seq": self.seq,
                 "data": data, "times": self.times()}
        self.deltas.append(frame)
        return frame

    def times(self) -> dict[str, Any]:
        if not self.created:
            return {"sent": now_ms()}
        both = [self.created, self.created]
        return {"created": both, "ingested": both, "processed": self.created, "sent": now_ms(), "events": 1}

    def snapshot(self) -> dict[str, Any]:
        return {"op": "snapshot", "channel": self.name, "kind": self.kind, "epoch": self.epoch, "seq": self.seq,
                "keep": self.keep.as_json(), "data": self.state.data(), "times": self.times()}

    def since(self, position: dict[str, Any] | None) -> list[dict[str, Any]]:
        """The frames that bring a viewer at `position` to now."""
        if position is None or position["epoch"] != self.epoch:
            return [self.snapshot()]
        return [frame for frame in self.deltas if frame["seq"] > position["seq"]]


class ScriptedGateway:
    """The server's end of `/live`; tests call its methods, the browser's messages are in `received`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forget everything; open sockets are cut."""
        with self.lock:
            self.cut()
            self.channels = {name: Truth(name, kind, keep) for name, (kind, keep) in ALL.items()}
            self.received: list[dict[str, Any]] = []
            self.sockets: list[Server] = []
            self.subscribed: set[str] = set()
            self.told: dict[str, dict[str, Any]] = {}
            self.refused_with: int | None = None
            self.session_status = 200
            self.session_asked = 0
            self.connections = 0
            self.is_silent = False
            self.heartbeat_s = HEARTBEAT_S
            self.protocol = 1
            self.early: list[str] = []
            self.has_modules, self.module_misses = True, 0
            self.polls: list[dict[str, Any]] = []
            self.polls_refused_with: int | None = None
            self.changed = threading.Condition(self.lock)

    # ---- what a test does ----

    def delta(
        self, channel: str, data: dict[str, Any], *, created: int | None = None, lost: bool = False, times: int = 1
    ) -> None:
        """Advance a channel and send the delta: not at all where `lost`, else as often as `times` says."""
        with self.lock:
            frame = self.channels[channel].advance(data, created)
            self.changed.notify_all()
            for _ in range(0 if lost else times):
                if channel in self.subscribed:
                    self.send(frame)

    def send(self, frame: dict[str, Any]) -> None:
        with self.lock:
            for ws in self.sockets if not self.is_silent else ():
                with contextlib.suppress(ConnectionClosed, OSError):
                    ws.send(json.dumps(frame))

    def beat(self) -> None:
        """One heartbeat; `told` overrides what it says of a channel."""
        with self.lock:
            channels = {name: self._progress(name) for name in self.subscribed}
            self.send({"op": "heartbeat", "server_time": now_ms(), "channels": channels})

    def cut(self) -> None:
        """Kill every socket without a closing handshake."""
        for ws in getattr(self, "sockets", []):
            with contextlib.suppress(OSError):
                ws.sock.shutdown(socket.SHUT_RDWR)

    def close(self, code: int) -> None:
        """Begin the closing handshake; the browser's answer ends it, so that it sees the code and not a reset."""
        with self.lock:
            for ws in self.sockets:
                ws.sock.sendall(ws.ws.send(CloseConnection(code)))
            self.sockets = []

    def messages(self, op: str) -> list[dict[str, Any]]:
        with self.lock:
            return [message for message in self.received if message["op"] == op]

    def truth(self, channel: str) -> dict[str, Any]:
        """State and position as the browser's `headwater.state(channel)` must have them."""
        with self.lock:
            known = self.channels[channel]
            return json.loads(json.dumps({"epoch": known.epoch, "seq": known.seq, "data": known.state.data()}))

    # ---- what the browser sees ----

    def serve(self, ws: Server) -> None:
        with self.lock:
            self.sockets.append(ws)
            self.subscribed = set()
            self.connections += 1
        self.send({"op": "hello", "protocol": self.protocol, "server_time": now_ms(), "heartbeat_s": self.heartbeat_s,
                   "viewer": "v"})
        try:
            self._converse(ws)
        finally:
            with self.lock:
                if ws in self.sockets:
                    self.sockets.remove(ws)
            with contextlib.suppress(OSError):  # the development server would write an HTTP response into it
                ws.sock.shutdown(socket.SHUT_RDWR)

    def _converse(self, ws: Server) -> None:
        beat_at = time.monotonic() + self.heartbeat_s
        while True:
            text = ws.receive(timeout=max(0.0, beat_at - time.monotonic()))
            if text is None:
                beat_at = time.monotonic() + self.heartbeat_s
                self.beat()
                continue
            self._answer(json.loads(text))

    def _answer(self, message: dict[str, Any]) -> None:
        with self.lock:
            self.received.append(message)
            if message["op"] == "ping":
                self.send({"op": "pong", "t": message["t"], "server_time": now_ms()})
            if message["op"] == "subscribe":
                fresh = set(message["channels"]) - self.subscribed
                self.subscribed = set(message["channels"])
                for name in sorted(fresh & set(self.channels)):
                    for frame in self.channels[name].since(message["channels"][name]):
                        self.send(frame)
                for name in sorted(self.subscribed - set(self.channels)):
                    self.send({"op": "error", "code": "unknown_channel", "channel": name, "detail": "no such channel"})
                self.subscribed &= set(self.channels)
                self.beat()

    def changes(self, positions: dict[str, Any], wait_s: float) -> list[dict[str, Any]]:
        """The long poll: what follows the positions, as soon as there is something, and a heartbeat."""
        deadline = time.monotonic() + wait_s
        with self.lock:
            self.polls.append(positions)
            known = {name: at for name, at in positions.items() if name in self.channels}
            while True:
                frames = [frame for name, at in known.items() for frame in self.channels[name].since(at)]
                left = deadline - time.monotonic()
                if frames or left <= 0:
                    break
                self.changed.wait(left)
            channels = {name: self._progress(name) for name in known}
            return [*frames, {"op": "heartbeat", "server_time": now_ms(), "channels": channels}]

    def _progress(self, name: str) -> dict[str, Any]:
        known = self.channels[name]
        return {"epoch": known.epoch, "seq": known.seq, "state": "live", "cause": None, "since": now_ms(),
                "event_age_ms": now_ms() - known.created, "backlog": 0, **self.told.get(name, {})}


def _badge(uid: str, channel: str) -> Component:
    return html.Details(
        [html.Summary(html.Span("connecting", className="freshness-text")),
         html.Div(className="freshness-now"), html.Dl([], className="facts")],
        id=badge_id(uid, channel), className="freshness",
        **{"data-state": "connecting", "data-facts": json.dumps(FACTS)},
    )


def _section(uid: str, spec: dict[str, Any], *children: Component) -> Component:
    return html.Section([_badge(uid, spec["channel"]), *children], id=uid, className=spec["paint"], **live_data(spec))


def _tile() -> Component:
    spec = {
        "paint": "tile", "channel": "host.now", "key": "all", "field": "percent", "decimals": 1, "unit": "%",
        "type": "number", "scale": 1, "thresholds": [{"at": 50, "level": "warn"}, {"at": 90, "level": "bad"}],
        "direction": "above", "trend": {"channel": "host.cpu", "series": "percent:0", "span_ms": 600_000},
    }
    nodes = [html.Span("", **{f"data-{name}": ""}) for name in ("value", "unit", "change", "trend")]
    return _section("tile", spec, *nodes)


def _chart(uid: str, channel: str) -> Component:
    spec = {"paint": "chart", "channel": channel, "by": True,
            "fields": [{"field": "percent", "label": "CPU"}], "span_ms": 600_000,
            "decimals": 1, "unit": "%", "every_ms": 250, "thresholds": [{"at": 90, "level": "bad"}]}
    figure = {"data": [], "layout": {"uirevision": "live", "xaxis": {"type": "date"}, "height": 240, "hovermode": "x"}}
    return _section(uid, spec, html.Div(dcc.Graph(figure=figure), className="plot", tabIndex=0))


def everything() -> Component:
    """A page with one component of each kind."""
    log = {"paint": "log", "channel": "host.alerts", "entries_max": 10, "columns": [
        {"field": "created_at", "label": "Time", "type": "moment"}, {"field": "text", "label": "Text", "type": "text"}]}
    grid = dash_ag_grid.AgGrid(
        id=live_id(LiveType.TABLE, "table", "host.board"), rowData=[], getRowId="params.data.id",
        columnDefs=[{"field": "core"}, {"field": "percent", "sort": "desc"}],
        defaultColDef={"enableCellChangeFlash": True}, style={"height": "240px"},
        dashGridOptions={"theme": {"function": GRID_THEME}, "animateRows": False, "rowSelection": {"mode": "multiRow"}},
    )
    return html.Div([
        _tile(),
        _chart("chart", "host.cpu"),
        _section("log", log, html.Ol([], **{"data-entries": ""})),
        _section("table", {"paint": "none", "channel": "host.board"}, grid),
    ])


def make_app(gateway: ScriptedGateway) -> Dash:
    """A Dash app that is served with the gateway: `/` with everything, `/tile` with a tile, `/charts` with charts."""
    dash.page_registry.clear()
    app = Dash(__name__, assets_folder=str(ASSETS), assets_path_ignore=["live"], index_string=INDEX, use_pages=True,
               pages_folder="", update_title=None)
    dash.register_page("everything", path="/", layout=everything)
    dash.register_page("tile", path="/tile", layout=lambda: html.Div([_tile()]))
    dash.register_page(
        "charts", path="/charts", layout=lambda: html.Div([_chart("chart", "host.cpu"), _chart("slow", "host.slow")])
    )
    dash.register_page("prose", path="/prose", layout=lambda: html.P("No live part", id="prose"))
    links = [dcc.Link(path, href=path, id=name) for name, path in
             (("to-everything", "/"), ("to-tile", "/tile"), ("to-prose", "/prose"))]
    banner = html.Div(html.Span(id=LiveId.BANNER_TEXT), id=LiveId.BANNER, role="status", hidden=True,
                      **{"data-state": "connecting"})
    link = html.Div(html.Span(id=LiveId.LINK_TEXT), id=LiveId.LINK)
    app.layout = html.Div([*links, banner, link, page_container, *live_shell()])
    live.register(app)
    app.clientside_callback(TEAMS_OWN, Input(LiveId.CHANGES, "data"))
    _add_routes(app, gateway)
    return app


def _add_routes(app: Dash, gateway: ScriptedGateway) -> None:
    server, sock = app.server, Sock(app.server)

    @server.get(f"{MODULES}<name>")
    def module(name: str) -> Response:
        if not gateway.has_modules:
            gateway.module_misses += 1
            return Response("", 404)
        return send_from_directory(ASSETS / "live", name, mimetype="text/javascript")

    @server.get("/api/session")
    def session() -> Response:
        gateway.session_asked += 1
        return Response("{}", gateway.session_status, mimetype="application/json")

    @server.after_request
    def name_early_channels(answer: Response) -> Response:
        if gateway.early and answer.mimetype == "text/html":
            named = f"<head><meta name='headwater-channels' content='{json.dumps(gateway.early)}'>"
            answer.set_data(answer.get_data(as_text=True).replace("<head>", named))
        return answer

    @server.post("/api/changes")
    def changes() -> Response:
        body = request.get_json()
        if gateway.polls_refused_with is not None:
            return Response("", gateway.polls_refused_with)
        return Response(json.dumps(gateway.changes(body["channels"], body["wait_s"])), mimetype="application/json")

    @server.before_request
    def refuse() -> Response | None:
        if request.path == "/live" and gateway.refused_with is not None:
            return Response("", gateway.refused_with)
        return None

    @sock.route("/live")
    def viewer(ws: Server) -> None:
        gateway.serve(ws)


class RunningApp:
    """The app on a free port, in threads of this process."""

    def __init__(self, gateway: ScriptedGateway) -> None:
        self.server = make_server("127.0.0.1", 0, make_app(gateway).server, threaded=True)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
