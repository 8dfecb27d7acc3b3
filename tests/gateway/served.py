"""A gateway that is really served: a small Flask app in a thread, on a port of its own."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from flask import Flask, Response, request
from flask_sock import Sock
from simple_websocket import Server
from werkzeug.serving import make_server

from app.doors import Doors
from app.polling import take_poll
from app.settings import Settings
from services.accounts import OPEN, SETTLED, Grants, Principal
from services.broker import Broker
from services.declare import Declarations
from services.gateway.gateway import Gateway, GatewayLimits
from services.gateway.handover import SOCK_SERVER_OPTIONS, settle_deflate
from services.positions import Clock, wall_clock
from services.telemetry import Telemetry


def make_app(gateway: Gateway, principal: Principal = OPEN) -> Flask:
    """The least app that a gateway needs."""
    doors = Doors(Settings())
    app = Flask("gateway-test")
    app.config["SOCK_SERVER_OPTIONS"] = SOCK_SERVER_OPTIONS
    app.before_request(lambda: settle_deflate(request.environ))

    @Sock(app).route("/live")
    def live(ws: Server) -> None:
        gateway.adopt(ws, principal, request.remote_addr or "")

    @app.post("/api/changes")
    def changes() -> Response:
        return take_poll(request, doors, principal, gateway)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


class Served:
    """`url` leads to the gateway's socket. Used in a `with`; leaves no thread behind."""

    def __init__(
        self, broker_url: str, declarations: Declarations, *, clock: Clock = wall_clock,
        limits: GatewayLimits | None = None, principal: Principal = OPEN, grants: Grants = SETTLED,
    ) -> None:
        self.broker = Broker(broker_url, clock=clock)
        self.telemetry = Telemetry("test-web", "web", clock)
        self.reports: list[object] = []
        self.gateway = Gateway(
            self.broker, declarations, self.telemetry, clock, limits=limits, grants=grants,
            on_viewer_report=lambda viewer, principal, body: self.reports.append(body),
        )
        self._server = make_server("127.0.0.1", 0, make_app(self.gateway, principal), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"ws://127.0.0.1:{self._server.server_port}/live"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gateway.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.broker.close()
