"""Link: the way from here to a running Headwater, as a browser in this network would take it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from app.addresses import is_loopback

OPEN_WITHIN_S = 8.0
Tell = Callable[[str], None]
"""Says how far something is that takes its time."""


@dataclass(frozen=True, slots=True)
class Link:
    """An address, and how to speak to it. `headers` go with every request: a session's cookie, for example.

    It goes by way of the proxies that the environment names, as a browser here would, except to this machine itself.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.url.rstrip("/")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (443 if self.encrypted else 80)

    @property
    def encrypted(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    @property
    def here(self) -> bool:
        """Whether it is this machine: no proxy lies between."""
        return is_loopback(self.host)

    @property
    def origin(self) -> str:
        """As a browser says it of a page from there."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @contextmanager
    def http(self) -> Iterator[requests.Session]:
        with requests.Session() as session:
            session.trust_env = not self.here
            session.headers.update(self.headers)
            yield session

    @contextmanager
    def live(self) -> Iterator[ClientConnection]:
        """The live socket, which says nothing by itself; raises what `websockets` raises."""
        parts = urlsplit(self.base)
        address = f"{'wss' if self.encrypted else 'ws'}://{parts.netloc}{parts.path}/live?protocols=1"
        with connect(
            address, origin=Origin(self.origin), additional_headers=dict(self.headers), open_timeout=OPEN_WITHIN_S,
            close_timeout=1, ping_interval=None, proxy=None if self.here else True,
        ) as opened:
            yield opened


def error_code(answer: InvalidStatus) -> str:
    """The code of a refusal of ours; empty where something else answered."""
    try:
        said: Any = orjson.loads(answer.response.body or b"")
        return str(said["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
