"""Entrance: what the settings let in: origins, secrets, and what a router in front changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.addresses import is_loopback
from app.doctor.finding import Finding, graded
from app.settings import Settings

GUESSED = ("0123456789abcdef", "changeme", "change-me", "secret", "password", "example", "test")
"""What people leave in from an example."""
SECRET_LETTERS_MIN = 8
"""A secret of fewer different letters is no random one."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Whether the pages that clients open may open the live socket."""

    settings: Settings

    def look(self) -> Iterator[Finding]:
        origins, public = self.settings.origins, self.settings.public_url.lower()
        if public and origins and _origin(public) not in origins:
            text = f"HEADWATER_URL {public} is not in HEADWATER_ORIGINS: its viewers would get no live socket"
            yield Finding("fail", "origins", text, f"add {_origin(public)}")
        elif origins:
            yield Finding("ok", "origins", f"pages of {', '.join(origins)}")
        else:
            behind = public and not is_loopback(urlsplit(public).hostname or "")
            text = "pages of the host by which a request comes; a router that rewrites Host would shut all out"
            yield graded(
                "origins", text if behind else "pages of this machine's own address", warn=bool(behind),
                remedy=f"set HEADWATER_ORIGINS={_origin(public)}",
            )
        for origin in [one for one in (*origins, public) if one.startswith("http://")]:
            if not is_loopback(urlsplit(origin).hostname or ""):
                text = f"{origin} is not encrypted: anyone on the way reads and changes what viewers see"
                yield Finding("warn", "origins", text, "serve it by https")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Whether the secrets in the settings are secret."""

    settings: Settings

    def look(self) -> Iterator[Finding]:
        known = [key.split(":") for key in self.settings.ingest_keys]
        weak = [name for name, secret, _ in known if is_guessable(secret)]
        if is_guessable(self.settings.probe_key):
            weak.append("HEADWATER_PROBE_KEY")
        secrets = [secret for _, secret, _ in known]
        if weak:
            remedy = "make one: python -c 'import secrets; print(secrets.token_urlsafe(24))'"
            yield Finding("fail", "secrets", f"{', '.join(weak)}: a secret that can be guessed", remedy)
        if len(set(secrets)) < len(secrets):
            text = "two ingest keys have the same secret: the first one is never used"
            yield Finding("fail", "secrets", text, "give each a secret of its own")
        if self.settings.insecure and not is_loopback(self.settings.host):
            text = f"HEADWATER_INSECURE: everybody who reaches {self.settings.host} may read, unencrypted"
            yield Finding("warn", "secrets", text, "for private development networks only: unset it elsewhere")
        if not weak:
            yield Finding("ok", "secrets", f"{len(known)} ingest keys in the settings")


def is_guessable(secret: str) -> bool:
    """Whether somebody would try it: taken from an example, or of very few different letters."""
    plain = secret.lower()
    return bool(secret) and (len(set(plain)) < SECRET_LETTERS_MIN or any(plain.startswith(one) for one in GUESSED))


@dataclass(frozen=True, slots=True)
class Router:
    """What a router in front of the web processes changes: every viewer comes from its address."""

    settings: Settings

    def look(self) -> Iterator[Finding]:
        public = self.settings.public_url
        if not public or is_loopback(urlsplit(public).hostname or ""):
            return
        limit = self.settings.viewers_per_address
        text = f"behind {public} all viewers may come from one address, of which {limit or 'any number'} are let in"
        remedy = "set HEADWATER_VIEWERS_PER_ADDRESS=0 where the router hides addresses"
        yield graded("router", text, warn=limit > 0, remedy=remedy)
