"""Correlation: one id for all that is done on behalf of one request: in every log line, in its events, in the answer.

A router in front often gives each request an id (`X-Request-ID`): that one is kept, so that its log and ours agree.
"""

from __future__ import annotations

import re
import secrets

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Request-ID"
_PLAIN = re.compile(r"[A-Za-z0-9._:=+/-]{1,64}")


def given_correlation() -> str:
    """The id that the request brought, which its events carry; '' where it brought none that can be kept."""
    found = request.headers.get(HEADER, "")
    return found if _PLAIN.fullmatch(found) else ""


def correlate(server: Flask) -> None:
    """Give every request an id, and every line that is logged while it is answered."""

    def begin() -> None:
        g.correlation_id = given_correlation() or secrets.token_hex(8)
        structlog.contextvars.bind_contextvars(correlation_id=g.correlation_id)

    def answer(response: Response) -> Response:
        if "correlation_id" in g:
            response.headers[HEADER] = g.correlation_id
        return response

    def end(_: BaseException | None) -> None:
        structlog.contextvars.unbind_contextvars("correlation_id")

    server.before_request(begin)
    server.after_request(answer)
    server.teardown_request(end)
