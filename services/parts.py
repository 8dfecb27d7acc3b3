"""Parts: the jobs of the contract station, each at its own pace, each by exactly one worker.

A part is a name, an interval and a step. The runner keeps a lease for each part; parts spread over workers, and go to
another one when theirs dies. A step that was begun is never interrupted: what it writes must be safe to write twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from services.broker import Broker, BrokerDown
from services.declare import Lane
from services.leadership import Leadership

RENEW_EVERY_S = 0.5
LOOK_S = 0.1
STOP_TIMEOUT_S = 2.0

log = structlog.get_logger("contract")


@dataclass(frozen=True, slots=True)
class Part:
    """One job. `step` is called every `every_s` seconds, the first time at once, in a thread of the part's own.

    `everywhere`: in every worker, not in the one that leads it. An exception is logged and the next step comes at its
    time.
    """

    name: str
    every_s: float
    step: Callable[[], object]
    everywhere: bool = False


class PartRunner:
    """Runs the parts that this worker leads, and those that run everywhere, until told to stop."""

    def __init__(
        self,
        broker: Broker,
        parts: Sequence[Part],
        *,
        worker: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = {Lane(part.name, 0): part for part in parts}
        if len(self._parts) != len(parts):
            raise ValueError(f"parts: {sorted(part.name for part in parts)}: give each a name of its own")
        self._monotonic = monotonic
        led = [lane for lane, part in self._parts.items() if not part.everywhere]
        self._leadership = Leadership(broker, "contract", led, worker)
        self._led: frozenset[Lane] = frozenset()

    def run(self, stop: threading.Event) -> None:
        """Keep the leases and the parts' threads until told to stop; then let others take them at once."""
        threads = [self._start(lane, part, stop) for lane, part in self._parts.items()]
        while not stop.is_set():
            self._renew()
            stop.wait(RENEW_EVERY_S)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for thread in threads:  # a part in a long step is left behind; what it began is safe to do again
            thread.join(max(0.0, deadline - time.monotonic()))
        self._leave()

    def _renew(self) -> None:
        try:
            renewal = self._leadership.renew()
            if renewal.excess is not None:
                self._leadership.give_back(renewal.excess)
        except BrokerDown as error:
            # Whether others took over is not known: nobody leads until the broker says who does.
            self._leadership.drop_all()
            log.warning("parts not led while the broker is down", error=str(error))
        self._led = self._leadership.held

    def _leave(self) -> None:
        try:
            self._leadership.leave()
        except BrokerDown as error:
            log.warning("parts not handed over", error=str(error))

    def _start(self, lane: Lane, part: Part, stop: threading.Event) -> threading.Thread:
        def keep() -> None:
            due = self._monotonic()
            while not stop.wait(LOOK_S):
                now = self._monotonic()
                if now >= due and (part.everywhere or lane in self._led):
                    due = due + part.every_s if due + part.every_s > now else now + part.every_s
                    _step(part)

        thread = threading.Thread(target=keep, name=f"part-{part.name}", daemon=True)
        thread.start()
        return thread


def _step(part: Part) -> None:
    try:
        part.step()
    except Exception:
        log.exception("part failed, it is tried again at its next time", part=part.name, every_s=part.every_s)
