"""Incident marks: troubles of the last day or of an interval, as charts show them; any web process answers for all."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from flask import Flask, Response, request

from app.annotations import Annotations
from app.answers import json_answer, refusal
from app.doors import Doors
from app.past import read_time
from services.accounts import can
from services.alerts.incident import Incident
from services.alerts.register import Register
from services.database import DatabaseDown
from services.positions import Clock

SHOWN_MS = 24 * 3_600_000
PAST_MAX = 500
SINCES_MAX = 32
"""Begins of which the answer is kept: charts that look back further ask from a full hour on."""
READ_EVERY_MS = 5_000
"""However many viewers ask, the database is asked so often."""

log = structlog.get_logger("web")


class IncidentMarks:
    """`/api/incidents`; while the database is away it answers with what it knew. Without a contract there are none."""

    def __init__(self, register: Register | None, annotations: Annotations, doors: Doors, clock: Clock) -> None:
        self._register, self._annotations, self._doors, self._clock = register, annotations, doors, clock
        self._known: list[Incident] = []
        self._since: dict[int, tuple[int, list[Incident]]] = {}  # begin → when it was read, and what was found
        self._read_at, self._lock = 0, threading.Lock()

    def register(self, server: Flask) -> None:
        server.add_url_rule("/api/incidents", view_func=self.incidents)

    def incidents(self) -> Response:
        """Those of the last day, oldest first, that concern a channel which this principal may see, or all of them.

        With `since` and `until` those that were open in that interval; without `until` up to now. What else charts mark
        of that time, declared maintenance and notes, stands beside them.
        """
        principal = self._doors.principal()
        if principal is None:
            return refusal(401, "not_signed_in", "sign in first")
        now = self._clock()
        try:
            since, until = self._interval(now)
            found = self._past(since, until, now) if "since" in request.args else self._recent(now)
        except ValueError as error:
            return refusal(400, "bad_interval", str(error))
        seen = [one for one in found if one.channel is None or can(principal, "view", one.channel)]
        marks = self._annotations.marks(principal, since, until)
        return json_answer({"server_time": now, "incidents": [_mark(one, now) for one in seen], **marks})

    @staticmethod
    def _interval(now: int) -> tuple[int, int]:
        """What is asked for: an interval, or the last day. Raises ValueError with the remedy."""
        if "since" not in request.args:
            return now - SHOWN_MS, now
        since = read_time("since", request.args["since"])
        until = read_time("until", request.args["until"]) if "until" in request.args else now
        if since >= until:
            raise ValueError(f"since: {since} is not before until: {until}; give an earlier since")
        return since, until

    def _past(self, since: int, until: int, now: int) -> list[Incident]:
        """Those of an interval, the newest of them."""
        if self._register is None:
            return []
        return self._until_now(self._register, since, now) if "until" not in request.args else (
            self._register.incidents(since, until)[-PAST_MAX:])

    def _until_now(self, register: Register, since: int, now: int) -> list[Incident]:
        """Those since a time; every viewer asks again and again, the database is asked now and then."""
        with self._lock:
            read_at, found = self._since.get(since, (0, []))
            if now - read_at < READ_EVERY_MS:
                return found
            try:
                found = register.incidents(since)[-PAST_MAX:]
            except DatabaseDown as error:
                if not read_at:
                    raise
                log.debug("incidents as they were known", error=str(error))
            self._since.pop(since, None)
            self._since[since] = (now, found)
            if len(self._since) > SINCES_MAX:
                del self._since[next(iter(self._since))]
            return found

    def _recent(self, now: int) -> list[Incident]:
        with self._lock:
            if self._register is not None and now - self._read_at >= READ_EVERY_MS:
                self._read_at = now
                try:
                    self._known = self._register.incidents(since=now - SHOWN_MS)
                except DatabaseDown as error:
                    log.debug("incidents as they were known", error=str(error))
            return self._known


def _mark(incident: Incident, now: int) -> dict[str, Any]:
    """`until` is now for one that goes on; `feed` is None where it concerns every feed."""
    over_at = incident.mitigated_at or incident.resolved_at
    return {
        "id": incident.id, "severity": incident.severity, "stage": incident.stage, "text": incident.text,
        "channel": incident.channel, "feed": feed_of(incident), "began_at": incident.began_at,
        "until": over_at or now, "over": bool(over_at), "resolved_at": incident.resolved_at,
    }


def feed_of(incident: Incident) -> str | None:
    """The feed that an incident is about, None where it is about all."""
    if incident.channel is not None:
        return incident.channel.partition(".")[0]
    kind, _, feed = incident.topic.partition(":")
    return feed if kind == "backlog" else None
