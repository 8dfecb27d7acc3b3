"""Apart: whether signed-in roles get what is theirs, and nothing of what is not, by any door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import requests

from services.acceptance.outcome import Outcome, judged, not_seen
from services.acceptance.staging import TIMEOUT_S, Role, Staging
from services.acceptance.viewer import Viewer

NAME = "roles-apart"
LOOK_S = 2.0
_BY_HTTP = ("snapshot", "history", "export", "recorded")


def apart(staging: Staging, roles: Sequence[Role]) -> Outcome:
    """Two roles at least; one whose session sees nothing at all proves nothing, and is told."""
    if len({role.name for role in roles}) < 2:
        return not_seen(NAME, "give two roles, each by --role NAME=COOKIE of a signed-in browser")
    blind = [role.name for role in roles if not _receives(staging, role.cookie, role.allowed)]
    if blind:
        return not_seen(NAME, f"{', '.join(blind)}: sees not even what it may; sign in anew and give its cookies")
    leaks = [f"{role.name} receives {role.forbidden} by {door}" for role in roles for door in _leaks(staging, role)]
    names = ", ".join(role.name for role in roles)
    said = "; ".join(leaks) or f"{names}: what is theirs comes, what is forbidden is refused by every door"
    return judged(NAME, not leaks, said, leaks=leaks)


def _leaks(staging: Staging, role: Role) -> Iterator[str]:
    """The doors through which the role gets what is forbidden to it."""
    if _receives(staging, role.cookie, role.forbidden):
        yield "socket"
    for door in _BY_HTTP:
        if staging.get(f"/api/channels/{role.forbidden}/{door}", role.cookie).status_code == 200:
            yield door
    if _polled(staging, role):
        yield "long poll"
    if _listed(staging, role):
        yield "the list of channels"


def _receives(staging: Staging, cookie: str, channel: str) -> bool:
    viewer = Viewer(staging.url, channel, cookie)
    viewer.open()
    viewer.look(LOOK_S)
    viewer.drop()
    return viewer.position is not None


def _polled(staging: Staging, role: Role) -> bool:
    asked: dict[str, Any] = {"op": "subscribe", "channels": {role.forbidden: None}, "wait_s": 0}
    headers = {"Cookie": role.cookie} if role.cookie else {}
    answer = requests.post(f"{staging.url}/api/changes", json=asked, headers=headers, timeout=TIMEOUT_S)
    frames = answer.json() if answer.status_code == 200 else []
    return any(one.get("channel") == role.forbidden and "data" in one for one in frames)


def _listed(staging: Staging, role: Role) -> bool:
    answer = staging.get("/api/channels", role.cookie)
    listed = answer.json()["channels"] if answer.status_code == 200 else []
    return any(one["name"] == role.forbidden for one in listed)
