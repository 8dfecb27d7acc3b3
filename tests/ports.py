"""Ports for servers of the tests, which a connection of anybody else does not take away meanwhile."""

from __future__ import annotations

import random
import socket

# Below the range from which systems take the ports of outgoing connections (Linux 32768, macOS 49152): a port that
# is free there is not given to somebody's connection between our look and the server's start.
_FIRST, _LAST = 15_000, 32_000


def free_port() -> int:
    """A port on loopback that nothing listens on."""
    for port in random.sample(range(_FIRST, _LAST), 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port found from {_FIRST} to {_LAST}")
