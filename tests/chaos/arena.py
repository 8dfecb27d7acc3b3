"""Arena: a whole installation under load and under fire: two workers, two webs, links, viewers, producers."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import redis

from services.embedded import EmbeddedBroker
from tests.chaos.link import Link, path_of
from tests.chaos.producers import Batch, Producer
from tests.chaos.record import Record
from tests.chaos.viewers import Viewer, now_ms
from tests.chaos.world import World
from tests.installation import SECRET, Installation
from tests.ports import free_port
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Loss:
    """The broker lost data: what was acknowledged `before` is kept or gone, what was sent after `until` is in.

    Both are monotonic seconds.
    """

    before: float
    until: float
    keeps_former: bool


CHANNELS = ("orders.everything", "orders.total", "orders.prices", "orders.dear")
LEASE = "hw:{orders.0}:lease"
SLOW_S = 0.1


class Arena:
    """Everything that runs in one schedule. `more` is added to each process's environment.

    `slow_s` is what a slow viewer takes for each frame. No fault chooses a process that is `spared`.
    """

    def __init__(
        self, folder: Path, seed: int, *, viewers: int = 20, producers: int = 3, workers: int = 2, webs: int = 2,
        tick_ms: int = 100, every_s: float = 0.06, more: Mapping[str, str] | None = None,
        spared: Sequence[str] = (), slow_s: float = SLOW_S,
    ) -> None:
        self.chance = random.Random(seed)
        self.record, self.counts = Record(), Counter[str]()
        self.takeovers_s: list[float] = []
        self.recoveries_s: list[float] = []
        self.faults: Counter[str] = Counter()
        self.system = Installation(folder, web_processes=1)
        self.broker: EmbeddedBroker = self.system.broker
        self._broker_folder = folder / "broker"
        self._spared, self._slow_s = spared, slow_s
        self.viewers: list[Viewer] = []
        self.producers: list[Producer] = []
        self.extra: list[Batch] = []
        self.losses: list[Loss] = []
        self.identities = 1
        self.recovery_limit_s = 15.0
        self._more = {"HEADWATER_TICK_MS": str(tick_ms), "HEADWATER_LOG_LEVEL": "warning", **(more or {})}
        self._sizes = (viewers, producers, workers, webs)
        self._every_s, self._seed = every_s, seed
        self._started: Counter[str] = Counter()
        self.web_ports: dict[str, int] = {}
        self.broker_links: dict[str, Link] = {}
        self._pausing = threading.Event()
        self._watching: list[Future[None]] = []

    def __enter__(self) -> Self:
        self.world = World()
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> None:
        viewers, producers, workers, webs = self._sizes
        self.broker.start()
        self.server = redis.Redis.from_url(self.broker.url)
        for _ in range(workers):
            self.start_worker()
        for _ in range(webs):
            self.start_web()
        self.front = Link(self.world, *self.web_ports.values(), small=True)
        self.door = Link(self.world, *self.web_ports.values())
        for name in self.web_ports:
            self.wait_ready(name)
        self.viewers = [
            Viewer(
                number, self.front.port, CHANNELS if number % 5 else CHANNELS[:2], self.record, deflate=number % 2 == 1,
                slow_s=self._slow_s if number % 7 == 3 else 0, seed=1000 * self._seed + number,
            )
            for number in range(viewers)
        ]
        self._watching = [self.world.spawn(viewer.run()) for viewer in self.viewers]
        self.producers = [
            Producer(number, self.door.port, SECRET, 1000 * self._seed + number, self.counts, self._every_s)
            for number in range(producers)
        ]
        for producer in self.producers:
            producer.start()
        if producers:
            self.wait_flow("start", now_ms())
            self.recoveries_s.clear()
        else:
            wait_until(lambda: all(viewer.told for viewer in self.viewers), 15, "every viewer's first heartbeat")

    def _stop(self) -> None:
        for producer in self.producers:
            producer.stop(0)
        for viewer in self.viewers:
            self.world.do(viewer.stop())
        for link in (*self.broker_links.values(), *(getattr(self, name, None) for name in ("front", "door"))):
            if link is not None:
                link.heal()
                link.close()
        self.world.close()
        for name in self.system.running:
            self.system.signal_tree(name, signal.SIGCONT)
            self.system.kill_tree(name)
        self.system.stop()
        if self.broker is not self.system.broker:
            self.broker.close()
        if hasattr(self, "server"):
            self.server.close()

    # Processes -----------------------------------------------------------------------------------

    def start_worker(self) -> str:
        name = self._name("worker")
        self.system.start_process("worker", name=name, broker_url=self._broker_url(name), more=self._more)
        return name

    def start_web(self) -> str:
        name = self._name("web")
        port = self.web_ports[name] = free_port()
        self.system.start_process("web", name=name, port=port, broker_url=self._broker_url(name), more=self._more)
        return name

    def _name(self, role: str) -> str:
        self._started[role] += 1
        return f"{role}-{self._started[role]}"

    def _broker_url(self, name: str) -> str:
        link = self.broker_links[name] = Link(self.world, *path_of(self.broker.url))
        return f"redis://127.0.0.1:{link.port}"

    def forget(self, name: str) -> None:
        """The process is gone; so is its link, and no new viewer or producer is led to it."""
        self.broker_links.pop(name).close()
        self.web_ports.pop(name, None)
        self.lead_to(*self.web_ports.values())

    def lead_to(self, *ports: int) -> None:
        self.front.retarget(*ports)
        self.door.retarget(*ports)

    def wait_ready(self, name: str, timeout_s: float = 30.0) -> None:
        """Until this web process says that events can flow."""
        wait_until(lambda: self.status(name, "/readyz") == 200, timeout_s, f"/readyz of {name} in {self.system.folder}")

    def status(self, name: str, path: str) -> int:
        return self.system.status(path, self.web_ports[name])

    def leader(self) -> str:
        """The worker that leads the lane, '' where none does."""
        held = (self.server.get(LEASE) or b"").decode()
        pid = int(held.rpartition("-")[2] or 0)
        return next((name for name in self.workers if self.system.pid(name) == pid), "")

    @property
    def workers(self) -> list[str]:
        return [name for name in self.system.running if name.startswith("worker")]

    def any_web(self) -> str:
        return self.chance.choice(sorted(self.web_ports.keys() - set(self._spared)))

    def any_worker(self) -> str:
        """One that may be harmed: the leader, unless it is spared."""
        leader = self.wait_leader()
        return leader if leader not in self._spared else next(n for n in self.workers if n not in self._spared)

    def wait_leader(self) -> str:
        return wait_until(self.leader, 15, "a worker that leads")

    # The broker ----------------------------------------------------------------------------------

    def empty(self) -> None:
        """Kill the broker and start it without its data."""
        self.broker.kill()
        shutil.rmtree(self._broker_folder / "broker")
        self.broker.start()

    def new_broker_folder(self) -> Path:
        self._next_broker_folder = self.system.folder / f"broker-{self.identities + 1}"
        return self._next_broker_folder

    def adopt_broker(self, broker: EmbeddedBroker, server: redis.Redis) -> None:
        """Lead all to another broker; the former one is dead."""
        former, self.broker, self._broker_folder = self.broker, broker, self._next_broker_folder
        self.server.close()
        self.server = server
        for link in self.broker_links.values():
            link.retarget(*path_of(broker.url))
            link.cut()
        former.close()

    def lose(self, before: float, until: float, *, keeps_former: bool) -> None:
        self.losses.append(Loss(before, until, keeps_former))
        self.identities += 1

    def epochs(self) -> dict[str, list[str]]:
        """Epochs that any viewer saw, by channel."""
        return {channel: list(epochs) for channel, epochs in self.record.epochs.items()}

    def demand_new_epochs(self, before: Mapping[str, list[str]], why: str) -> None:
        """A loss is announced to every viewer, on every channel, by an epoch that nobody saw before.

        A slow one learns it when it has read what was under way to it: at the end it must be where all are.
        """

        def unaware() -> list[str]:
            return [
                f"{viewer.name} {channel}" for viewer in self.viewers for channel, held in viewer.holding().items()
                if held.at.epoch in before[channel] and not viewer.slow
            ]

        try:
            wait_until(lambda: not unaware(), self.recovery_limit_s * self.patience(), why)
        except AssertionError:
            self.record.violation("silent loss", f"{why}, and still in a former epoch: {unaware()[:4]}")

    # Time ----------------------------------------------------------------------------------------

    def let_run(self, seconds: float) -> None:
        """Let the load go on for a while."""
        self._pausing.wait(seconds)

    def wait_takeover(self, what: str, since_ms: int, limit_s: float) -> None:
        """Until somebody saw what was committed after `since_ms`."""
        self._measure(what, since_ms, lambda: self.record.processed_ms > since_ms, limit_s, self.takeovers_s)

    def wait_flow(self, what: str, since_ms: int) -> None:
        """Until every quick viewer saw what was committed after `since_ms`."""
        def flows() -> bool:
            return all(viewer.processed_ms > since_ms for viewer in self.viewers if not viewer.slow)

        self._measure(what, since_ms, flows, self.recovery_limit_s, self.recoveries_s)

    @staticmethod
    def patience() -> float:
        """By how much a limit of time is stretched where others keep this machine busy; 1 on one of our own."""
        return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 1.5)

    def _measure(
        self, what: str, since_ms: int, done: Callable[[], bool], limit_s: float, into: list[float]
    ) -> None:
        began = time.monotonic()
        try:
            wait_until(done, self.recovery_limit_s * self.patience(), what)
        except AssertionError:
            behind = [v.name for v in self.viewers if v.processed_ms <= since_ms]
            self.record.violation("not recovered", f"{what}: {len(behind)} viewers are behind: {behind[:4]}")
            return
        took_s = time.monotonic() - began
        into.append(took_s)
        if took_s > limit_s * self.patience():
            self.record.violation("too slow", f"{what}: took {took_s:.1f} s")

    def counted(self, name: str) -> int:
        """What all living processes counted, by the metrics of a web."""
        port = self.web_ports[min(self.web_ports)]
        lines = self.system.get("/metrics", port).splitlines()
        return sum(int(line.rpartition(" ")[2]) for line in lines if line.startswith(f"headwater_{name}_total{{"))

    # Truth ---------------------------------------------------------------------------------------

    def acknowledged(self) -> list[Batch]:
        return [batch for producer in self.producers for batch in producer.batches] + self.extra

    def snapshot(self, name: str, channel: str) -> dict[str, Any]:
        return self.system.snapshot(channel, self.web_ports[name])
