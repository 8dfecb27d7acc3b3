"""Certificate: whether the one that a server shows is trusted here, and for how long it still holds."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.addresses import nodes_of
from app.doctor.finding import Finding, graded
from app.settings import Settings

WARN_DAYS, FAIL_DAYS = 21, 3
"""Renewals come 30 days before the end, as a rule: one that is nearer was missed."""
CONNECT_WITHIN_S = 5.0
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate shown at an address; `authorities` is a file of those to be trusted beside the system's, or
    its text. `must` be trusted: one that is not is a failure; else it is only told (of a broker that is not verified).
    """

    host: str
    port: int
    subject: str = "certificate"
    authorities: str | None = None
    must: bool = True
    trusted_by: str = "make this machine trust its authority"

    def look(self) -> Iterator[Finding]:
        where = f"{self.host}:{self.port}"
        context = ssl.create_default_context()
        if self.authorities and "-----BEGIN" in self.authorities:
            context.load_verify_locations(cadata=self.authorities)
        elif self.authorities:
            context.load_verify_locations(self.authorities)
        try:
            with (
                socket.create_connection((self.host, self.port), CONNECT_WITHIN_S) as plain,
                context.wrap_socket(plain, server_hostname=self.host) as secured,
            ):
                found, version = secured.getpeercert(), secured.version()
        except ssl.SSLCertVerificationError as error:
            yield graded(
                self.subject, f"{where}: {error.verify_message}", fail=self.must, warn=True,
                remedy=_remedy(error, self.trusted_by),
            )
            return
        except OSError as error:
            remedy = "serve TLS there, or correct the address"
            yield Finding("fail", self.subject, f"{where}: no TLS: {error}", remedy)
            return
        yield self._age(str((found or {}).get("notAfter", "")), version or "TLS")

    def _age(self, until: str, version: str) -> Finding:
        left = (ssl.cert_time_to_seconds(until) - time.time()) / DAY_S
        text = f"{self.host}:{self.port} holds until {until}, {left:.0f} days; {version}"
        remedy = "renew it, and see why that was not done by itself"
        return graded(self.subject, text, fail=left < FAIL_DAYS, warn=left < WARN_DAYS, remedy=remedy)


def _remedy(error: ssl.SSLCertVerificationError, trusted_by: str) -> str:
    reason = error.verify_message
    if "expired" in reason:
        return "renew it: browsers refuse the page"
    if "self-signed" in reason or "local issuer" in reason:
        return f"take one of a public authority, send the whole chain, or {trusted_by}"
    return "take one that is made for this name"


def certificates(settings: Settings) -> Iterator[Certificate]:
    """Those that matter here: the public address's, and the broker's where it is spoken to by TLS."""
    public = urlsplit(settings.public_url)
    if public.scheme == "https" and public.hostname:
        yield Certificate(public.hostname, public.port or 443)
    for broker in map(urlsplit, nodes_of(settings.redis_url)):
        if broker.scheme == "rediss" and broker.hostname:
            yield Certificate(
                broker.hostname, broker.port or 6379, "broker certificate", settings.redis_tls_ca or None,
                must=settings.redis_tls_verify == "full", trusted_by="name its authority by REDIS_TLS_CA",
            )
