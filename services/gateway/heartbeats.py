"""Heartbeats: tells viewers where each channel stands and how fresh it is, also when nothing else is sent.

Encoded once for all viewers of an audience that are at head; one that lags gets its own, with what it is
still owed and its reduced rate.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from services.broker import Paused
from services.freshness import Verdict, judge
from services.gateway.delivery import Delivery
from services.gateway.frames import Frame
from services.gateway.publications import UNWRITTEN, Publication
from services.gateway.sockets import Sockets
from services.gateway.viewers import Audience, Viewer
from services.messages import heartbeat
from services.positions import Clock, Position


class Heartbeats:
    """Judges the channels four times a second and beats; called in the loop's thread only."""

    def __init__(self, delivery: Delivery, sockets: Sockets, clock: Clock, every_s: float) -> None:
        self._delivery, self._sockets, self._clock, self.every_s = delivery, sockets, clock, every_s
        self._verdicts: dict[Publication, Verdict] = {}
        self._paused: Mapping[str, Paused] = {}
        self._due = 0.0

    def tick(self) -> None:
        """Beat for everybody when it is time, and at once for audiences of a channel whose state or cause changed."""
        changed, now = self._judge_all(), time.monotonic()
        stirred = [audience for audience in self._delivery.audiences if not changed.isdisjoint(audience.channels)]
        for audience in stirred:
            _stir_polls(audience, now)
        if now >= self._due:
            self._due = now + self.every_s
            stirred = list(self._delivery.audiences)
        for audience in stirred:
            self._beat_audience(audience)

    def paused_came(self, paused: Mapping[str, Paused]) -> None:
        """Which feeds are paused for everybody; told at once where that has changed."""
        if paused != self._paused:
            self._paused, self._due = paused, 0.0
            for audience in self._delivery.audiences:
                _stir_polls(audience, time.monotonic())

    def _judge_all(self) -> set[Publication]:
        """Judge every channel; returns those whose state or cause is another than before."""
        changed: set[Publication] = set()
        former, self._verdicts = self._verdicts, {}
        for publication in self._delivery.publications.values():
            verdict = self._verdicts[publication] = self.judge(publication)
            before = former.get(publication, verdict)
            if (verdict.state, verdict.cause) != (before.state, before.cause):
                changed.add(publication)
        return changed

    def judge(self, publication: Publication) -> Verdict:
        """How fresh a channel is now."""
        ref, delivery = publication.ref, self._delivery
        return judge(
            ref.channel.freshness, delivery.progress.get(ref.lane), event_at=publication.event_at,
            now=self._clock(), broker_down_since=delivery.broker_down_since,
        )

    def _beat_audience(self, audience: Audience) -> None:
        if audience.ready:
            shared = Frame(self._encode({p: p.written for p in audience.channels}, None))
            self._sockets.send_all(list(audience.ready), shared)
        for viewer in list(audience.lagging):
            self.beat(viewer)

    def beat(self, viewer: Viewer) -> None:
        """Beat for one viewer. One whose socket takes nothing now gets it later, one that polls in its answer."""
        if viewer.link.busy or viewer.poll is not None:
            return
        if viewer.pace is not None:
            viewer.pace.beat_at = time.monotonic()
            viewer.pace.measure(viewer.pace.beat_at)
        self._sockets.send(viewer.link, Frame(self.heartbeat(viewer)))

    def heartbeat(self, viewer: Viewer) -> bytes:
        """The heartbeat message for one viewer."""
        return self._encode(viewer.positions(), viewer.pace.rate_hz if viewer.pace is not None else None)

    def beat_if_overdue(self, viewer: Viewer) -> None:
        """When a slow viewer's socket has drained; before it is filled again, or it would never get one."""
        if viewer.pace is not None and time.monotonic() - viewer.pace.beat_at >= self.every_s:
            self.beat(viewer)

    def _encode(self, positions: Mapping[Publication, Position | None], rate_hz: float | None) -> bytes:
        now = self._clock()
        entries = {
            publication.name: self._entry(publication, position, now, rate_hz)
            for publication, position in positions.items()
        }
        return heartbeat(server_time=now, channels=entries)

    def _entry(
        self, publication: Publication, position: Position | None, now: int, rate_hz: float | None
    ) -> dict[str, Any]:
        last = position or UNWRITTEN
        verdict = self._verdicts.get(publication) or self.judge(publication)
        progress = self._delivery.progress.get(publication.ref.lane)
        entry: dict[str, Any] = {
            "epoch": last.epoch, "seq": last.seq, "state": verdict.state, "cause": verdict.cause,
            "since": verdict.since, "backlog": progress.backlog if progress is not None else 0,
            "event_age_ms": max(0, now - publication.event_at) if publication.event_at else None,
        }
        if (paused := self._paused.get(publication.ref.channel.feed.name)) is not None:
            entry["paused"] = {"by": paused.by, "since": paused.since}
        if verdict.detail:
            entry["detail"] = verdict.detail
        if (behind := _behind(publication, position)) > 0:
            entry["behind"] = behind
        if rate_hz is not None:
            entry["rate_hz"] = rate_hz
        return entry


def _stir_polls(audience: Audience, now: float) -> None:
    """A state or a cause changed: parked polls are answered with it."""
    for viewer in audience.lagging:
        if viewer.poll is not None:
            viewer.poll.due, viewer.poll.told = now, True


def _behind(publication: Publication, position: Position | None) -> int:
    """How many deltas a viewer is owed; where it is owed a snapshot, at least one."""
    head = publication.written
    if position is not None and position.epoch == head.epoch:
        return head.seq - position.seq
    return max(1, head.seq)
