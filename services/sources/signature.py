"""Signature: how a sender that holds no ingest key proves that a webhook is its own: by an HMAC of the body.

Two secrets may be valid at a time, so that one can be replaced without losing a delivery between. Every secret is tried
with every signature that was sent, in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from services.sources.secret import Secrets, named_in
from services.sources.trouble import SourceTrouble

SECRETS_MAX = 2
_NAMED = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


class Headers(Protocol):
    """Of a request, by name in whatever case."""

    def get(self, name: str, default: str, /) -> str: ...


class BadSignature(ValueError):
    """A delivery whose signature does not hold; the text says why, and nothing of a secret."""


class Signature(ABC):
    """Of the deliveries to one feed. `secrets`: one or two, each as `env:NAME`."""

    header: str
    """The header in which it is sent."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self.secrets = tuple(secrets)
        self._known = Secrets()

    @property
    def variables(self) -> tuple[str, ...]:
        """Those that hold the secrets; one of them is enough."""
        return tuple(named_in(self.secrets))

    def check(self, headers: Headers, body: bytes, now_ms: int) -> None:
        """Raises BadSignature, or SourceTrouble where no secret is set here."""
        signed = self._signed(headers, body, now_ms)
        given = [one.lower() for one in self._given(headers)]
        if not given:
            raise BadSignature(f"no signature in {self.header}; let the sender sign with the secret of this feed")
        holds = False
        for secret in self._set_here():
            wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
            for one in given:
                # no way out at the first that holds: how long it takes tells nothing
                holds |= hmac.compare_digest(wanted, one.encode("utf-8", "replace"))
        if not holds:
            raise BadSignature(f"{self.header}: signed with another secret, or the body was changed on its way")

    def _set_here(self) -> list[str]:
        """The secrets whose variables are set: of two, one may be to come or gone."""
        found, missing = [], ""
        for secret in self.secrets:
            try:
                found.append(self._known.filled(secret))
            except SourceTrouble as trouble:
                missing = str(trouble).replace("the worker", "the web processes")
        if not found:
            raise SourceTrouble(missing)
        return found

    @abstractmethod
    def _given(self, headers: Headers) -> Iterator[str]:
        """The signatures that were sent, in hex."""

    def _signed(self, headers: Headers, body: bytes, now_ms: int) -> bytes:
        """What the signature is of. Raises BadSignature."""
        return body

    def told(self, headers: Headers) -> dict[str, Any]:
        """What the headers say of a delivery, for the mapping to take as `webhook.<name>`."""
        return {}

    def problem(self) -> tuple[str, object, str] | None:
        if not 1 <= len(self.secrets) <= SECRETS_MAX:
            return "source.signed", f"{len(self.secrets)} secrets", "give one, or two while one replaces the other"
        if not all(_NAMED.fullmatch(one) for one in self.secrets):
            return "source.signed", "(hidden)", "a secret stands in the file; give env:NAME in its place"
        return None


class GitHubSignature(Signature):
    """As GitHub signs: `X-Hub-Signature-256: sha256=<HMAC of the body>` (docs.github.com, validating deliveries).

    `webhook.event` and `webhook.delivery` are what its headers say; they are not signed.
    """

    header = "X-Hub-Signature-256"

    def _given(self, headers: Headers) -> Iterator[str]:
        kind, _, signature = headers.get(self.header, "").partition("=")
        if kind == "sha256" and signature:
            yield signature

    def told(self, headers: Headers) -> dict[str, Any]:
        said = {name: headers.get(f"X-GitHub-{name.capitalize()}", "") for name in ("event", "delivery")}
        return {name: value for name, value in said.items() if value}


class StripeSignature(Signature):
    """As Stripe signs: `Stripe-Signature: t=<seconds>,v1=<HMAC of "t.body">`, several `v1` while a secret is replaced
    (docs.stripe.com/webhooks/signature). One signed longer ago than `tolerance_s`, or so far ahead, is refused: it
    may have been recorded, and sent again.
    """

    header = "Stripe-Signature"

    def __init__(self, secrets: Sequence[str], *, tolerance_s: float = 300.0) -> None:
        super().__init__(secrets)
        self.tolerance_s = tolerance_s

    def _parts(self, headers: Headers) -> Iterator[tuple[str, str]]:
        for part in headers.get(self.header, "").split(","):
            name, _, value = part.strip().partition("=")
            yield name, value

    def _given(self, headers: Headers) -> Iterator[str]:
        yield from (value for name, value in self._parts(headers) if name == "v1" and value)

    def _signed(self, headers: Headers, body: bytes, now_ms: int) -> bytes:
        stamp = next((value for name, value in self._parts(headers) if name == "t"), "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            raise BadSignature(f"{self.header}: no time (t=<seconds>); let the sender sign as Stripe does")
        age_s = now_ms / 1000 - int(stamp)
        if abs(age_s) > self.tolerance_s:
            remedy = f"at most {self.tolerance_s:g} s are taken; set the sender's clock"
            raise BadSignature(f"{self.header}: signed {age_s:.0f} s ago; {remedy}")
        return f"{stamp}.".encode() + body

    def problem(self) -> tuple[str, object, str] | None:
        if not 1 <= self.tolerance_s <= 3_600:
            return "source.signed", self.tolerance_s, "give tolerance_s from 1 to 3600"
        return super().problem()
