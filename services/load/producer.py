"""Producer: posts events of a feed, in the rhythm of its history, up to a peak that is set from outside.

Open loop: what is due is due, whether the deployment keeps up or not; but never more than a second's peak at once, so
that a deployment that hung is not flooded when it comes back.
"""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import uuid4

import requests

from services.load.shape import Shape
from services.load.sight import LOST_S, Sight

TICK_S = 0.05
CHUNK = 500
_TIMEOUT_S = 10.0


class Producer:
    """One feed's. `peak` is in events a second; 0 posts nothing."""

    def __init__(self, url: str, key: str, shape: Shape, sight: Sight) -> None:
        self._address, self._shape, self._sight = f"{url}/api/ingest/{shape.feed.name}", shape, sight
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {key}"
        self._token, self._number, self._paused_until = uuid4().hex[:12], 0, 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"load-{shape.feed.name}", daemon=True)
        self.peak = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(_TIMEOUT_S + 1)
        self._http.close()

    def _run(self) -> None:
        began = before = time.monotonic()
        due = 0.0
        while not self._stopping.wait(TICK_S):
            now = time.monotonic()
            due += self.peak * self._shape.beat(now - began) * (now - before)
            before = now
            if due > self.peak:
                self._sight.tally("unsent", int(due - self.peak))
                due = self.peak
            if now < self._paused_until:
                continue
            while due >= 1 and not self._stopping.is_set():
                number = min(int(due), CHUNK)
                due -= number
                self._post(number)
                if time.monotonic() < self._paused_until:
                    break

    def _post(self, number: int) -> None:
        began = time.monotonic()
        try:
            answer = self._http.post(self._address, json=self._events(number), timeout=_TIMEOUT_S)
        except requests.RequestException:
            self._sight.note("request", LOST_S)
            self._sight.tally("unanswered", number)
            return
        took = time.monotonic() - began
        self._sight.note("request", took if answer.status_code == 202 else LOST_S)
        if answer.status_code == 202:
            told = answer.json()
            self._sight.tally("accepted", told["accepted"])
            if told["accepted"]:
                self._sight.note("accepted", took, self._shape.feed.name, told["accepted"])
            self._sight.tally("rejected", len(told["rejected"]))
            return
        self._sight.tally("refused", number)
        self._sight.tally(f"refused: {_code(answer)}")
        self._paused_until = time.monotonic() + float(answer.headers.get("Retry-After", "1"))

    def _events(self, number: int) -> list[dict[str, Any]]:
        now = round(time.time() * 1000)
        first, self._number = self._number, self._number + number
        return [
            {**self._shape.body(each), "id": f"load-{self._token}-{each}", "created_at": now}
            for each in range(first, first + number)
        ]


def _code(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)
