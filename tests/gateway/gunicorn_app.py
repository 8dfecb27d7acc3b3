"""What gunicorn runs in the tests: the least app around a gateway, with the broker that the test names.

Loaded as `gunicorn -c python:tests.gateway.gunicorn_app tests.gateway.gunicorn_app:make()`.
"""

from __future__ import annotations

import os
from typing import Any

from flask import Flask

from services.broker import Broker
from services.declare import Declarations
from services.gateway.gateway import Gateway
from services.telemetry import Measurement, Telemetry
from tests import feeds
from tests.gateway.served import make_app

worker_class = "gthread"
threads = 4
workers = 2
graceful_timeout = 10
control_socket_disable = True


def make() -> Flask:
    telemetry = Telemetry("test-web", "web")
    gateway = Gateway(Broker(os.environ["TEST_BROKER_URL"]), Declarations.read([feeds]), telemetry)
    app = make_app(gateway)
    app.add_url_rule("/pid", "pid", view_func=lambda: {"pid": os.getpid()})
    app.add_url_rule("/counts", "counts", view_func=lambda: Measurement.decoded(telemetry.payload()).counts)
    app.extensions["gateway"] = gateway
    return app


def post_worker_init(worker: Any) -> None:
    worker.app.callable.extensions["gateway"].start()


def worker_exit(_: Any, worker: Any) -> None:
    worker.app.callable.extensions["gateway"].stop()
