"""Leash: starts a command that dies when the process that started it dies, even by `kill -9`.

Run as a script by its path, so that it needs neither the project nor site-packages: it ties itself to
its parent (`prctl(PR_SET_PDEATHSIG)`, Linux), then becomes the command. Elsewhere a command runs unleashed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` leashed to this process.

    Linux ties the child to the thread that starts it: start it from one that lives as long as it should.
    """
    if not sys.platform.startswith("linux"):
        return list(command)
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), str(os.getpid()), *command]


def _main(parent: int, command: Sequence[str]) -> None:
    import ctypes  # only here: the parent that imports this file does not need it

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the leash was on
        raise SystemExit(1)
    os.execv(command[0], list(command))


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])
