"""Drill: the whole demo on small dynos, deployed again and again under its viewers.

A broker of twenty connections and 25 MB that speaks TLS by a certificate of its own and closes what is idle for five
seconds; PostgreSQL; each process in 512 MB and 256 threads; a hot standby; all pages open; a report being made by a
command of its own. A deployment runs old and new release beside each other, as platforms do.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Self

from app.loading import DEMO, load_declarations, load_pages
from tests.chaos.dynos import Dyno
from tests.chaos.link import Link
from tests.chaos.producers import Batch, Client
from tests.chaos.record import Record
from tests.chaos.summary import tell
from tests.chaos.viewers import Viewer
from tests.chaos.world import World
from tests.installation import SECRET
from tests.platform_python import platform_python
from tests.postgres import Postgres
from tests.redis_server import RedisServer
from tests.waiting import wait_until

CONNECTIONS, BROKER_MB, IDLE_S = 20, 25, 5
WRITER = "hw:{flights.0}:lease"
COMMANDS = (("contract", "report"), ("doctor",))
"""What runs beside everything, one after the other: each in a dyno of its own."""
TROUBLE = (
    "broker away", "BrokerDown", "broker is down", "out of memory", "max number of clients", "Traceback",
    '"level":"error"', '"level": "error"',
)
"""What a process says where the broker failed it, or something else did."""
KNOWN_ANSWERS = {"errorstat_NOSCRIPT", "errorstat_BUSYGROUP"}
"""Errors that are part of how it is asked: of a script that it does not know yet, of a group that is there."""
EACH_AT_MOST = 2
"""Connections of one operating system's process: a worker's two hold three together."""
MEMORY_MB, THREADS = 512, 256
LISTENING_S, EXIT_S, LIVE_AGAIN_S = 20.0, 5.0, 10.0
"""What is promised of a deployment: until the new web process listens, from SIGTERM to the end, until 99 in 100 viewers
are live again.
"""
BUSY_SHARE = 5
"""One viewer in so many has a page open whose numbers move every second; the others a quiet one."""


class Tab(Viewer):
    """A viewer that dials any of the webs that there are, and notes how long it was away each time, at first from its
    beginning on.
    """

    def __init__(self, number: int, ports: Sequence[int], channels: Sequence[str], record: Record) -> None:
        super().__init__(number, 0, channels, record, deflate=number % 2 == 1, slow_s=0, seed=number)
        self._ports, self._any = ports, random.Random(number)
        self._away_since = time.monotonic()
        self.away_s: list[float] = []

    async def _connection(self) -> None:
        self._port = self._any.choice(list(self._ports))
        try:
            await super()._connection()
        finally:
            self._away_since = self._away_since or time.monotonic()

    def _heartbeat(self, frame: dict[str, Any]) -> None:
        super()._heartbeat(frame)
        if self._away_since and all(name in self.held for name in self.channels):
            self.away_s.append(time.monotonic() - self._away_since)
            self._away_since = 0.0

    @property
    def live(self) -> bool:
        """Connected, with something of each channel, and owed nothing."""
        return bool(self.told) and not self._away_since


@dataclass
class Deployment:
    """The figures of one deployment, in seconds; `away_s` are those of every viewer that it moved."""

    listening_s: float
    exits_s: dict[str, float] = field(default_factory=dict)
    away_s: list[float] = field(default_factory=list)
    without_writer_s: float = 0.0
    connections: int = 0

    @property
    def live_again_s(self) -> float:
        """Within which 99 in 100 viewers were live again."""
        ranked = sorted(self.away_s)
        return ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))] if ranked else 0.0

    def late(self) -> list[str]:
        """What took longer than is promised."""
        figures = {
            "listening": (self.listening_s, LISTENING_S), "99 % live again": (self.live_again_s, LIVE_AGAIN_S),
            **{f"exit of {name}": (took, EXIT_S) for name, took in self.exits_s.items()},
        }
        return [f"{what}: {took:.1f} s, promised {limit:g}" for what, (took, limit) in figures.items() if took > limit]

    def text(self) -> str:
        exits = ", ".join(f"{name} {took:.1f}" for name, took in self.exits_s.items())
        return (
            f"listening {self.listening_s:.1f} s, exits {exits} s, {len(self.away_s)} viewers moved, 99 % live again "
            f"{self.live_again_s:.1f} s, without a writer {self.without_writer_s:.2f} s, at most "
            f"{self.connections} connections"
        )


class Drill:
    """Everything that runs. `deploy` replaces all of it by the next release."""

    def __init__(self, folder: Path, *, viewers: int) -> None:
        self._folder, self._viewers = folder, viewers
        self._python = ""
        self.record, self.ports = Record(), list[int]()
        self.dynos: list[Dyno] = []
        self.gone: list[Dyno] = []
        self.commands: Counter[str] = Counter()
        self.writerless: list[tuple[float, float]] = []
        self.connections: Counter[str] = Counter()
        self.most_connections = 0
        self._release = count(1)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._watching: list[Future[None]] = []
        self.posted = 0

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._python = platform_python(self._folder / "environment")
        self.world, self.database = World(), Postgres()
        self.database.start()
        self.broker = RedisServer(
            self._folder / "redis", maxclients=str(CONNECTIONS), maxmemory=f"{BROKER_MB}mb", timeout=str(IDLE_S)
        )
        self.broker.start()
        self.front = Link(self.world)
        self._environment = {
            **self.broker.environment, "DATABASE_URL": self.database.create(), "HOST": "127.0.0.1",
            "WEB_CONCURRENCY": "2", "HEADWATER_URL": f"http://127.0.0.1:{self.front.port}",
            "HEADWATER_INGEST_KEYS": f"drill:{SECRET}:*", "HEADWATER_VIEWERS_PER_ADDRESS": "0",
            "HEADWATER_VIEWERS_PER_PRINCIPAL": "0",
        }
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(120)
        for tab in getattr(self, "tabs", []):
            self.world.do(tab.stop())
        self.front.close()
        self.world.close()
        for dyno in list(self.dynos):
            self._retire(dyno)
        self.broker.stop()
        self.database.close()

    def _start(self) -> None:
        self._once("release")
        release = next(self._release)
        web = self._dyno(f"web-{release}", "web")
        for role in ("worker", "standby"):
            self._dyno(f"{role}-{release}", "worker")
        web.wait_listening(60)
        self._lead_to(web)
        wait_until(lambda: self._ready(web), 60, f"/readyz; logs in {self._folder}")
        self._observer = self.broker.client(socket_timeout=5)
        pages = load_pages(load_declarations(DEMO), DEMO)
        shown = [[ref.name for ref in page.refs] for page in pages if page.refs]
        moving = [names for names in shown if not names[0].startswith(("signals.", "contract."))]
        still = [names for names in shown if names not in moving]
        kinds = [still if number % BUSY_SHARE else moving for number in range(self._viewers)]
        open_pages = [kind[number % len(kind)] for number, kind in enumerate(kinds)]
        self.tabs = [Tab(number, self.ports, names, self.record) for number, names in enumerate(open_pages)]
        self._watching = [self.world.spawn(tab.run()) for tab in self.tabs]
        for work in (self._watch_broker, self._run_commands, self._open_pages, self._post, self._look):
            self._threads.append(threading.Thread(target=work, name=work.__name__, daemon=True))
            self._threads[-1].start()
        self.wait_live(120)

    def _dyno(self, name: str, *command: str) -> Dyno:
        made = Dyno(self._folder, name, *command, environment=self._environment, python=self._python)
        self.dynos.append(made)
        return made

    def _retire(self, dyno: Dyno) -> float:
        took = dyno.stop()
        self.dynos.remove(dyno)
        self.gone.append(dyno)
        return took

    def _once(self, *command: str) -> int:
        """A command that ends by itself, in a dyno of its own: its exit code."""
        name = f"{'-'.join(command)}-{self.commands.total()}"
        out = ("--out", str(self._folder / "reports")) if "report" in command else ()
        dyno = Dyno(self._folder, name, *command, *out, environment=self._environment, python=self._python)
        code = dyno.wait()
        self.commands[f"{' '.join(command)}: {code}"] += 1
        return code

    def _lead_to(self, web: Dyno) -> None:
        self.ports[:] = [web.port]
        self.front.retarget(web.port)

    def _ready(self, web: Dyno) -> bool:
        return _ask(web.port, "/readyz")[0] == 200

    def wait_live(self, limit_s: float) -> None:
        """Until every viewer is live."""
        wait_until(lambda: not [tab.name for tab in self.tabs if not tab.live], limit_s, "every viewer live")

    def deploy(self, listening_limit_s: float = 60.0) -> Deployment:
        """The next release beside the present one, then in its place: web first, then one worker after the other."""
        former, release = list(self.dynos), next(self._release)
        began, moved = time.monotonic(), [len(tab.away_s) for tab in self.tabs]
        self.most_connections = 0
        self._once("release")
        web = self._dyno(f"web-{release}", "web")
        found = Deployment(web.wait_listening(listening_limit_s))
        self.ports.append(web.port)
        self._lead_to(web)
        for old in former:
            role = old.name.rpartition("-")[0]
            if role != "web":
                self._dyno(f"{role}-{release}", "worker")
            found.exits_s[role] = self._retire(old)
        self.wait_live(120)
        found.away_s = [s for tab, before in zip(self.tabs, moved, strict=True) for s in tab.away_s[before:]]
        wait_until(lambda: self._observer.get(WRITER), 30, "a writer")
        found.without_writer_s = sum(until - since for since, until in self.writerless if until > began)
        found.connections = self.most_connections
        return found

    def let_run(self, seconds: float) -> None:
        """Let everything go on for a while."""
        self._stopping.wait(seconds)

    # What goes on beside it ----------------------------------------------------------------------

    def _watch_broker(self) -> None:
        """When nobody led, and who was connected."""
        since = 0.0
        while not self._stopping.wait(0.02):
            now = time.monotonic()
            led = self._observer.get(WRITER)
            if not led:
                since = since or now
            elif since:
                self.writerless.append((since, now))
                since = 0.0
            clients = self._observer.client_list()
            held = Counter(one["name"] for one in clients)
            self.most_connections = max(self.most_connections, len(clients))
            self.connections |= held

    def _run_commands(self) -> None:
        for turn in count():
            if self._stopping.wait(1):
                return
            self._once(*COMMANDS[turn % len(COMMANDS)])

    def _open_pages(self) -> None:
        paths = [page.path for page in load_pages(load_declarations(DEMO), DEMO)]
        for turn in count():
            if self._stopping.wait(0.5):
                return
            _ask(self.front.port, paths[turn % len(paths)])

    def _post(self) -> None:
        """A signal twice a second, sent until it is acknowledged."""
        client = Client(self.front.port, SECRET, Counter(), feed="signals")
        with closing(client):
            for number in count(1):
                if self._stopping.wait(0.5):
                    return
                events = [{"id": f"s{number}", "name": f"drill-{number % 7}", "value": number}]
                if client.send(Batch(events), self._stopping) is not None:
                    self.posted = number

    def _look(self) -> None:
        while not self._stopping.wait(1):
            for dyno in list(self.dynos):
                dyno.look()

    # Judgement -----------------------------------------------------------------------------------

    def wrong(self) -> list[str]:
        """What must not be: gaps, errors of the broker, connections or memory over their limits, events lost."""
        found = [*self.record.violations, *self._wrong_in_logs(), *self._wrong_at_the_broker()]
        found += [
            f"{dyno.name}: {dyno.most_mb:.0f} MB, {dyno.most_threads} threads" for dyno in (*self.gone, *self.dynos)
            if dyno.most_mb > MEMORY_MB or dyno.most_threads > THREADS
        ]
        failed = [
            f"{said} × {times}" for said, times in self.commands.items()
            if not said.endswith(": 0") and not said.startswith("doctor")  # which finds what is scarce here
        ]
        posted = self.posted
        try:
            wait_until(lambda: self._last_signal() >= posted, 30, f"signal {posted}, which was acknowledged")
        except AssertionError as missing:
            found.append(str(missing))
        return found + failed

    def _wrong_in_logs(self) -> Iterator[str]:
        for log in sorted(self._folder.glob("*.log")):
            for line in log.read_text(errors="replace").splitlines():
                if any(sign in line for sign in TROUBLE):
                    yield f"{log.name}: {line[:300]}"
                    break

    def _wrong_at_the_broker(self) -> Iterator[str]:
        stats: Any = self._observer.info("stats")
        errors: Any = self._observer.info("errorstats")
        yield from (f"{name} {stats[name]}" for name in ("rejected_connections", "evicted_keys") if int(stats[name]))
        yield from (f"{name} {said}" for name, said in errors.items() if name not in KNOWN_ANSWERS)
        yield from (
            f"{name} held {held} connections" for name, held in self.connections.items()
            if name and held > EACH_AT_MOST  # one that is just being opened has no name yet
        )

    def _last_signal(self) -> int:
        rows = json.loads(_ask(self.front.port, "/api/channels/signals.newest/snapshot")[1])["data"]["rows"]
        return max(int(row["value"]) for name, row in rows.items() if name.startswith("drill-"))

    def sizes(self) -> str:
        """The most that each kind of process took."""
        most: dict[str, tuple[float, int]] = {}
        for dyno in (*self.gone, *self.dynos):
            role = dyno.name.rpartition("-")[0]
            mb, threads = most.get(role, (0.0, 0))
            most[role] = (max(mb, dyno.most_mb), max(threads, dyno.most_threads))
        memory: Any = self._observer.info("memory")
        each = ", ".join(f"{role} {mb:.0f} MB {threads} threads" for role, (mb, threads) in most.items())
        return f"{each}, broker {int(memory['used_memory_peak']) / 2**20:.1f} MB at its peak"


def _ask(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a GET; 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def run_drill(folder: Path, *, viewers: int, seconds: float, every_s: float) -> tuple[list[Deployment], list[str], str]:
    """Deploy every so many seconds: the deployments, what was wrong or late, and what everything took."""
    until = time.monotonic() + seconds
    with Drill(folder, viewers=viewers) as drill:
        deployments = []
        while not deployments or time.monotonic() + every_s < until:
            began = time.monotonic()
            deployments.append(drill.deploy())
            tell(deployments[-1].text())
            drill.let_run(max(0.0, min(every_s - (time.monotonic() - began), until - time.monotonic())))
        late = [f"deployment {number}: {text}" for number, one in enumerate(deployments, 1) for text in one.late()]
        return deployments, late + drill.wrong(), drill.sizes()
