"""Pages: what HTTP is like from here to a running Headwater: who answers, by TLS, compressed, never from a cache."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from app.doctor.certificate import Certificate
from app.doctor.finding import Finding, graded
from app.doctor.link import Link, Tell
from services.messages import WAIT_LIMIT_S

ANSWER_WITHIN_S = 8.0
ON_THE_WAY = ("Via", "Server", "CF-Ray", "X-Served-By", "X-Amz-Cf-Id")
CACHED = ("HIT", "STALE", "UPDATING", "REVALIDATED")
SLOW_POLL_S = 3.0


@dataclass(frozen=True, slots=True)
class Answers:
    """Whether it is a Headwater that answers there, and what lies between."""

    link: Link

    def look(self) -> Iterator[Finding]:
        address = f"{self.link.base}/healthz"
        began = time.monotonic()
        try:
            with self.link.http() as http:
                answer = http.get(address, timeout=ANSWER_WITHIN_S)
        except requests.RequestException as error:
            yield Finding("fail", "address", f"{address}: {_short(error)}", "correct the address, or start the server")
            return
        took_ms = 1000 * (time.monotonic() - began)
        ours = answer.ok and answer.headers.get("Content-Type", "").startswith("application/json")
        seen = ", ".join(f"{name}: {answer.headers[name]}" for name in ON_THE_WAY if name in answer.headers)
        text = f"{address} answered {answer.status_code} in {took_ms:.0f} ms" + (f" ({seen})" if seen else "")
        remedy = "something else answers here: correct the address, or what stands before Headwater"
        yield graded("address", text, fail=not ours, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Encryption:
    """Whether it is spoken to by TLS, by a certificate that this machine trusts."""

    link: Link

    def look(self) -> Iterator[Finding]:
        if self.link.encrypted:
            yield from Certificate(self.link.host, self.link.port, "TLS").look()
            return
        text = "not encrypted" + (", on this machine alone" if self.link.here else "")
        yield graded("TLS", text, fail=not self.link.here, remedy="open it by https, as clients have to")


@dataclass(frozen=True, slots=True)
class Compression:
    """Whether pages come compressed; the socket tells of its own frames."""

    link: Link

    def look(self) -> Iterator[Finding]:
        try:
            with self.link.http() as http:
                http.headers["Accept-Encoding"] = "br, gzip"
                answer = http.get(self.link.base + "/", timeout=ANSWER_WITHIN_S)
        except requests.RequestException as error:
            yield Finding("fail", "compression", _short(error), "see the line of the address")
            return
        how = answer.headers.get("Content-Encoding", "")
        text = f"pages come as {how}" if how else "pages come uncompressed: the first one is several megabytes"
        remedy = "let the proxy pass Accept-Encoding on, or compress there"
        yield graded("compression", text, warn=not how, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Caching:
    """Whether somebody on the way answers out of a cache what is different for everybody."""

    link: Link

    def look(self) -> Iterator[Finding]:
        cached = ""
        try:
            with self.link.http() as http:
                for _ in range(2):
                    answer = http.get(f"{self.link.base}/api/session", timeout=ANSWER_WITHIN_S)
                    cached = cached or _cached_by(answer)
        except requests.RequestException as error:
            yield Finding("fail", "cache", _short(error), "see the line of the address")
            return
        if cached:
            text = f"/api/session came out of a cache ({cached}): one reader would be shown another's rights"
            yield Finding("fail", "cache", text, "let nothing on the way cache what says Cache-Control: no-store")
        else:
            yield Finding("ok", "cache", "nothing that is one reader's own came out of a cache")


def _cached_by(answer: requests.Response) -> str:
    for name in ("X-Cache", "CF-Cache-Status", "X-Cache-Status"):
        if any(word in answer.headers.get(name, "").upper() for word in CACHED):
            return f"{name}: {answer.headers[name]}"
    return f"Age: {answer.headers['Age']}" if answer.headers.get("Age", "0") != "0" else ""


@dataclass(frozen=True, slots=True)
class LongPoll:
    """Whether the fallback works where no WebSocket does: a poll that waits, and comes back."""

    link: Link
    wait_s: float = WAIT_LIMIT_S
    tell: Tell = print

    def look(self) -> Iterator[Finding]:
        self.tell(f"long poll: waiting {self.wait_s:g} s for its answer")
        body: dict[str, Any] = {"channels": {}, "wait_s": self.wait_s}
        began = time.monotonic()
        try:
            with self.link.http() as http:
                answer = http.post(
                    f"{self.link.base}/api/changes", json=body, headers={"Origin": self.link.origin},
                    timeout=self.wait_s + ANSWER_WITHIN_S,
                )
        except requests.RequestException as error:
            took_s = time.monotonic() - began
            remedy = f"let requests wait {WAIT_LIMIT_S} s for their answer (nginx: proxy_read_timeout)"
            yield Finding("fail", "long poll", f"cut after {took_s:.0f} s: {_short(error)}", remedy)
            return
        yield self._judged(answer, time.monotonic() - began)

    def _judged(self, answer: requests.Response, took_s: float) -> Finding:
        if answer.status_code == 401:
            return Finding("warn", "long poll", "the server asks to sign in first", "give a session: --cookie")
        if answer.status_code != 200:
            text = f"answered {answer.status_code} after {took_s:.1f} s: {answer.text[:120]}"
            remedy = f"let POST /api/changes through, and wait {WAIT_LIMIT_S} s (a 502 or 504 is the proxy's own)"
            return Finding("fail", "long poll", text, remedy)
        late = took_s > self.wait_s + SLOW_POLL_S
        text = f"a poll of {self.wait_s:g} s was answered after {took_s:.1f} s"
        return graded("long poll", text, warn=late, remedy="answers are held up on the way: let nothing buffer them")


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:160]
