"""Polling: the long poll's requests, for viewers whose network lets no WebSocket through.

A page of another site cannot make a browser send this: JSON as the type needs a preflight, which nobody
answers, and the Origin is checked as for the socket.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Request, Response

from app.answers import refusal
from app.doors import Doors
from services.accounts import Principal
from services.gateway.gateway import CannotHandOver, Gateway, OnReport, Wish
from services.messages import BadMessage, Report, read_changes, read_viewer_message

BODY_LIMIT_BYTES = 65_536
POLLING_A_PLACE = 50
"""So many viewers by long poll are told apart from one address: there a viewer names itself."""


class Parked(Response):
    """Stands for an answer that comes from the gateway's loop: this one is written to nobody."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        if "gunicorn.socket" in environ:
            raise StopIteration  # gunicorn's word for a connection that was taken over
        return super().__call__(environ, start_response)


def take_poll(request: Request, doors: Doors, principal: Principal, gateway: Gateway) -> Response:
    """Park a long poll on the gateway's loop; a refusal where that cannot be."""
    refused = _refused(request, doors)
    if refused is not None:
        return refused
    try:
        asked = read_changes(request.get_data(cache=False))
        gateway.park(
            request.environ, principal, request.remote_addr or "", Wish(asked, bool(request.accept_encodings["gzip"]))
        )
    except BadMessage as fault:
        return refusal(400, "bad_message", str(fault))
    except CannotHandOver as fault:
        return refusal(503, "cannot_park", str(fault), Retry_After="1")
    return Parked()


def take_report(request: Request, doors: Doors, principal: Principal, on_report: OnReport) -> Response:
    """What a viewer without a socket measured; the same as its `report` message would be."""
    refused = _refused(request, doors)
    if refused is not None:
        return refused
    try:
        said = read_viewer_message(request.get_data(cache=False))
    except BadMessage as fault:
        return refusal(400, "bad_message", str(fault))
    if not isinstance(said, Report):
        return refusal(400, "bad_message", "send a report")
    on_report(polling_viewer(request.remote_addr or "", said.body), principal, said.body)
    return Response(status=204)


def _refused(request: Request, doors: Doors) -> Response | None:
    origin = request.headers.get("Origin")
    if not doors.origin_allowed(origin, request.host):
        return refusal(403, "forbidden_origin", f"origin {origin!r} is not ours; add it to HEADWATER_ORIGINS")
    if not request.is_json:
        return refusal(415, "unsupported_media_type", "send Content-Type: application/json")
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        return refusal(413, "too_large", f"send at most {BODY_LIMIT_BYTES} bytes")
    request.max_content_length = BODY_LIMIT_BYTES
    return None


def polling_viewer(address: str, report: Mapping[str, Any]) -> str:
    """What stands for a viewer without a socket; from one address nobody can be very many."""
    return f"{address}#{zlib.crc32(str(report.get('viewer'))[:40].encode()) % POLLING_A_PLACE}"
