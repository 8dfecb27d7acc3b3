"""Forking: processes that begin with everything imported, which is most of what a start costs.

They run the product's own code from its entry on. What a test says of a start itself, of what is imported or of
memory, it says of a process that was started as a person or a platform starts it.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["app.cli", "app.server", "app.worker", "app.commands.checks", "tests.forking"])


class Forked:
    """A running `entry`, written as "module:function", with what subprocess.Popen offers for one."""

    def __init__(
        self, entry: str, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str],
        stdout: Path, stderr: Path, stdin: Path = Path(os.devnull),
    ) -> None:
        streams = [str(one) for one in (stdin, stdout, stderr)]
        told = (entry, list(arguments), str(cwd), dict(environment), streams)
        self._process = _CONTEXT.Process(target=_become, args=told, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when it has ended. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(
    entry: str, arguments: Sequence[str], cwd: str, environment: Mapping[str, str], streams: Sequence[str]
) -> None:
    """In the child: take over what a started process is given, and begin."""
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as long as the process
    module, function = entry.split(":")
    sys.argv = ["headwater", *arguments]
    getattr(importlib.import_module(module), function)()
