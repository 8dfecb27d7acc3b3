"""Handover: takes a socket over from flask-sock once its handshake is done.

flask-sock and simple-websocket do routing, authentication and the handshake in a WSGI thread; after
that nobody but `sockets` may touch the descriptor. gunicorn keeps a dead socket in its place, so that
its count of connections stays right and nothing it does on closing reaches the viewer.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

from simple_websocket import Server
from wsproto.extensions import PerMessageDeflate

_OFFER = "HTTP_SEC_WEBSOCKET_EXTENSIONS"
_ACCEPTED_OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
_WITHOUT_VALUE = frozenset({"server_no_context_takeover", "client_no_context_takeover"})


class NoThread:
    """Stands in for `threading.Thread` in `SOCK_SERVER_OPTIONS`: simple-websocket then reads nothing itself."""

    name = "(_thread)"

    def __init__(self, target: Callable[[], None] | None = None) -> None:
        """Takes the reader that will never run."""

    def start(self) -> None:
        """Does nothing."""


SOCK_SERVER_OPTIONS: dict[str, Any] = {"thread_class": NoThread}
"""What flask-sock's `SOCK_SERVER_OPTIONS` must hold for sockets that are handed over."""


class CannotHandOver(Exception):
    """The socket cannot be taken over; the text says why."""


class HandedOver(NamedTuple):
    """A descriptor of our own, and what was agreed on compression.

    `deflate`: permessage-deflate is on. `shared_frames`: the viewer decodes frames with a full window.
    `keeps_window`: its own compressor refers to its earlier messages.
    """

    fd: int
    deflate: bool
    shared_frames: bool
    keeps_window: bool


def settle_deflate(environ: MutableMapping[str, Any]) -> None:
    """Rewrite the viewer's compression offers to the one that we accept; call it before the handshake.

    simple-websocket accepts offers as they come, and a viewer that keeps its compressor's window costs
    32 KB here. RFC 7692, section 7.1.1: a server may ask for no context takeover, on both sides,
    without having been offered it.
    """
    offers = str(environ.pop(_OFFER, "")).split(",")
    if any(_is_acceptable(offer) for offer in offers):
        environ[_OFFER] = _ACCEPTED_OFFER


def _is_acceptable(offer: str) -> bool:
    """Whether full-window frames may be sent under this offer (RFC 7692, section 7.1)."""
    name, *parameters = (part.strip() for part in offer.split(";"))
    if name != "permessage-deflate":
        return False
    names = [parameter.partition("=")[0].strip() for parameter in parameters]
    return len(set(names)) == len(names) and all(map(_is_acceptable_parameter, parameters))


def _is_acceptable_parameter(parameter: str) -> bool:
    name, equals, value = (part.strip().strip('"') for part in parameter.partition("="))
    if name == "client_max_window_bits":
        return not equals or value in {str(bits) for bits in range(8, 16)}
    if name == "server_max_window_bits":
        return value == "15"
    return name in _WITHOUT_VALUE and not equals


def hand_over(ws: Server) -> HandedOver:
    """Take the descriptor; `ws` and the WSGI server are left with a dead socket.

    Raises CannotHandOver for a TLS socket, whose bytes only its own object can make.
    """
    fd = _swap(ws.sock)
    ws.connected = False  # flask-sock then sends no close frame of its own
    agreed = _agreed_deflate(ws)
    if agreed is None:
        return HandedOver(fd, deflate=False, shared_frames=False, keeps_window=False)
    return HandedOver(
        fd, deflate=True, shared_frames=agreed.server_max_window_bits == 15,
        keeps_window=not agreed.client_no_context_takeover,
    )


def take_request(environ: Mapping[str, Any]) -> int:
    """The descriptor of a WSGI request that is read to its end; the web server is left with a dead socket.

    Raises CannotHandOver for TLS, and where the server does not hand its socket on.
    """
    held = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if not isinstance(held, socket.socket):
        raise CannotHandOver("this web server does not hand its sockets on")
    return _swap(held)


def _swap(held: socket.socket) -> int:
    if isinstance(held, ssl.SSLSocket):
        raise CannotHandOver("TLS ends at the router, not in the web process")
    fd = os.dup(held.fileno())
    dead, other = socket.socketpair()
    other.close()
    os.dup2(dead.fileno(), held.fileno(), inheritable=False)
    dead.close()
    return fd


def _agreed_deflate(ws: Server) -> PerMessageDeflate | None:
    """What wsproto agreed with the viewer; it has no public way to ask."""
    for extension in ws.ws.connection._proto.extensions:
        if isinstance(extension, PerMessageDeflate) and extension.enabled():
            return extension
    return None
