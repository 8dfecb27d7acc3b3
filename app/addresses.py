"""Addresses: what a host, and the broker's url, say."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def nodes_of(url: str) -> list[str]:
    """The nodes that a `REDIS_URL` names: one, or several of a cluster joined by commas; a password may hold commas."""
    return re.split(r",(?=rediss?://)", url) if url else []


def with_tls(url: str, verify: str, authority: str) -> str:
    """A `rediss://` url with how its certificate is judged, in the client library's words; what it says stays."""
    parts = urlsplit(url)
    said = dict(parse_qsl(parts.query))
    if parts.scheme != "rediss":
        return url
    if verify == "none":
        said.setdefault("ssl_cert_reqs", "none")
    elif authority:
        said.setdefault("ssl_ca_data" if "BEGIN CERTIFICATE" in authority else "ssl_ca_certs", authority)
    return urlunsplit(parts._replace(query=urlencode(said)))


def bracketed(host: str) -> str:
    """The host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
