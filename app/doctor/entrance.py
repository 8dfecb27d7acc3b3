"""Entrance: what the settings let in: origins, secrets, and what a router in front changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

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
        held = {f"ingest key {name}": secret for name, secret, _ in known} | self._others()
        weak = [name for name, secret in held.items() if is_guessable(secret)]
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
            others = ", ".join(sorted(name for name, secret in self._others().items() if secret))
            yield Finding("ok", "secrets", f"{len(known)} ingest keys in the settings" + (others and f", {others}"))

    def _others(self) -> dict[str, str]:
        """What else opens something, by its variable; '' where it is not set."""
        passwords = {
            "the password in REDIS_URL": self.settings.redis_url.partition(",")[0],
            "the password in DATABASE_URL": self.settings.database_url,
        }
        return {
            "HEADWATER_PROBE_KEY": self.settings.probe_key, "HEADWATER_METRICS_KEY": self.settings.metrics_key,
            "HEADWATER_OIDC_CLIENT_SECRET": self.settings.oidc_client_secret,
            **{name: _password(url) for name, url in passwords.items()},
        }


def _password(url: str) -> str:
    """Of a server elsewhere; on this machine it guards nothing that its user could not reach."""
    parts = urlsplit(url)
    return "" if is_loopback(parts.hostname or "localhost") else unquote(parts.password or "")


def is_guessable(secret: str) -> bool:
    """Whether somebody would try it: taken from an example, or of very few different letters."""
    plain = secret.lower()
    return bool(secret) and (len(set(plain)) < SECRET_LETTERS_MIN or any(plain.startswith(one) for one in GUESSED))


@dataclass(frozen=True, slots=True)
class Router:
    """Whether what stands before the web processes is believed, and tells viewers apart."""

    settings: Settings

    def look(self) -> Iterator[Finding]:
        public, proxies = self.settings.public_url, self.settings.proxies
        elsewhere = bool(public) and not is_loopback(urlsplit(public).hostname or "")
        if proxies:
            yield self._believed(proxies)
        elif elsewhere and public.startswith("https://"):
            text = f"HEADWATER_URL {public} is encrypted by a proxy that nobody believes: every request is refused"
            yield Finding("fail", "router", text, "set HEADWATER_PROXIES to how many stand before it, mostly 1")
        elif elsewhere and self.settings.viewers_per_address:
            text = f"behind {public} all viewers may come from one address: {self.settings.viewers_per_address} get in"
            remedy = "set HEADWATER_PROXIES to how many proxies there are, or HEADWATER_VIEWERS_PER_ADDRESS=0"
            yield Finding("warn", "router", text, remedy)
        else:
            yield Finding("ok", "router", "none before this server: what a request says of one is not believed")

    def _believed(self, proxies: int) -> Finding:
        who = "the proxy before this server says" if proxies == 1 else f"the {proxies} proxies before this server say"
        text = f"what {who} of address and encryption is believed"
        alone = is_loopback(self.settings.host) and not self.settings.others_come_in
        return graded(
            "router", f"{text}, and only this machine can reach it" if alone else text, warn=alone,
            remedy="set HEADWATER_PROXIES=0 where none stands before this server, else HEADWATER_URL",
        )
