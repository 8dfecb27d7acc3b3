"""Leash: a command ends when the process that started it dies, with and without Linux's own means."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from services import leash
from tests.waiting import wait_until

SLEEPER = "import signal; print(__import__('os').getpid(), flush=True); signal.pause()"
WATCHED = (
    "import os, subprocess, sys; from services.leash import _watch\n"
    f"raise SystemExit(_watch(int(sys.argv[1]), [sys.executable, '-c', {SLEEPER!r}]))\n"
)


def _started(command: str) -> tuple[subprocess.Popen[str], psutil.Process]:
    """A starter that runs the leashed command and waits, and the command's process."""
    script = f"import os, subprocess, sys; from services.leash import leashed\nsubprocess.run({command})\n"
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    assert starter.stdout is not None
    return starter, psutil.Process(int(starter.stdout.readline()))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            f"leashed([sys.executable, '-c', {SLEEPER!r}])",
            id="tied",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's"),
        ),
        pytest.param(f"[sys.executable, '-c', {WATCHED!r}, str(os.getpid())]", id="watched"),
    ],
)
def test_a_command_ends_with_a_starter_that_is_killed(command: str) -> None:
    starter, process = _started(command)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    assert starter.stdout is not None
    starter.stdout.close()
    wait_until(lambda: not process.is_running(), what="end of the command")


def test_a_watched_command_gets_the_signals_and_gives_its_exit_code() -> None:
    polite = "import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); print(1, flush=True); signal.pause()"
    script = (
        "import os, sys; from services.leash import _watch\n"
        f"raise SystemExit(_watch(os.getppid(), [sys.executable, '-c', {polite!r}]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as watcher:
        assert watcher.stdout is not None
        watcher.stdout.readline()
        watcher.terminate()
        assert watcher.wait(10) == 7


def test_the_leash_needs_nothing_but_its_own_file() -> None:
    wrapped = leash.leashed(["/bin/echo", "hello"])
    answer = subprocess.run(wrapped, capture_output=True, text=True, env={}, check=True, cwd="/")
    assert answer.stdout == "hello\n"
