"""Reading: the two threads that wait for the broker, so that the loop never does.

`DeltaReader` owns the blocking read of all followed channels. `BrokerAsker` does what takes one answer:
whole channels, ranges to recover from, progress once a second, and the wake-up of a blocked read.
Both hand their findings over by `post`, which runs a call in the loop's thread.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from services.broker import Broker, BrokerDown, Paused, StoredChannel, StoredDelta
from services.declare import ChannelRef, Lane
from services.freshness import Progress

BLOCK_MS = 500
PROGRESS_EVERY_S = 1.0
_BACKOFF_FIRST_S, _BACKOFF_LAST_S = 0.1, 1.0
_WAKE_TRIES, _WAKE_AGAIN_S = 20, 0.005

Post = Callable[[Callable[[], None]], None]

log = structlog.get_logger(__name__)


class Findings(Protocol):
    """What the threads tell; called in the loop's thread, in order."""

    def deltas_came(self, deltas: Sequence[StoredDelta]) -> None:
        """New deltas, in order within each channel."""

    def channel_came(self, ref: ChannelRef, stored: StoredChannel) -> None:
        """A channel that was asked for."""

    def range_came(self, ref: ChannelRef, deltas: Sequence[StoredDelta]) -> None:
        """Older deltas that were asked for."""

    def progress_came(self, progress: Mapping[Lane, Progress]) -> None:
        """What each lane's worker last said."""

    def broker_went(self, who: str, detail: str) -> None:
        """A read failed; told once until `broker_returned`."""

    def broker_returned(self, who: str) -> None:
        """The first read after a failure succeeded."""


class _BrokerThread(ABC):
    """A thread that keeps going while the broker is away, and says so once."""

    def __init__(self, name: str, broker: Broker, post: Post, findings: Findings) -> None:
        self.name, self._broker, self._post, self._findings = name, broker, post, findings
        self._stopping = threading.Event()
        self._away = False
        self._backoff_s = _BACKOFF_FIRST_S
        self._thread = threading.Thread(target=self._run, name=f"gateway-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does after its present read."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except BrokerDown as down:
                self._went(str(down))
                self._stopping.wait(self._backoff_s)
                self._backoff_s = min(2 * self._backoff_s, _BACKOFF_LAST_S)
            except Exception:
                log.exception("gateway read failed", thread=self.name)
                self._stopping.wait(_BACKOFF_LAST_S)

    @abstractmethod
    def _step(self) -> None:
        """One question to the broker and its answer. Raises BrokerDown."""

    def _went(self, detail: str) -> None:
        if not self._away:
            self._away = True
            log.warning("broker away", thread=self.name, detail=detail)
            self._post(lambda: self._findings.broker_went(self.name, detail))

    def _answered(self) -> None:
        if self._away:
            self._away, self._backoff_s = False, _BACKOFF_FIRST_S
            log.info("broker back", thread=self.name)
            self._post(lambda: self._findings.broker_returned(self.name))


class DeltaReader(_BrokerThread):
    """Reads the deltas of all followed channels with one blocking call."""

    def __init__(self, broker: Broker, post: Post, findings: Findings) -> None:
        super().__init__("deltas", broker, post, findings)
        self._changes: deque[tuple[ChannelRef, int | None]] = deque()
        self._changed = threading.Event()
        self._after: dict[ChannelRef, int] = {}

    def follow(self, ref: ChannelRef, seq: int) -> None:
        """Read on after `seq`, whatever was followed before. From any thread; an idle reader wakes."""
        self._changes.append((ref, seq))
        self._changed.set()

    def forget(self, ref: ChannelRef) -> None:
        """Read the channel no more."""
        self._changes.append((ref, None))

    @property
    def is_behind(self) -> bool:
        """Whether what is to be followed differs from what is being read."""
        return bool(self._changes) or self._stopping.is_set()

    def stop(self) -> None:
        super().stop()
        self._changed.set()

    def _step(self) -> None:
        self._changed.clear()
        self._take_changes()
        if not self._after:
            self._changed.wait(BLOCK_MS / 1000)
            return
        deltas = self._broker.read_deltas(self._after, BLOCK_MS)
        self._answered()
        if deltas:
            for delta in deltas:
                self._after[delta.ref] = delta.seq
            self._post(lambda: self._findings.deltas_came(deltas))

    def _take_changes(self) -> None:
        while self._changes:
            ref, seq = self._changes.popleft()
            if seq is None:
                self._after.pop(ref, None)
            else:
                self._after[ref] = seq


class BrokerAsker(_BrokerThread):
    """Asks the broker one thing at a time, and for progress and pauses once a second; the latter by `paused_came`."""

    def __init__(
        self, broker: Broker, post: Post, findings: Findings, lanes: Sequence[Lane], reader: DeltaReader,
        paused_came: Callable[[Mapping[str, Paused]], None],
    ) -> None:
        super().__init__("questions", broker, post, findings)
        self._lanes, self._reader, self._paused_came = lanes, reader, paused_came
        self._feeds = list(dict.fromkeys(lane.feed for lane in lanes))
        self._questions: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._progress_due = 0.0

    def ask_channel(self, ref: ChannelRef) -> None:
        """Answered by `channel_came`, after the broker is back if need be."""
        self._questions.put(lambda: self._channel(ref))

    def ask_range(self, ref: ChannelRef, after: int) -> None:
        """Answered by `range_came`."""
        self._questions.put(lambda: self._range(ref, after))

    def wake_reader(self) -> None:
        """End a blocked read, so that a channel followed just now is read at once."""
        self._questions.put(self._wake)

    def stop(self) -> None:
        super().stop()
        self._questions.put(self._wake)

    def _run(self) -> None:
        super()._run()
        with contextlib.suppress(BrokerDown):
            self._broker.unblock()

    def _wake(self) -> None:
        """The reader may be just about to block: try until it has seen what it is to follow."""
        for _ in range(_WAKE_TRIES):
            if not self._reader.is_behind:
                return
            self._broker.unblock()
            self._stopping.wait(_WAKE_AGAIN_S)

    def _step(self) -> None:
        wait_s = self._progress_due - time.monotonic()
        if wait_s <= 0:
            self._progress_due = time.monotonic() + PROGRESS_EVERY_S
            self._progress()
            return
        try:
            question = self._questions.get(timeout=wait_s)
        except queue.Empty:
            return
        try:
            question()
        except Exception:
            self._questions.put(question)  # whoever waits for the answer gets it later
            raise
        self._answered()

    def _progress(self) -> None:
        progress, paused = self._broker.lane_progress(self._lanes), self._broker.paused(self._feeds)
        self._answered()
        self._post(lambda: self._findings.progress_came(progress))
        self._post(lambda: self._paused_came(paused))

    def _channel(self, ref: ChannelRef) -> None:
        stored = self._broker.read_channel(ref)
        self._post(lambda: self._findings.channel_came(ref, stored))

    def _range(self, ref: ChannelRef, after: int) -> None:
        deltas = self._broker.read_range(ref, after)
        self._post(lambda: self._findings.range_came(ref, deltas))
