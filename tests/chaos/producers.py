"""Producers: clients that post orders by HTTP and send again until they are told that all of it is in.

They send some twice and some late, honour Retry-After, and remember when each batch was sent and acknowledged.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
TIMEOUT_S = 3.0
AGAIN_S = 0.1
LATE_MS = (0, 0, 0, 0, 40, 900, 5_000)


@dataclass(slots=True)
class Batch:
    """What one request carried. Times are monotonic seconds; `acknowledged_at` is 0 until all of it is in."""

    events: list[Event]
    sent_at: float = 0.0
    acknowledged_at: float = 0.0
    tries: int = 0


class Client:
    """Posts batches to one port until they are acknowledged."""

    def __init__(
        self, port: int, secret: str, counts: Counter[str], *, timeout_s: float = TIMEOUT_S, feed: str = "orders"
    ) -> None:
        self._port, self._secret, self._counts, self._timeout_s = port, secret, counts, timeout_s
        self._path = f"/api/ingest/{feed}"
        self._connection: http.client.HTTPConnection | None = None

    def post(self, events: Sequence[Event]) -> tuple[int, dict[str, Any], float]:
        """One try: status (0 where no answer came), body, seconds to wait before the next."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_s)
            headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json"}
            self._connection.request("POST", self._path, json.dumps(list(events)), headers)
            answer = self._connection.getresponse()
            body = json.loads(answer.read())
            return answer.status, body, float(answer.headers.get("Retry-After", AGAIN_S))
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return 0, {}, AGAIN_S

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(self, batch: Batch, give_up: threading.Event) -> int | None:
        """Send until acknowledged; the number that was new at last, None where it was given up."""
        while True:
            batch.sent_at, batch.tries = time.monotonic(), batch.tries + 1
            status, body, again_s = self.post(batch.events)
            self._counts[f"answers {status}"] += 1
            if status == 202:
                batch.acknowledged_at = time.monotonic()
                return self._accepted(batch, body)
            if give_up.wait(min(again_s, 0.5)):
                return None

    def _accepted(self, batch: Batch, body: dict[str, Any]) -> int:
        accepted, duplicates = int(body["accepted"]), int(body["duplicates"])
        if body["rejected"] or accepted + duplicates != len(batch.events):
            self._counts[f"answer that does not add up: {str(body)[:200]}"] += 1
        if duplicates and batch.tries == 1:
            self._counts["first sendings called duplicates"] += 1
        return accepted


class Producer:
    """A thread that makes orders and posts them; `batches` holds what was acknowledged, in order."""

    def __init__(self, number: int, port: int, secret: str, seed: int, counts: Counter[str], every_s: float) -> None:
        self._number, self._chance, self._every_s = number, random.Random(seed), every_s
        self._client, self._counts = Client(port, secret, counts), counts
        self._stopping, self._giving_up = threading.Event(), threading.Event()
        self.batches: list[Batch] = []
        self._made = 0
        self._thread = threading.Thread(target=self._run, name=f"producer-{number}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Make no more; True where everything made was acknowledged in time."""
        self._stopping.set()
        self._thread.join(within_s)
        done = not self._thread.is_alive()
        self._giving_up.set()
        self._thread.join(2 * TIMEOUT_S)
        self._client.close()
        return done

    def _run(self) -> None:
        while not self._stopping.wait(self._chance.uniform(0, 2 * self._every_s)):
            batch = Batch([self._order() for _ in range(self._chance.randint(1, 12))])
            if self._client.send(batch, self._giving_up) is None:
                return
            self.batches.append(batch)
            if self._chance.random() < 0.05:  # as after a lost reply: the same again must change nothing
                again = Batch(batch.events, tries=1)
                if self._client.send(again, self._giving_up) is None:
                    return
                self.batches.append(again)  # it is in by itself where a broker lost the first in between
                self._counts["sent twice"] += 1

    def _order(self) -> Event:
        self._made += 1
        event = {
            "id": f"p{self._number}-{self._made:06}",
            "created_at": int(time.time() * 1000) - self._chance.choice(LATE_MS),
            "order": f"o{self._chance.randint(0, 150)}",
            "shop": self._chance.choice(["north", "south", "west"]),
            "price": self._chance.randint(0, 15_000) / 100,
        }
        if self._chance.random() < 0.3:
            event["note"] = f"note {self._made}"
        return event
