"""Producer: posts readings of the bench project's meters, open loop, and remembers each with the time it was due."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from threading import local
from typing import Any

from bench.browser.served import KEY, Served
from bench.project.feeds.plant import FLOWS, GAUGES, HEATS, METERS, POINTS

_GROUPS = {**dict.fromkeys(GAUGES, "gauge"), **dict.fromkeys(FLOWS, "flow"), **dict.fromkeys(HEATS, "heat")}
_OTHERS = tuple(meter for meter in METERS if meter not in _GROUPS)
_KINDS, _SHARES = (GAUGES, FLOWS + HEATS, _OTHERS), (0.5, 0.2, 0.3)
_POSTERS = 4
POST_EVERY_S = 0.01
"""A producer gathers for so long: what waits counts as waiting, since an event is created when it is due."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One event: its number, its meter and when it was due, in ms since the epoch."""

    serial: int
    meter: str
    due_ms: float


class Client:
    """Posts to the bench project; a kept connection for each thread."""

    def __init__(self, at: Served) -> None:
        self._port, self._local = at.port, local()

    def post(self, feed: str, events: Sequence[dict[str, Any]]) -> None:
        """Raises RuntimeError where not each of them is accepted."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        connection.request("POST", f"/api/ingest/{feed}", json.dumps(events), headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 202 or body["accepted"] != len(events):
            raise RuntimeError(f"HTTP {answer.status}: {body}")


class Plant:
    """The meters: half of the readings are of 20 gauges, a fifth of the 8 that are drawn, the rest of all others."""

    def __init__(self, at: Served) -> None:
        self.client, self._serials, self._chance = Client(at), count(1), random.Random(7)
        self._values = dict.fromkeys(METERS, 50.0)

    def fill(self) -> None:
        """A reading of each meter, and charts full of points."""
        now = time.time() * 1000
        drawn = [(meter, now - 200 * (POINTS - n)) for n in range(POINTS) for meter in FLOWS + HEATS]
        for at in range(0, len(drawn), 2_000):
            self.client.post("plant", [self._event(meter, due)[1] for meter, due in drawn[at:at + 2_000]])
        self.client.post("plant", [self._event(meter, now)[1] for meter in METERS])

    def produce(self, rate: float, seconds: float, every_s: float = POST_EVERY_S) -> list[Sent]:
        """Post `rate` readings a second for so long; each is created when it is due."""
        sent: list[Sent] = []
        with ThreadPoolExecutor(_POSTERS) as pool:
            jobs, start, wall = [], time.monotonic(), time.time() * 1000
            for tick in range(1, round(seconds / every_s) + 1):
                made = [
                    self._event(self._chosen(), wall + 1000 * number / rate)
                    for number in range(round((tick - 1) * every_s * rate), round(tick * every_s * rate))
                ]
                time.sleep(max(0.0, start + tick * every_s - time.monotonic()))
                if made:
                    sent += [one for one, _ in made]
                    jobs.append(pool.submit(self.client.post, "plant", [event for _, event in made]))
            for job in jobs:
                job.result()
        return sent

    def pulse(self, changes: int, ticks: int) -> list[Sent]:
        """Post so many readings at once each second; all are created when their tick is due."""
        sent: list[Sent] = []
        with ThreadPoolExecutor(_POSTERS) as pool:
            jobs, start, wall = [], time.monotonic(), time.time() * 1000
            for tick in range(1, ticks + 1):
                made = [self._event(self._chosen(), wall + 1000 * tick) for _ in range(changes)]
                time.sleep(max(0.0, start + tick - time.monotonic()))
                sent += [one for one, _ in made]
                jobs.append(pool.submit(self.client.post, "plant", [event for _, event in made]))
            for job in jobs:
                job.result()
        return sent

    def _chosen(self) -> str:
        meters = self._chance.choices(_KINDS, _SHARES)[0]
        return self._chance.choice(meters)

    def _event(self, meter: str, due_ms: float) -> tuple[Sent, dict[str, Any]]:
        serial = next(self._serials)
        value = self._values[meter] = self._values[meter] + self._chance.gauss(0, 1)
        event = {
            "id": f"{serial:012d}",  # of two that were created in the same millisecond the greater id is newer
            "created_at": int(due_ms), "meter": meter, "group": _GROUPS.get(meter, "row"), "serial": serial,
            "value": round(value, 2), "status": self._chance.choice(("in order", "in order", "watched")),
        }
        return Sent(serial, meter, due_ms), event


