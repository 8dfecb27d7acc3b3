"""Tracing over HTTP: `GET /api/trace/<id>`, for who may look after the system."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response

from app.answers import json_answer, refusal
from app.doors import Doors
from services.accounts import can
from services.tracing.trace import Trace
from services.tracing.tracer import Tracer

ID_LENGTH_MAX = 128
TRACES = "operations"
"""What one has to be `admin` of to follow an event: it may be one of a channel that one may not see."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """The route, and what the page asks."""

    tracer: Tracer
    doors: Doors

    def register(self, server: Flask) -> None:
        server.add_url_rule("/api/trace/<wanted>", view_func=self.trace)

    def trace(self, wanted: str) -> Response:
        """The events of an id or correlation id, and what became of each."""
        principal = self.doors.principal()
        if principal is None:
            return refusal(401, "not_signed_in", "sign in first")
        if not can(principal, "admin", TRACES):
            return refusal(403, "forbidden", "only an admin may trace events")
        if len(wanted) > ID_LENGTH_MAX:
            return refusal(400, "bad_id", f"send an id of at most {ID_LENGTH_MAX} characters")
        return json_answer({"id": wanted, "traces": [one.as_json() for one in self.tracer.follow(wanted)]})

    def follow(self, wanted: str) -> list[Trace] | None:
        """The same for the page; None where who asks may not."""
        if not self.doors.may()("admin", TRACES):
            return None
        return self.tracer.follow(wanted[:ID_LENGTH_MAX])
