"""Staging: the deployment that is looked at, by its public face alone: by posting, asking, and holding viewers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests

from services.acceptance.viewer import Viewer
from services.declare import Channel, FeedSpec, Field
from services.declare.example import example_event

TIMEOUT_S = 10.0
PUT_OFF_MAX_S = 60.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Role:
    """A signed-in role by its cookies, a channel that it must not see, and one that it must."""

    name: str
    cookie: str
    forbidden: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Staging:
    """A pushed feed with a channel that holds its newest rows; `key` may post to it. `cookie` is of who may look."""

    url: str
    key: str
    feed: FeedSpec
    channel: type[Channel]
    cookie: str = ""

    def opened(self) -> Viewer:
        """A viewer that has its snapshot. Raises ValueError where none came."""
        viewer = Viewer(self.url, self.channel.name, self.cookie)
        viewer.open()
        until = time.monotonic() + TIMEOUT_S
        while viewer.position is None and not viewer.refused and time.monotonic() < until:
            viewer.look(0.2)
        if viewer.refused or viewer.position is None:
            raise ValueError(f"{self.channel.name}: {viewer.refused or 'no snapshot came'}")
        return viewer

    def get(self, path: str, cookie: str = "", **parameters: str) -> requests.Response:
        headers = {"Cookie": cookie} if cookie else {}
        return requests.get(f"{self.url}{path}", parameters, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)

    # Events ---------------------------------------------------------------------------------------

    def event(self, key: str, number: int) -> dict[str, Any]:
        """A valid event of that key, which says `number` in one of its fields where there is one."""
        return {**example_event(self.feed), **self._said(number), self.feed.key: key, "id": uuid4().hex}

    def shows(self, viewer: Viewer, key: str, number: int) -> bool:
        """Whether the viewer's row of that key says the number."""
        row = viewer.rows.get(key)
        return row is not None and all(row.get(name) == value for name, value in self._said(number).items())

    def _said(self, number: int) -> dict[str, Any]:
        """A number where the feed has one, else a text or a time; a flag can tell every other one alone."""
        order = ("number", "integer", "text", "moment", "flag")
        able = [field for field in self.feed.fields.values() if field.name != self.feed.key]
        able.sort(key=lambda field: order.index(field.value_type))
        return {field.name: _value(field, number) for field in able[:1]}

    def post(self, events: list[dict[str, Any]]) -> dict[str, float]:
        """When each was sent, by its key. Raises requests.RequestException, or ValueError where one is refused."""
        at, patient_until = time.time(), time.monotonic() + PUT_OFF_MAX_S
        events = [{"created_at": round(at * 1000), **one} for one in events]
        while True:
            answer = requests.post(
                f"{self.url}/api/ingest/{self.feed.name}", json=events, timeout=TIMEOUT_S,
                headers={"Authorization": f"Bearer {self.key}"},
            )  # fmt: skip
            if answer.status_code != 429 or time.monotonic() > patient_until:
                break  # who is put off without end has failed
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        answer.raise_for_status()
        if refused := answer.json()["rejected"]:
            raise ValueError(f"an event was refused: {refused[0]['detail']}")
        return {one[self.feed.key]: at for one in events}

    # What a staging key may --------------------------------------------------------------------------

    def issued(self) -> bool:
        """Whether the deployment issued the key for staging. Raises requests.RequestException."""
        answer = requests.get(
            f"{self.url}/api/staging", headers={"Authorization": f"Bearer {self.key}"}, timeout=TIMEOUT_S
        )
        return answer.status_code == 200

    def hold(self, feed: str, for_s: float) -> None:
        """Keep a pulled source back; 0 lets it in again. Raises ValueError with what was answered."""
        answer = requests.post(
            f"{self.url}/api/staging/hold/{feed}", json={"for_s": for_s}, timeout=TIMEOUT_S,
            headers={"Authorization": f"Bearer {self.key}"},
        )  # fmt: skip
        if answer.status_code != 200:
            raise ValueError(f"the source of {feed} cannot be held: {answer.status_code} {answer.text[:200]}")


def _value(field: Field, number: int) -> Any:
    if field.value_type == "text":
        return f"no. {number}"[-getattr(field, "max_length", 200) :]
    if field.value_type == "flag":
        return number % 2 == 1
    return 1_767_225_600_000 + number if field.value_type == "moment" else number
