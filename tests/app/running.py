"""Running: real `headwater` processes for tests, each with a directory and a port of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from app.child import OURSELVES
from tests.forking import Forked
from tests.ports import free_port
from tests.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).resolve().parents[2]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without settings of its own, plus the given ones."""
    ours = ("HEADWATER_", "REDIS_URL", "DATABASE_URL", "PORT", "HOST", "WEB_CONCURRENCY")
    return {**{k: v for k, v in os.environ.items() if not k.startswith(ours)}, **variables}


def headwater(
    *arguments: str, cwd: Path = ROOT, typed: str = "", timeout_s: float = 60.0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `typed` is what it reads."""
    with TemporaryDirectory() as folder:
        stdin, stdout, stderr = (Path(folder) / name for name in ("stdin", "stdout", "stderr"))
        stdin.write_text(typed)
        ran = Forked(
            "app.cli:main", arguments, cwd=cwd, environment=environment(**variables),
            stdin=stdin, stdout=stdout, stderr=stderr,
        )
        try:
            code = ran.wait(timeout_s)
        finally:
            ran.kill()
        return subprocess.CompletedProcess(["headwater", *arguments], code, stdout.read_text(), stderr.read_text())


class Running:
    """A command that stays; `output` grows while it runs."""

    def __init__(self, command: str, folder: Path, *, cwd: Path = ROOT, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data"
        self._log = folder / f"{command}.log"
        chosen = {"PORT": str(self.port), "HEADWATER_DATA": str(self.data), "WEB_CONCURRENCY": "1"}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*OURSELVES, command], cwd=cwd, env=environment(**{**chosen, **variables}),
                stdout=log, stderr=log, start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def get(self, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> tuple[int, Any]:
        """Status and JSON of a request; status 0 where nobody answers."""
        request = urllib.request.Request(self.url + path, data=body, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read())
        except OSError:
            return 0, None

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def wait_until_ready(self) -> None:
        def ready_or_ended() -> bool:
            assert self.process.poll() is None, self.output
            return self.is_ready()

        wait_until(ready_or_ended, what=f"readiness of {self.url}")

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, name: str) -> psutil.Process:
        """The direct child that runs this command."""
        children = psutil.Process(self.process.pid).children()
        alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
        return next(child for child in alive if name in child.cmdline())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def running(command: str, folder: Path, *, cwd: Path = ROOT, **variables: str) -> Iterator[Running]:
    """The command until the block ends; killed where the test failed to stop it."""
    started = Running(command, folder, cwd=cwd, **variables)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            family = started.descendants()
            started.process.terminate()
            try:
                started.process.wait(10)
            except subprocess.TimeoutExpired:
                started.process.kill()
                started.process.wait()
            psutil.wait_procs(family, timeout=10)
