"""Links: what the loop keeps of one viewer's socket, what it may cost, and what it tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from services.gateway.frames import encode_close
from services.gateway.handover import HandedOver
from services.gateway.inbound import Inbound, Received
from services.messages import Close

Farewell = Callable[[Close, str], bytes]
"""Makes the last bytes for a socket that is closed by us: a code, and a detail or nothing."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may cost.

    `message_bytes` caps a viewer's message as sent and as inflated; `frames_per_s` and `frames_burst` how
    many frames it may send. Silent for `ping_after_s` it is pinged, for `silent_s` it is freed as half-open.
    One that takes nothing of what is pending for `stalled_s` is too slow. `linger_s` bounds a close handshake.
    `volleys` lets a fan-out go through io_uring, where the kernel has it.
    """

    message_bytes: int = 65_536
    frames_per_s: float = 50.0
    frames_burst: int = 200
    send_buffer_bytes: int = 65_536
    ping_after_s: float = 2.0
    silent_s: float = 4.0
    stalled_s: float = 30.0
    linger_s: float = 0.5
    binary: bool = False
    volleys: bool = True


class Link:
    """One viewer's socket. `owner` is the listener's; the rest belongs to `Sockets`.

    `inbound` is None for a parked HTTP request: nothing is read of it any more. It is not pinged before `quiet_until`.
    """

    __slots__ = (
        "allowance", "allowance_at", "close_by", "deflate", "farewell", "fd", "inbound", "moved", "owner", "pending",
        "pinged_at", "quiet_until", "seen", "tail",
    )

    def __init__(
        self, taken: HandedOver, inbound: Inbound | None, owner: Any, now: float, allowance: float,
        farewell: Farewell | None = None,
    ) -> None:
        self.fd = taken.fd
        self.deflate = taken.shared_frames
        self.inbound = inbound
        self.owner = owner
        self.farewell: Farewell = farewell or encode_close
        self.pending: memoryview | None = None
        self.tail = b""
        self.seen = self.moved = now
        self.pinged_at = self.quiet_until = 0.0
        self.allowance, self.allowance_at = allowance, now
        self.close_by = 0.0

    @property
    def busy(self) -> bool:
        """Something is pending: give it nothing more until `drained`."""
        return self.pending is not None

    @property
    def closing(self) -> bool:
        return self.close_by > 0 or self.fd < 0


class Listener(Protocol):
    """What the loop tells of; everything is called in its thread."""

    def opened(self, link: Link) -> None:
        """A socket was taken over."""

    def received(self, link: Link, message: Received) -> None:
        """A whole message came in."""

    def held(self, link: Link) -> None:
        """The link became busy: its viewer takes less than it is given. What was sent is whole or pending."""

    def drained(self, link: Link) -> None:
        """Everything that was pending is written."""

    def closed(self, link: Link) -> None:
        """The socket is closed or closing; write nothing more. Told once."""

    def ticked(self) -> None:
        """About every 250 ms."""

    def rested(self) -> bool:
        """After each round: the time for what may wait. True where some of it has to wait longer."""
