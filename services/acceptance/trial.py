"""Trial: what acceptance does to a staging deployment, and what it found, criterion by criterion."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import requests
from websockets.exceptions import WebSocketException

from services.acceptance.viewer import Viewer
from services.declare import Channel, FeedSpec
from services.declare.example import example_event

Verdict = Literal["passed", "failed", "not seen"]
Tell = Callable[[str], None]
CATCH_UP_S = 10.0
BURST_EVENTS, BURST_KEYS, CHUNK = 2_000, 200, 500
_TIMEOUT_S = 10.0
STALE_MAX_S = 300.0
PUT_OFF_MAX_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of one criterion; `samples` are raw, in seconds."""

    criterion: str
    verdict: Verdict
    said: str
    samples: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Role:
    """A signed-in role by its cookie, and a channel that it must not see."""

    name: str
    cookie: str
    forbidden: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A pushed feed with a channel that holds its newest rows, on a staging deployment; `key` may post to it.

    `within_s` is until when `share` of the events have to be there, `back_within_s` until a dropped viewer is whole.
    """

    url: str
    key: str
    feed: FeedSpec
    channel: type[Channel]
    within_s: float
    share: float
    back_within_s: float
    seconds: float
    rate: float
    roles: tuple[Role, ...]
    tell: Tell

    def run(self, asked: Collection[str]) -> Iterator[Outcome]:
        """What is asked for and can be looked at, the quick ones first. Never raises for what the deployment does."""
        steps: tuple[tuple[str, Callable[[], Outcome]], ...] = (
            ("values-in-time", self._in_time), ("nothing-missing", self._whole), ("right-after-burst", self._burst),
            ("roles-apart", self._apart), ("told-when-stale", self._stale),
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

    def _in_time(self) -> Outcome:
        viewer, sent = self._opened(), dict[str, float]()
        pause, token = 1 / self.rate, uuid4().hex[:8]
        until, number = time.monotonic() + self.seconds, 0
        while time.monotonic() < until:
            sent.update(self._post([self._event(f"accept-{token}-{number}", number)]))
            number += 1
            viewer.look(pause)
        viewer.look(self.within_s)
        viewer.drop()
        took = [viewer.received[key] - at if key in viewer.received else None for key, at in sent.items()]
        late = sum(one is None or one > self.within_s for one in took)
        lies = sum(self._lies(viewer, key, at) for key, at in sent.items())
        good = 1 - late / len(took)
        said = f"{100 * good:.1f} % of {len(took)} events within {self.within_s:g} s, {100 * self.share:g} % promised"
        if lies:
            said += f"; {lies} frames tell times that cannot be"
        held = good >= self.share and not lies
        return Outcome("values-in-time", "passed" if held else "failed", said, {"took_s": took})

    def _lies(self, viewer: Viewer, key: str, sent_at: float) -> bool:
        """Whether a frame says that it was received before its event was sent, or sent after it came."""
        times = viewer.times.get(key)
        if times is None:
            return False
        newest, slack = times["ingested"][1] / 1000, 1.0
        return not sent_at - slack <= newest <= times["sent"] / 1000 + slack <= viewer.received[key] + 2 * slack

    def _whole(self) -> Outcome:
        viewer, token = self._opened(), uuid4().hex[:8]
        keys = [f"accept-{token}-{number}" for number in range(20)]
        for number, key in enumerate(keys):
            if number == 8:
                viewer.drop()
            if number == 14:
                viewer.open()
            self._post([self._event(key, number)])
        began, gone = time.monotonic(), set(keys)
        while gone and time.monotonic() - began < self.back_within_s:
            viewer.look(0.2)
            gone = set(keys) - viewer.rows.keys()
        took, gaps = time.monotonic() - began, viewer.gaps
        viewer.drop()
        wrong = [key for number, key in enumerate(keys) if key in viewer.rows and not self._is(viewer, key, number)]
        said = (
            f"{len(keys) - len(gone)} of {len(keys)} values there, {len(wrong)} wrong, {gaps} gaps, after {took:.1f} s"
        )
        held = not gone and not wrong and not gaps
        return Outcome("nothing-missing", "passed" if held else "failed", said, {"took_s": took, "missing": list(gone)})

    def _burst(self) -> Outcome:
        token, began_ms = uuid4().hex[:8], round(time.time() * 1000) - BURST_EVENTS
        events = [  # a millisecond apart, so that each key has one newest event
            {**self._event(f"accept-{token}-{n % BURST_KEYS}", n), "created_at": began_ms + n}
            for n in range(BURST_EVENTS)
        ]
        for first in range(0, len(events), CHUNK):
            self._post(events[first : first + CHUNK])
        newest = {f"accept-{token}-{n % BURST_KEYS}": n for n in range(BURST_EVENTS)}
        viewer, began, wrong = self._opened(), time.monotonic(), set(newest)
        while wrong and time.monotonic() - began < CATCH_UP_S:
            viewer.look(0.5)
            wrong = {key for key, number in newest.items() if not self._is(viewer, key, number)}
        took = time.monotonic() - began
        viewer.drop()
        said = f"{len(newest) - len(wrong)} of {len(newest)} rows right {took:.1f} s after {BURST_EVENTS:,} events"
        return Outcome("right-after-burst", "failed" if wrong else "passed", said, {"took_s": took})

    def _apart(self) -> Outcome:
        if not self.roles:
            return Outcome("roles-apart", "not seen", "no role was given; give --role NAME=COOKIE")
        leaks = []
        for role in self.roles:
            viewer = Viewer(self.url, role.forbidden, role.cookie)
            viewer.open()
            viewer.look(2.0)
            viewer.drop()
            asked = requests.get(
                f"{self.url}/api/channels/{role.forbidden}/snapshot",
                headers={"Cookie": role.cookie},
                timeout=_TIMEOUT_S,
            )
            if viewer.position is not None or asked.status_code == 200:
                leaks.append(f"{role.name} receives {role.forbidden}")
        said = "; ".join(leaks) or f"{', '.join(one.name for one in self.roles)}: what is forbidden is refused"
        return Outcome("roles-apart", "failed" if leaks else "passed", said)

    def _stale(self) -> Outcome:
        after = self.channel.freshness.stale_after_s
        if after > STALE_MAX_S:
            return Outcome("told-when-stale", "not seen", f"told after {after:g} s, longer than is waited for")
        self._post([self._event(f"accept-{uuid4().hex[:8]}", 0)])
        viewer, began = self._opened(), time.monotonic()
        while viewer.told.get("state") != "stale" and time.monotonic() - began < after + CATCH_UP_S:
            viewer.look(0.5)
        took, state = time.monotonic() - began, viewer.told.get("state")
        viewer.drop()
        named = viewer.told.get("cause") is not None and viewer.told.get("since") is not None
        said = f"{state or 'nothing'} is told after {took:.1f} s of silence, {after:g} s declared"
        return Outcome("told-when-stale", "passed" if state == "stale" and named else "failed", said, {"took_s": took})

    def _opened(self) -> Viewer:
        cookie = self.roles[0].cookie if self.roles else ""
        viewer = Viewer(self.url, self.channel.name, cookie)
        viewer.open()
        viewer.look(0.5)
        if viewer.refused or viewer.position is None:
            raise ValueError(f"{self.channel.name}: {viewer.refused or 'no snapshot came'}")
        return viewer

    def _event(self, key: str, number: int) -> dict[str, Any]:
        """A valid event whose first number, where there is one, is `number`."""
        numbers = dict.fromkeys(self._numbers()[:1], number)
        return {**example_event(self.feed), **numbers, self.feed.key: key, "id": uuid4().hex}

    def _numbers(self) -> list[str]:
        able = ("number", "integer")
        return [one.name for one in self.feed.fields.values() if one.value_type in able and one.name != self.feed.key]

    def _is(self, viewer: Viewer, key: str, number: int) -> bool:
        row = viewer.rows.get(key)
        return row is not None and all(row.get(name) == number for name in self._numbers()[:1])

    def _post(self, events: list[dict[str, Any]]) -> dict[str, float]:
        """When each was sent, by its key. Raises requests.RequestException, or ValueError where one is refused."""
        at, patient_until = time.time(), time.monotonic() + PUT_OFF_MAX_S
        events = [{"created_at": round(at * 1000), **one} for one in events]
        while True:
            answer = requests.post(
                f"{self.url}/api/ingest/{self.feed.name}", json=events, timeout=_TIMEOUT_S,
                headers={"Authorization": f"Bearer {self.key}"},
            )  # fmt: skip
            if answer.status_code != 429 or time.monotonic() > patient_until:
                break  # who is put off without end has failed
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        answer.raise_for_status()
        if refused := answer.json()["rejected"]:
            raise ValueError(f"an event was refused: {refused[0]['detail']}")
        return {one[self.feed.key]: at for one in events}
