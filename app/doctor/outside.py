"""Outside: what is looked at of a running Headwater by its address, from a client's network or from its own machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from websockets.exceptions import WebSocketException

from app.doctor.finding import Check, Finding
from app.doctor.link import Link, Tell
from app.doctor.live_link import Heartbeats, Idle, NotLive, RoundTrip, Upgrade
from app.doctor.pages_link import Answers, Caching, Compression, Encryption, LongPoll
from services.messages import WAIT_LIMIT_S


def examine_link(link: Link, for_s: float, tell: Tell) -> Iterator[Finding]:
    """All that can be seen from here of the Headwater at the link's address; waits for `for_s` to see what is cut."""
    reached = list(Answers(link).look())
    yield from reached
    if link.encrypted or reached[-1].level == "ok":
        yield from Encryption(link).look()
    if reached[-1].level == "fail":
        return
    yield from _each([Compression(link), Caching(link)])
    yield from _live(link, [Heartbeats(link), RoundTrip(link), Idle(link, for_s, tell)])
    yield from _each([LongPoll(link, min(WAIT_LIMIT_S, for_s), tell)])


def _live(link: Link, more: Sequence[Check]) -> Iterator[Finding]:
    """Whether the live socket opens; only then there is more to see of it."""
    opened = list(Upgrade(link).look())
    yield from opened
    if opened[0].level == "ok":
        yield from _each(more)


def _each(checks: Sequence[Check]) -> Iterator[Finding]:
    """What they find; a link that breaks meanwhile is a finding too."""
    for check in checks:
        subject = type(check).__name__.lower()
        try:
            yield from check.look()
        except NotLive as found:
            yield found.finding
        except (WebSocketException, OSError) as error:
            text = f"the link broke: {type(error).__name__}: {error}"[:160]
            yield Finding("fail", subject, text, "look again; where it stays, see what lies between")


@dataclass(frozen=True, slots=True)
class Served:
    """The same, as far as it takes no time, of the installation whose settings these are.

    Where nothing answers that is told only where the settings name a public address: `expected`.
    """

    link: Link
    expected: bool

    def look(self) -> Iterator[Finding]:
        reached = list(Answers(self.link).look())
        if reached[-1].level == "fail" and not self.expected:
            return
        yield from reached
        if reached[-1].level == "ok":
            yield from _each([Compression(self.link), Caching(self.link)])
            yield from _live(self.link, [Heartbeats(self.link), RoundTrip(self.link)])
