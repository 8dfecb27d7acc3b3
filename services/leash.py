"""Leash: starts a command that ends when the process that started it dies, even by `kill -9`.

Run as a script by its path, so that it needs neither the project nor site-packages. On Linux it ties
itself to its parent (prctl(2), PR_SET_PDEATHSIG) and becomes the command; elsewhere it stays between the
two, passes signals on and watches the parent.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_WATCH_S = 0.5


def leashed(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` leashed to this process.

    Linux ties the child to the thread that starts it: start it from one that lives as long as it should.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _become(parent: int, command: Sequence[str]) -> None:
    import ctypes  # not for those who only import this file

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the leash was on
        raise SystemExit(1)
    os.execv(command[0], list(command))  # noqa: S606 - no shell is wanted


def _watch(parent: int, command: Sequence[str]) -> int:
    import subprocess

    child = subprocess.Popen(command, close_fds=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: child.send_signal(received))
    while True:
        try:
            code = child.wait(_WATCH_S)
            return code if code >= 0 else 128 - code
        except subprocess.TimeoutExpired:
            if os.getppid() != parent:
                child.terminate()


if __name__ == "__main__":
    if sys.platform.startswith("linux"):
        _become(int(sys.argv[1]), sys.argv[2:])
    else:
        raise SystemExit(_watch(int(sys.argv[1]), sys.argv[2:]))
