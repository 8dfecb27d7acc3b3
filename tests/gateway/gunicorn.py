"""A gateway in real processes: gunicorn with the least app around it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil

from tests.ports import free_port
from tests.waiting import wait_until


class Gunicorn:
    """A running gunicorn of some processes with four threads each."""

    def __init__(self, broker_url: str, processes: int = 2) -> None:
        self._processes = processes
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/live"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-w", str(processes), "-b", f"127.0.0.1:{self.port}",
             "-c", "python:tests.gateway.gunicorn_app", "tests.gateway.gunicorn_app:make()"],
            env={**os.environ, "TEST_BROKER_URL": broker_url}, cwd=Path(__file__).parents[2],
        )
        self.wait()

    def wait(self) -> None:
        """Until every process serves."""
        answered: set[int] = set()
        wait_until(lambda: self._answers(answered), what="every process answers")

    def _answers(self, answered: set[int]) -> bool:
        with contextlib.suppress(OSError):
            answered.add(self.get_pid())
        return len(answered) == self._processes

    def get_pid(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/pid", timeout=5) as answer:
            return int(json.load(answer)["pid"])

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(15)
