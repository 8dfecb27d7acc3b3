"""Headers: what every answer tells a browser about how far it may trust it; the one place that says so.

Scripts run from our own files alone, and from the few lines that Dash writes into its document, each known by its
hash: what an event or a page's author brings in as text cannot become a script (CSP 3; OWASP ASVS 5.0, V3.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Flask, Response, request

from app.framing import directive

POLICY = "Content-Security-Policy"
NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""The policy of what is no page: should a browser ever show it as one, it may do nothing."""
HSTS = "max-age=31536000; includeSubDomains"
UNUSED_FEATURES = (
    "accelerometer", "bluetooth", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "publickey-credentials-get", "serial", "usb", "xr-spatial-tracking",
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # the address of a page says what its reader looks at; own pages need it, as does a form's Origin
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def page_policy(hashes: Sequence[str]) -> str:
    """The policy of a page of Dash, whose own inline scripts have these hashes."""
    return "; ".join((
        "default-src 'none'",
        " ".join(("script-src 'self'", *hashes)),
        "style-src 'self' 'unsafe-inline'",  # charts, grids and Dash write styles as they draw; none loads from afar
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
    ))


def put_headers(server: Flask, ancestors: Sequence[str], hashes: Callable[[], Sequence[str]]) -> None:
    """Put them on every answer of a server. `hashes` is asked at each page: Dash adds scripts at its first request.

    A page that needs less says so in a policy of its own, which then stands instead of the one for Dash's pages.
    """
    framed = directive(ancestors)

    def completed(answer: Response) -> Response:
        for name, value in _ALWAYS.items():
            answer.headers.setdefault(name, value)
        if answer.mimetype == "text/html":
            answer.headers[POLICY] = f"{answer.headers.get(POLICY) or page_policy(hashes())}; {framed}"
        else:
            answer.headers.setdefault(POLICY, NOTHING)
        answer.headers.setdefault("Cache-Control", "no-store")
        if request.is_secure:  # RFC 6797, 7.2: never over plain HTTP
            answer.headers["Strict-Transport-Security"] = HSTS
        return answer

    server.after_request(completed)
