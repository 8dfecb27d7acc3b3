"""Doors: who may come in at all, decided before any route runs.

Open mode serves this machine only. A page of another site could still make a browser speak to us, so the
Host header must be one of ours (DNS rebinding), and a socket's Origin one of our pages (the browser
enforces no same-origin rule for WebSockets, RFC 6455, section 10.2).
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Response, has_request_context, request

from app.answers import refusal
from app.settings import Settings, is_loopback
from services.accounts import OPEN, Action, Principal, can
from services.gateway.handover import settle_deflate

LIVE_PATH = "/live"


class Doors:
    """Checks of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._insecure = settings.insecure
        self._origins = frozenset(settings.origins)
        self._hosts = frozenset(urlsplit(origin).netloc for origin in settings.origins)

    def host_allowed(self, host: str) -> bool:
        """Whether requests may name this host; a port is part of it. A browser always names one."""
        return self._insecure or not host or host.lower() in self._hosts or is_loopback(_hostname(host))

    def origin_allowed(self, origin: str | None, host: str) -> bool:
        """Whether a page of this origin may open the live socket. Programs that are no browser send none."""
        if origin is None:
            return True
        origin = origin.lower()
        if self._origins:
            return origin in self._origins
        return urlsplit(origin).netloc == host.lower() and self.host_allowed(host)

    def principal(self) -> Principal | None:
        """Who asks, or None where nobody is signed in. Open mode knows everybody as the same one."""
        return OPEN

    def may(self) -> Callable[[Action, str], bool]:
        """What whoever asks may do, as `may()("view", "flights.board")`; outside of a request that is nothing."""
        principal = self.principal() if has_request_context() else None
        return lambda action, name: principal is not None and can(principal, action, name)

    def refuse(self) -> Response | None:
        """The refusal of the request at hand, or None to let it through."""
        host = request.host
        if not self.host_allowed(host):
            return refusal(403, "forbidden_host", f"host {host!r} is not ours; add its origin to HEADWATER_ORIGINS")
        return self._refuse_socket(host) if request.path == LIVE_PATH else None

    def _refuse_socket(self, host: str) -> Response | None:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return refusal(426, "upgrade_required", "this is a WebSocket's address", Upgrade="websocket")
        origin = request.headers.get("Origin")
        if not self.origin_allowed(origin, host):
            return refusal(403, "forbidden_origin", f"origin {origin!r} is not ours; add it to HEADWATER_ORIGINS")
        if self.principal() is None:
            return refusal(401, "not_signed_in", "sign in first")
        settle_deflate(request.environ)
        return None


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
