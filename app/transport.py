"""Transport: whether a request came here encrypted. A plain one from elsewhere is refused, with the reason.

TLS ends at a router or proxy in front. What such a one says of its client (`X-Forwarded-For`, `-Proto`) is believed
only as far as `HEADWATER_PROXIES` says that there are any: everybody can write these headers.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from app.answers import refusal
from app.settings import Settings

WARNING = "Not encrypted: who is on the way reads it along. For private development networks only."
_WARNING_HTML = (
    '<body><aside class="insecure" aria-label="Warning" style="margin:0;padding:6px 16px;background:#8c1d18;color:#fff;'
    f'font:14px/1.4 system-ui,sans-serif;text-align:center">{WARNING}</aside>'
)
_SAID_BY_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Via")


class Transport:
    """The rule of one installation; `guard` puts it on a server, before all others."""

    def __init__(self, settings: Settings) -> None:
        self._proxies, self._insecure = settings.proxies, settings.insecure
        self._hosts = frozenset(urlsplit(origin).netloc for origin in settings.origins)

    def guard(self, server: Flask) -> None:
        """From here on `request.is_secure` and `request.remote_addr` are the client's, as far as that is known."""
        if self._proxies:
            wrapped: Any = ProxyFix(server.wsgi_app, x_for=self._proxies, x_proto=self._proxies, x_host=0)
            server.wsgi_app = wrapped  # type: ignore[method-assign] # Flask's own way to put something around it
        server.before_request(self.refuse)

    def warn(self, server: Flask) -> None:
        """Where `HEADWATER_INSECURE` opens the door, every page says so. Last in `create_app`: before compression."""
        if self._insecure:
            server.after_request(_with_warning)

    def refuse(self) -> Response | None:
        """The refusal of the request at hand, or None where it came encrypted, or did not leave this machine."""
        if request.is_secure or self._insecure:
            return None
        if not self._proxies and (told := next(filter(request.headers.get, _SAID_BY_PROXIES), None)):
            remedy = f"{told} says that a proxy stands before this server: set HEADWATER_PROXIES to how many do"
            return refusal(403, "not_encrypted", remedy)
        if self._is_from_here():
            return None
        if self._proxies:
            return refusal(403, "not_encrypted", "plain HTTP is not served here: use https://, or wss:// for /live")
        remedy = (
            "plain HTTP is served to this machine alone: put a proxy that ends TLS before this server and set"
            " HEADWATER_PROXIES=1, or HEADWATER_INSECURE=1 on a private development network"
        )
        return refusal(403, "not_encrypted", remedy)

    def _is_from_here(self) -> bool:
        """Both ends are on this machine. Our public name is known further away: there a proxy that says nothing stands
        between. Any other name is refused by the doors."""
        return _is_own(request.remote_addr) and request.host.lower() not in self._hosts


def _with_warning(answer: Response) -> Response:
    if answer.mimetype == "text/html" and not answer.is_streamed:
        answer.set_data(answer.get_data(as_text=True).replace("<body>", _WARNING_HTML, 1))
    return answer


def _is_own(address: str | None) -> bool:
    """Whether a peer is this machine; one without an address is a Unix socket."""
    if not address:
        return True
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
