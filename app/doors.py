"""Doors: who may come in at all, decided before any route runs.

Open mode serves this machine only. Everywhere else each request needs a session; what needs none is listed here, and a
route that nobody thought of is shut.
A page of another site could still make a browser speak to us, so the Host header must be one of ours (DNS rebinding),
and a socket's Origin one of our pages (the browser enforces no same-origin rule for WebSockets: RFC 6455, 10.2).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from flask import Response, g, has_request_context, request

from app.addresses import is_loopback
from app.answers import refusal, see
from app.settings import Settings
from services.accounts import OPEN, Action, Principal, can
from services.accounts.sessions import Sessions
from services.gateway.handover import settle_deflate

LIVE_PATH = "/live"
SIGN_IN_PATH, SIGN_OUT_PATH = "/sign-in", "/sign-out"
PROVIDER_PATH = f"{SIGN_IN_PATH}/oidc"
METRICS_PATH = "/metrics"
COOKIE = "headwater"
_PUBLIC = re.compile(
    r"/healthz|/readyz|/status|/sign-in(/oidc(/back)?)?|/sign-out|/_favicon\.ico|/favicon\.ico"
    r"|/assets/.*|/_dash-component-suites/.*|/live/modules/.*"
    r"|/api/ingest/[^/]*|/api/staging(/hold/[^/]*)?",  # have keys of their own
    re.DOTALL,
)
"""What is served without a session."""
_FOR_PROGRAMS = ("/api/", "/_", METRICS_PATH)
"""Whatever else is asked for is a page, for people: those are led to the sign-in."""
NEXT_MAX = 1_000


class Doors:
    """Checks of one installation; in open mode nobody needs a session, without `sessions` for ever."""

    def __init__(self, settings: Settings, sessions: Sessions | None = None) -> None:
        self._insecure, self._metrics_key = settings.insecure, settings.metrics_key
        self._origins = frozenset(settings.origins)
        named = [*settings.origins, *filter(None, [settings.public_url])]
        self._hosts = frozenset(urlsplit(origin).netloc.lower() for origin in named)
        self.sessions = sessions

    @property
    def is_open(self) -> bool:
        """Whether everybody may come in: this machine's own people, as long as nobody has an account."""
        return self.sessions is None or self.sessions.is_open

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
        """Who asks, or None where nobody is signed in. Open mode knows everybody as the same one.

        Raises BrokerDown or DatabaseDown where that cannot be known.
        """
        if self.sessions is None or self.sessions.is_open:
            return OPEN
        if "principal" not in g:
            identifier = self.identifier()
            g.principal = self.sessions.principal(identifier) if identifier else None
        found: Principal | None = g.principal
        return found

    def identifier(self) -> str:
        """What the browser keeps of its session, '' without one."""
        name = self.cookie(COOKIE)
        return request.cookies.get(name, "") if name else ""

    def cookie(self, name: str) -> str:
        """The cookie of that name as this request's transport allows it, '' where it allows none.

        `__Host-` keeps it to this host, over HTTPS (RFC 6265bis, section 4.1.3.2). Without encryption it is kept on
        this machine only, or where the installation says that its network is private.
        """
        if request.is_secure:
            return f"__Host-{name}"
        return name if self._insecure or is_loopback(_hostname(request.host)) else ""

    def may(self) -> Callable[[Action, str], bool]:
        """What whoever asks may do, as `may()("view", "flights.board")`; outside of a request that is nothing."""
        principal = self.principal() if has_request_context() else None
        return lambda action, name: principal is not None and can(principal, action, name)

    def still_may(self, name: str, *actions: Action) -> Callable[[], bool]:
        """Whether whoever asks may do these at any later time, for an answer that takes long. Asks nobody."""
        principal, sessions = self.principal(), self.sessions

        def holds() -> bool:
            now = principal if principal is None or sessions is None else sessions.renewed(principal)
            return now is not None and all(can(now, action, name) for action in actions)

        return holds

    def refuse(self) -> Response | None:
        """The refusal of the request at hand, or None to let it through. Raises BrokerDown or DatabaseDown."""
        host = request.host
        if not self.host_allowed(host):
            return refusal(403, "forbidden_host", f"host {host!r} is not ours; add its origin to HEADWATER_ORIGINS")
        if request.path == LIVE_PATH:
            return self._refuse_socket(host)
        if self.is_open or _PUBLIC.fullmatch(request.path) or self._reads_metrics():
            return None
        principal = self.principal()
        if principal is None:
            return not_signed_in() if request.path.startswith(_FOR_PROGRAMS) else to_sign_in()
        if request.path == METRICS_PATH and not can(principal, "admin", METRICS_PATH):
            return refusal(403, "forbidden", "metrics are for administrators, or for HEADWATER_METRICS_KEY")
        return None

    def refuse_again(self) -> Response | None:
        """The same once a body has come whole: that may have taken half a minute, in which much can be taken away."""
        g.pop("principal", None)
        return self.refuse()

    def _reads_metrics(self) -> bool:
        """Whether a program asks for the figures with the key for them."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if request.path != METRICS_PATH or not self._metrics_key or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.encode(errors="replace"), self._metrics_key.encode())

    def keep_private(self, answer: Response) -> Response:
        """After each request: what was made for somebody is kept by no cache, nor shown once he is signed out."""
        if not self.is_open and not _PUBLIC.fullmatch(request.path):
            answer.headers["Cache-Control"] = "no-store"
            answer.vary.add("Cookie")
        return answer

    def _refuse_socket(self, host: str) -> Response | None:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return refusal(426, "upgrade_required", "this is a WebSocket's address", Upgrade="websocket")
        origin = request.headers.get("Origin")
        if not self.origin_allowed(origin, host):
            return refusal(403, "forbidden_origin", f"origin {origin!r} is not ours; add it to HEADWATER_ORIGINS")
        if self.principal() is None:
            return not_signed_in()
        settle_deflate(request.environ)
        return None


def not_signed_in() -> Response:
    """The answer to a program."""
    return refusal(401, "not_signed_in", f"sign in first, at {SIGN_IN_PATH}")


def to_sign_in() -> Response:
    """The answer to a person, who comes back to where he wanted to go."""
    wanted = request.full_path.removesuffix("?") if request.method == "GET" else "/"
    asked = "" if next_path(wanted) == "/" else f"?next={quote(wanted, safe='/')}"
    return see(f"{SIGN_IN_PATH}{asked}")


def next_path(wanted: str) -> str:
    """Where to go after sign-in: a path of ours, `/` for everything that could lead elsewhere.

    Browsers take a backslash for a slash, drop tabs and line ends, and read `//host` as another host (WHATWG URL).
    """
    if len(wanted) > NEXT_MAX or not re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", wanted):
        return "/"
    path = wanted.partition("?")[0]
    return "/" if path.startswith((SIGN_IN_PATH, SIGN_OUT_PATH, "/api/", "/_")) else wanted


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
