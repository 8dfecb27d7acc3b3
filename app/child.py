"""Child: one process under the supervisor, started again with a growing pause where it ends by itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.leash import leashed

OURSELVES = (sys.executable, "-P", "-m", "app.cli")
"""The command `headwater`, by this very interpreter. `-P`: the folder that it is started in may be a team's, with a
package `services` of its own, and is not searched.
"""
_FOUND_IN = Path(__file__).resolve().parents[1]
"""The folder that this very code lies in: a checkout, where a platform or an image only installs the lock."""
FIRST_PAUSE_S = 0.5
PAUSE_MAX_S = 30.0
HEALTHY_AFTER_S = 30.0
"""A child that ran this long is taken for healthy: the next pause is the first one again."""


class Child:
    """A command in a process group of its own, leashed to us."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.failures = 0
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            leashed(self._command), env=_finding_us(self._environment), stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ended(self) -> int | None:
        """The exit code, once, where the process has ended since the last call; a signal is negative."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGTERM)  # processes of its own that outlived it
        self._process = None
        healthy = time.monotonic() - self._started_at > HEALTHY_AFTER_S
        self.failures = 1 if healthy else self.failures + 1
        self._start_again_at = time.monotonic() + self.pause_s
        return code

    @property
    def pause_s(self) -> float:
        """How long to wait before the next start, in seconds: doubled at each failure in a row."""
        return min(FIRST_PAUSE_S * 2.0 ** min(self.failures - 1, 16), PAUSE_MAX_S)

    def due(self) -> bool:
        """Whether it is time to start it again."""
        return self._process is None and time.monotonic() >= self._start_again_at

    def ask_to_stop(self) -> None:
        """SIGTERM; `wait_or_kill` finishes the job."""
        if self._process is not None:
            self._process.terminate()

    def wait_or_kill(self, deadline: float) -> bool:
        """Wait until `deadline` (monotonic), then kill the whole group. False where it had to be killed."""
        if self._process is None:
            return True
        group, in_time = self._process.pid, True
        try:
            self._process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            in_time = False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)  # what the child left behind in its group, too
        self._process.wait()
        self._process = None
        return in_time


def _finding_us(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, in which a Python that is told to search no folder of its own finds this code all the same."""
    if str(_FOUND_IN) == str(Path(sysconfig.get_path("purelib")).resolve()):
        return dict(environment)  # installed: found, and not to be searched before Python's own modules
    paths = [str(_FOUND_IN), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}
