"""Postgres: a private server for tests, on a Unix socket in a directory of its own; it can be stopped like a crash."""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.waiting import wait_until

_PR_SET_PDEATHSIG = 1


class Postgres:
    """One server; `create` makes a database in it. As root it runs as a user without rights: it refuses root."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="headwater-pg-", dir="/tmp"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            found = pwd.getpwnam(self._user)
            os.chown(self._folder, found.pw_uid, found.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        self._run("initdb", "--auth=trust", "--username=headwater", "--encoding=UTF8", "--no-sync", self._data)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [bin_directory() / program, *arguments]
        ended = subprocess.run(command, user=self._user, cwd=self._folder, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {"unix_socket_directories": str(self._folder), "listen_addresses": "", "fsync": "off"}
        command = [str(bin_directory() / "postgres"), "-D", self._data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, user=self._user, cwd=self._folder, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )
        wait_until(self._answers, what="an answer of PostgreSQL")

    def _answers(self) -> bool:
        try:
            self._execute("SELECT 1")
        except OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def create(self) -> str:
        """A new empty database; returns its url."""
        name = f"headwater_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return f"postgresql://headwater@/{name}?host={self._folder}"

    def _execute(self, statement: str) -> None:
        engine = create_engine(
            f"postgresql+psycopg://headwater@/postgres?host={self._folder}", poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        with engine.connect() as connection:
            connection.execute(text(statement))


def bin_directory() -> Path:
    """Where PostgreSQL's programs are: the newest that is installed. Fails with the remedy where none is."""
    places = [Path(found).parent for found in [shutil.which("postgres")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    found = next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)
    assert found is not None, "PostgreSQL is not installed: run .ci/postgres, or `make test`, which does"
    return found


def _end_with_parent() -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
