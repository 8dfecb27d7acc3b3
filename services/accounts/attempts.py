"""Attempts: how often somebody may try to sign in, by account and by address, over all web processes.

Counted before the password is looked at, so that many at once gain nothing; forgotten once it was right. By OWASP ASVS
5.0, 6.3.1 and 6.1.1.
"""

from __future__ import annotations

import hashlib
from ipaddress import ip_address, ip_network

from services.broker import Broker

WINDOW_S = 900
PER_ACCOUNT, PER_ADDRESS = 10, 100


class Attempts:
    """The attempts at one installation. Everything may raise BrokerDown."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def wait_s(self, account: str, address: str) -> int:
        """Count one more attempt: 0 where it may be made, else in how many seconds there may be one again."""
        found = self._broker.count_attempt(_names(account, address), WINDOW_S)
        waits = (left for (count, left), limit in zip(found, (PER_ACCOUNT, PER_ADDRESS), strict=True) if count > limit)
        return max(waits, default=0)

    def address_wait_s(self, address: str) -> int:
        """The same of an address alone, where somebody else looks at the account."""
        ((count, left),) = self._broker.count_attempt(_names("", address)[1:], WINDOW_S)
        return left if count > PER_ADDRESS else 0

    def forget(self, account: str, address: str) -> None:
        """The account was signed in to: its attempts were its owner's. Those of the address go on counting."""
        self._broker.forget_attempts(_names(account, address)[:1])


def _names(account: str, address: str) -> list[str]:
    """A name can be of any length; an IPv6 client has a whole /64 of addresses."""
    try:
        client = ip_address(address)
        network = str(ip_network((client, 64 if client.version == 6 else 32), strict=False))
    except ValueError:
        network = "none"
    return [f"account:{hashlib.sha256(account.encode(errors='replace')).hexdigest()[:32]}", f"address:{network}"]
