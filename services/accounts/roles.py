"""Roles: the project's `roles.toml`, which says what each role may do to which channels.

    [roles]
    ewr-ops = "flights.*:EWR"

    [roles.desk]
    channels = ["flights.*", "host.now"]
    actions = ["view", "history"]
    claims = ["desk-members"]

The short form allows all actions on channels; `claims` are the identity provider's words that give the role. `admin` is
always there, may do everything, and only its `claims` can be said.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from services.accounts.principal import ACTIONS, ADMIN, ON_CHANNELS, Action, Grant, Principal
from services.declare import Declarations
from services.places import Places

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_FIELDS = ("channels", "actions", "claims")
_SHOWN_MAX = 80


class RolesError(ValueError):
    """The roles file cannot be read; a line for each fault, with file, line, name, value and remedy."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role: what it allows, and the identity provider's words that give it."""

    name: str
    grant: Grant
    claims: tuple[str, ...] = ()


_ADMIN = Role(ADMIN, Grant(("*",), frozenset(ACTIONS)))


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of a project, by name; without a file there is `admin` alone."""

    known: Mapping[str, Role] = field(default_factory=lambda: {ADMIN: _ADMIN})

    def principal(self, name: str, roles: Iterable[str], session: str = "") -> Principal:
        """The account as a principal; a role that there is no more allows nothing."""
        held = [self.known[one] for one in roles if one in self.known]
        return Principal(
            name, tuple(one.name for one in held), grants=tuple(one.grant for one in held), session=session
        )

    def claimed(self, words: Iterable[str]) -> tuple[str, ...]:
        """The roles that an identity provider's words give."""
        said = set(words)
        return tuple(one.name for one in self.known.values() if said & set(one.claims))


def read_roles(path: Path | None, declarations: Declarations) -> Roles:
    """The roles of the file, those that are always there with them. Raises RolesError."""
    if path is None:
        return Roles()
    try:
        text = path.read_text(encoding="utf-8")
        said = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RolesError(f"{path}:1: roles: {error}: give a file in UTF-8 that can be read") from error
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).partition(" (at line ")
        line = where.partition(",")[0] or len(text.splitlines())
        raise RolesError(f"{path}:{line}: TOML: {what}: correct the line") from error
    reading = _Reading(path, Places(text), declarations)
    roles = reading.roles(said)
    if reading.faults:
        raise RolesError("\n".join(text for _, text in sorted(reading.faults)))
    return Roles({ADMIN: _ADMIN, **roles})


class _Reading:
    """One file that is being read, and what was found wrong in it."""

    def __init__(self, path: Path, places: Places, declarations: Declarations) -> None:
        self._path, self._places, self._declarations = path, places, declarations
        self.faults: list[tuple[int, str]] = []

    def _refuse(self, place: tuple[str, ...], value: object, remedy: str) -> None:
        line, shown = self._places.line(place), repr(value)[:_SHOWN_MAX]
        self.faults.append((line, f"{self._path}:{line}: {'.'.join(place)}: {shown}: {remedy}"))

    def roles(self, said: Mapping[str, Any]) -> dict[str, Role]:
        for name in said:
            if name != "roles":
                self._refuse((name,), said[name], "nothing reads this; the file has one table, [roles]")
        table = said.get("roles", {})
        if not isinstance(table, dict):
            self._refuse(("roles",), table, "give a table, [roles]")
            return {}
        return {name: self._role(name, given) for name, given in table.items()}

    def _role(self, name: str, given: Any) -> Role:
        place = ("roles", name)
        if not _NAME.fullmatch(name):
            self._refuse(place, name, "name a role by small letters, digits and -, a letter first")
        whole = given if isinstance(given, dict) else {"channels": given}
        for unread in (one for one in whole if one not in _FIELDS):
            self._refuse((*place, unread), whole[unread], f"nothing reads this field; {_nearest(unread, _FIELDS)}")
        claims = self._texts((*place, "claims"), whole.get("claims", ()), "words of the identity provider")
        if name == ADMIN:
            if set(whole) - {"claims"}:
                self._refuse(place, given, "admin may do everything; only its claims can be said")
            return Role(ADMIN, _ADMIN.grant, claims)
        where = (*place, "channels") if isinstance(given, dict) else place
        channels = self._texts(where, whole.get("channels", ()), "channels, for example flights.* or flights.*:EWR")
        if not channels:
            self._refuse(where, whole.get("channels", ()), "name the channels, for example flights.* or flights.*:EWR")
        for pattern in channels:
            self._check_pattern(where, pattern)
        return Role(name, Grant(channels, self._actions(place, whole)), claims)

    def _texts(self, place: tuple[str, ...], given: Any, what: str) -> tuple[str, ...]:
        listed = [given] if isinstance(given, str) else given
        if not isinstance(listed, list | tuple) or not all(isinstance(one, str) and one.strip() for one in listed):
            self._refuse(place, given, f"give a text or a list of texts: {what}")
            return ()
        return tuple(listed)

    def _actions(self, place: tuple[str, ...], whole: Mapping[str, Any]) -> frozenset[Action]:
        if "actions" not in whole:
            return frozenset(ON_CHANNELS)
        where = (*place, "actions")
        actions = self._texts(where, whole["actions"], f"of {', '.join(ACTIONS)}")
        for one in actions:
            if one not in ACTIONS:
                self._refuse(where, one, f"no such action; {_nearest(one, ACTIONS)}")
        return frozenset(cast(Action, one) for one in actions)

    def _check_pattern(self, place: tuple[str, ...], pattern: str) -> None:
        """A pattern that means nothing is a mistake: whoever wrote it believes that somebody sees something."""
        of_channel, parted, of_part = pattern.partition(":")
        said = self._declarations
        known = {**said.channels, **said.feeds, **said.retired_channels, **said.retired_feeds}
        meant = [name for name in known if fnmatchcase(name, of_channel)]
        if not meant:
            self._refuse(place, pattern, f"no channel or feed has such a name; {_nearest(of_channel, known)}")
        elif parted and not of_part:
            self._refuse(place, pattern, "name a part after the colon, or * for every one")
        elif parted and not any(self._is_in_parts(name) for name in meant):
            remedy = f"no channel that it means is kept in parts: leave {':' + of_part!r} out, or declare parts="
            self._refuse(place, pattern, remedy)

    def _is_in_parts(self, name: str) -> bool:
        channel = self._declarations.channels.get(name) or self._declarations.retired_channels.get(name)
        return channel is not None and channel.partition is not None


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, 1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
