"""Alerts of real processes: the death of the worker is told by web, once, to a real webhook that fails first."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil

from services.alerts.outbox import Outbox
from services.alerts.register import Register
from services.database import Database, DatabaseDown
from services.embedded import EmbeddedBroker
from tests.alerts.servers import HookServer, hook_server
from tests.app.running import ROOT, environment, free_port
from tests.waiting import wait_until


@contextmanager
def process(role: str, folder: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the test project; killed with all that it started."""
    with (folder / f"{role}.log").open("ab") as log:
        command = [sys.executable, "-m", "tests.project", role]
        chosen = environment(PORT=str(free_port()), HEADWATER_DATA=str(folder), WEB_CONCURRENCY="2", **variables)
        started = subprocess.Popen(command, cwd=ROOT, env=chosen, stdout=log, stderr=log, start_new_session=True)
    try:
        yield started
    finally:
        kill(started)


def kill(started: subprocess.Popen[bytes]) -> None:
    """As a machine that loses its power does: the process and its children, without a word."""
    if started.poll() is None:
        family = [*psutil.Process(started.pid).children(recursive=True), psutil.Process(started.pid)]
        for one in family:
            one.suspend()
        for one in family:
            os.kill(one.pid, signal.SIGKILL)
    started.wait()


def keys(database: Database) -> list[str]:
    try:
        return sorted(alert.key for alert in Register(database).open_alerts())
    except DatabaseDown:
        return ["no tables yet"]


def texts(server: HookServer) -> list[str]:
    return [body["text"] for body in server.bodies]


def test_the_death_of_the_worker_is_told_by_web_once(own_broker: EmbeddedBroker, tmp_path: Path) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(closing(Database(f"sqlite:///{tmp_path / 'headwater.db'}")))
        server, dead_man = (stack.enter_context(hook_server(fails=fails)) for fails in (1, 0))
        given = {"REDIS_URL": own_broker.url, "SHOP_CHAT_URL": server.url, "SHOP_DEAD_MAN_URL": dead_man.url}
        worker = stack.enter_context(process("worker", tmp_path, **given))
        stack.enter_context(process("web", tmp_path, **given))
        wait_until(lambda: dead_man.paths, what="the heartbeat of the worker that leads alerts")
        wait_until(lambda: keys(database) == [], what="a quiet start")
        wait_until(lambda: "web process started" in (tmp_path / "web.log").read_text(), what="web")
        kill(worker)
        wait_until(lambda: texts(server), 75, what="the message of web")
        assert re.match(r"\[critical(, \d+ alerts)?\] no lane has a worker: since \d\d:\d\d; ", texts(server)[0])
        (incident,) = Register(database).incidents()
        assert incident.topic == "worker"
        assert all(key.startswith(("lane:", "watch:")) for key in keys(database))

        def fates() -> list[tuple[int, bool]]:
            return [
                (fate.attempts, bool(fate.delivered_at)) for fate in Outbox(database).fates() if fate.sink == "chat"
            ]

        # The server has the message some milliseconds before its fate is on the disk.
        wait_until(lambda: fates() == [(2, True)], what="the message sent twice, delivered once")
        with process("worker", tmp_path, **given):
            wait_until(lambda: keys(database) == [], what="the end of the alerts when a worker is back")
    assert len(texts(server)) == 1
