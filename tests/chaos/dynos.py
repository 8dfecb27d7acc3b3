"""Dynos: processes of the demo, each as alone as on a small host: 512 MB, 256 threads, a disk that goes with it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil

from bench.rig.dyno import small_dyno
from tests.chaos.memory import charged_mb
from tests.installation import ROOT
from tests.ports import free_port
from tests.waiting import wait_until

EXIT_WITHIN_S = 180.0


class Dyno:
    """One process with its children: `web`, `worker`, or a command that ends by itself."""

    def __init__(
        self, folder: Path, name: str, *command: str, environment: Mapping[str, str], python: str = sys.executable
    ) -> None:
        self.name, self.port = name, free_port()
        self.most_mb, self.most_threads, self.ended_in_s = 0.0, 0, 0.0
        self.log = folder / f"{name}.log"
        self._disk = folder / f"disk-{name}"
        self._held = ExitStack()
        group = self._held.enter_context(small_dyno(name))
        self.limits = group.how
        own = {"PORT": str(self.port), "HEADWATER_DATA": str(self._disk)}
        self.began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*group.command, python, "-m", "app.cli", *command], cwd=ROOT, stdout=log, stderr=log,
                env={**os.environ, **environment, **own},
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_listening(self, limit_s: float) -> float:
        """Until it takes connections: how many seconds that was after its start."""
        wait_until(self._listens, limit_s, f"{self.name} listens; log: {self.log}")
        return time.monotonic() - self.began

    def _listens(self) -> bool:
        assert self.running, f"{self.name} ended with {self._process.returncode}; log: {self.log}"
        with socket.socket() as knock:
            knock.settimeout(1)
            return knock.connect_ex(("127.0.0.1", self.port)) == 0

    def look(self) -> None:
        """Note how much memory and how many threads it has now."""
        try:
            tree = [psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children(recursive=True)]
            self.most_threads = max(self.most_threads, sum(one.num_threads() for one in tree))
        except psutil.Error:
            return
        self.most_mb = max(self.most_mb, charged_mb(self._process.pid))

    def stop(self, number: int = signal.SIGTERM) -> float:
        """End it, as a platform does: how many seconds it took."""
        told = time.monotonic()
        self._process.send_signal(number)
        self.wait()
        self.ended_in_s = time.monotonic() - told
        return self.ended_in_s

    def wait(self) -> int:
        """Its exit code; what it leaves behind is gone with it."""
        try:
            return self._process.wait(EXIT_WITHIN_S)
        finally:
            for one in _tree(self._process.pid) if self.running else ():
                one.kill()
            self._process.wait()
            self._held.close()
            shutil.rmtree(self._disk, ignore_errors=True)


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.Error:
        return []
