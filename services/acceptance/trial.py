"""Trial: what acceptance does to a staging deployment, criterion by criterion."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from uuid import uuid4

import requests
from websockets.exceptions import WebSocketException

from services.acceptance.apart import apart
from services.acceptance.degraded import degraded
from services.acceptance.first_value import Opened, first_value
from services.acceptance.outcome import Outcome, judged, not_seen
from services.acceptance.silence import silence
from services.acceptance.staging import Role, Staging, Tell
from services.acceptance.viewer import Viewer
from services.contract.document import Degraded
from services.declare import Channel
from services.load.producer import Producer
from services.load.shape import shape_of
from services.load.sight import Sight

CATCH_UP_S = 10.0
BURST_EVENTS, BURST_KEYS, CHUNK = 2_000, 200, 500


@dataclass(frozen=True, slots=True)
class Promised:
    """What the contract says: until when which `share` of the events is there, until when a dropped viewer is whole, a
    first value on a page, the peak of the envelope (0 where there is none), and what viewers have meanwhile."""

    within_s: float
    share: float
    back_within_s: float
    first_within_s: float
    first_share: float
    peak_per_s: float
    degraded: frozenset[Degraded]


@dataclass(frozen=True, slots=True)
class Trial:
    """`seconds` and `rate` are of the nominal load, `peak_s` how long the peak is held; `pages` are paths that are
    opened, `held` a channel of a source that is pulled, which a staging key may keep back."""

    staging: Staging
    promised: Promised
    roles: tuple[Role, ...]
    pages: tuple[str, ...]
    held: type[Channel] | None
    seconds: float
    rate: float
    peak_s: float
    tell: Tell

    def run(self, asked: Collection[str]) -> Iterator[Outcome]:
        """What is asked for and can be looked at, the quick ones first. Never raises for what the deployment does."""
        steps: tuple[tuple[str, Callable[[], Outcome]], ...] = (
            ("values-in-time", self._in_time), ("nothing-missing", self._whole), ("right-after-burst", self._burst),
            ("roles-apart", lambda: apart(self.staging, self.roles)),
            ("degraded-modes", lambda: degraded(self.staging, self.promised.degraded, self.promised.within_s)),
            ("first-value", self._first), ("told-when-stale", lambda: silence(self.staging, self.held, CATCH_UP_S)),
        )  # fmt: skip
        for name, step in steps:
            if name not in asked:
                continue
            self.tell(f"{name} …")
            try:
                found = step()
            except (requests.RequestException, WebSocketException, OSError, ValueError) as fault:
                found = Outcome(name, "failed", f"{type(fault).__name__}: {fault}"[:300])
            self.tell(f"{name}: {found.verdict}: {found.said}")
            yield found

    # Values in time -------------------------------------------------------------------------------------

    def _in_time(self) -> Outcome:
        nominal = self._measured("under nominal load", self.seconds)
        if not self.promised.peak_per_s or nominal.verdict != "passed":
            return nominal
        if not self.staging.issued():
            remedy = "only a deployment that issued the key for staging is brought to its peak: keys add … --staging"
            return not_seen("values-in-time", f"{nominal.said}; the peak was not seen: {remedy}")
        peak = self._at_peak()
        said, samples = f"{nominal.said}; {peak.said}", {"nominal": nominal.samples, "peak": peak.samples}
        return judged("values-in-time", peak.verdict == "passed", said, **samples)

    def _at_peak(self) -> Outcome:
        sight, peak = Sight(), self.promised.peak_per_s
        producer = Producer(self.staging.url, self.staging.key, shape_of(self.staging.feed, ()), sight)
        producer.peak = peak
        producer.start()
        try:
            found = self._measured(f"at the peak of {peak:,g} events/s", self.peak_s)
        finally:
            producer.stop()
        refused = sight.counts["refused"] + sight.counts["unanswered"] + sight.counts["unsent"]
        if not refused:
            return found
        said = f"{found.said}, and {refused:,} of {refused + sight.counts['accepted']:,} events were not taken"
        return judged("values-in-time", False, said, **found.samples)

    def _measured(self, when: str, for_s: float) -> Outcome:
        """Post at the nominal rate, and see when each event is there."""
        viewer, sent = self.staging.opened(), dict[str, float]()
        pause, token = 1 / self.rate, uuid4().hex[:8]
        until, number = time.monotonic() + for_s, 0
        while time.monotonic() < until:
            sent.update(self.staging.post([self.staging.event(f"accept-{token}-{number}", number)]))
            number += 1
            viewer.look(pause)
        viewer.look(self.promised.within_s)
        viewer.drop()
        took = [viewer.received[key] - at if key in viewer.received else None for key, at in sent.items()]
        late = sum(one is None or one > self.promised.within_s for one in took)
        lies = sum(_lies(viewer, key, at) for key, at in sent.items())
        good = 1 - late / len(took)
        said = f"{when} {100 * good:.1f} % of {len(took)} events within {self.promised.within_s:g} s, "
        said += f"{100 * self.promised.share:g} % promised"
        if lies:
            said += f"; {lies} frames tell times that cannot be"
        return judged("values-in-time", good >= self.promised.share and not lies, said, took_s=took)

    # Nothing missing, nothing wrong ------------------------------------------------------------------------

    def _whole(self) -> Outcome:
        viewer, token = self.staging.opened(), uuid4().hex[:8]
        keys = [f"accept-{token}-{number}" for number in range(20)]
        for number, key in enumerate(keys):
            if number == 8:
                viewer.drop()
            if number == 14:
                viewer.open()
            self.staging.post([self.staging.event(key, number)])
        began, gone = time.monotonic(), set(keys)
        while gone and time.monotonic() - began < self.promised.back_within_s:
            viewer.look(0.2)
            gone = set(keys) - viewer.rows.keys()
        took, gaps = time.monotonic() - began, viewer.gaps
        viewer.drop()
        wrong = [
            key for number, key in enumerate(keys)
            if key in viewer.rows and not self.staging.shows(viewer, key, number)
        ]
        there = f"{len(keys) - len(gone)} of {len(keys)} values there"
        said = f"{there}, {len(wrong)} wrong, {gaps} gaps, after {took:.1f} s"
        return judged("nothing-missing", not gone and not wrong and not gaps, said, took_s=took, missing=sorted(gone))

    def _burst(self) -> Outcome:
        token, began_ms = uuid4().hex[:8], round(time.time() * 1000) - BURST_EVENTS
        events = [  # a millisecond apart, so that each key has one newest event
            {**self.staging.event(f"accept-{token}-{n % BURST_KEYS}", n), "created_at": began_ms + n}
            for n in range(BURST_EVENTS)
        ]
        for first in range(0, len(events), CHUNK):
            self.staging.post(events[first : first + CHUNK])
        newest = {f"accept-{token}-{n % BURST_KEYS}": n for n in range(BURST_EVENTS)}
        viewer, began, wrong = self.staging.opened(), time.monotonic(), set(newest)
        while wrong and time.monotonic() - began < CATCH_UP_S:
            viewer.look(0.5)
            wrong = {key for key, number in newest.items() if not self.staging.shows(viewer, key, number)}
        took = time.monotonic() - began
        viewer.drop()
        said = f"{len(newest) - len(wrong)} of {len(newest)} rows right {took:.1f} s after {BURST_EVENTS:,} events"
        return judged("right-after-burst", not wrong, said, took_s=took)

    def _first(self) -> Outcome:
        post = self.staging.post

        def before() -> None:
            post([self.staging.event(f"accept-{uuid4().hex[:8]}", 0)])

        promised = Opened(self.promised.first_within_s, self.promised.first_share)
        return first_value(self.staging.url, self.staging.cookie, self.pages, promised, before)


def _lies(viewer: Viewer, key: str, sent_at: float) -> bool:
    """Whether a frame says that it was received before its event was sent, or sent after it came."""
    times = viewer.times.get(key)
    if times is None:
        return False
    newest, slack = times["ingested"][1] / 1000, 1.0
    return not sent_at - slack <= newest <= times["sent"] / 1000 + slack <= viewer.received[key] + 2 * slack
