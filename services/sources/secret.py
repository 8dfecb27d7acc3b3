"""Secret: `env:NAME` in a source's declaration stands for a variable of the environment, and is never shown.

A declaration is code, read by many and kept for ever; a secret belongs into the environment of the one process that
uses it. What was filled in is remembered, so that an error's text can be told without it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from services.sources.trouble import SourceTrouble

_NAMED = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_SHORTEST = 4
"""A shorter value is no secret, and hiding it would make texts unreadable."""


class Secrets:
    """Fills texts from the environment, and takes what was filled in out of others."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def filled(self, text: str) -> str:
        """The text with each `env:NAME` replaced. Raises SourceTrouble where a variable is not set."""
        return _NAMED.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        name = found[1]
        value = os.environ.get(name, "")
        if not value:
            raise SourceTrouble(f"{name} is not set; set it in the environment of the worker")
        self._remember(value, found[0])
        password = _password(value)
        if password:  # a client may show the rest of an address without it, or it alone
            self._remember(password, found[0])
            self._remember(unquote(password), found[0])
        return value

    def _remember(self, value: str, shown: str) -> None:
        if len(value) >= _SHORTEST:
            self._known[value] = shown

    def hidden(self, text: str) -> str:
        """The text without what was filled in."""
        for value in sorted(self._known, key=len, reverse=True):
            text = text.replace(value, self._known[value])
        return text


def named_in(declared: Iterable[object]) -> list[str]:
    """The variables that texts name, alone or in lists and tables, each once."""
    found: dict[str, None] = {}
    for one in declared:
        if isinstance(one, str):
            found |= dict.fromkeys(_NAMED.findall(one))
        elif isinstance(one, Mapping):
            found |= dict.fromkeys(named_in(one.values()))
        elif isinstance(one, list | tuple):
            found |= dict.fromkeys(named_in(one))
    return list(found)


def _password(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:
        return None


def password_problem(address: str) -> str | None:
    """The remedy where a password stands in a declaration itself, else None."""
    password = _password(address)
    if password and not _NAMED.fullmatch(password):
        return "a password stands in the file; give env:NAME in its place, or for the whole address"
    return None


def without_secrets(address: str) -> str:
    """The place that an address names, for a title: host and path, without user, password and question."""
    if _NAMED.fullmatch(address):
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{host}{parts.path.rstrip('/')}" or address.partition(":")[0]
