"""Changes: what differs between a locked statement and the one that is declared now, one difference for each change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from services.contract.kinds_of_change import (
    ABSORBED,
    SHOWN,
    Kind,
    is_shown,
    kind_of_new,
    kind_of_property,
    kind_of_thing,
)
from services.contract.statement import JOINED, Properties, Statement, kind_of, parent_of

What = Literal["changed", "new", "left out", "renamed", "exchanged"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One change. `name` is the property that changed, empty where it is a whole thing; None is not said."""

    key: str
    what: What
    kind: Kind
    name: str = ""
    before: Any = None
    after: Any = None
    former: str = ""
    """The key that it had, where it is another one now."""


def differences(former: Statement, now: Statement) -> list[Difference]:
    """All of them: things that are new, left out or called otherwise, then changed properties in order."""
    gone = _outermost([key for key in former if key not in now], former)
    come = _outermost([key for key in now if key not in former], now)
    found = list(_renamed(former, now, gone, come))
    found += _exchanged(gone, come)
    found += [Difference(key, "left out", kind_of_new(_top(key), kind_of(key))) for key in gone]
    found += [Difference(key, "new", kind_of_new(_top(key), kind_of(key))) for key in come]
    for key in now:
        if key in former:
            found += _changed(key, former[key], now[key])
    return found


def _top(key: str) -> str:
    return key.partition(JOINED)[0].partition(" ")[0]


def _outermost(keys: list[str], whole: Statement) -> list[str]:
    """Those that are not part of another: a feed that is new brings its channels along."""
    known = set(keys)
    return [key for key in keys if not any(parent in known for parent in _above(key))]


def _above(key: str) -> Iterator[str]:
    while key := parent_of(key):
        yield key


def _renamed(former: Statement, now: Statement, gone: list[str], come: list[str]) -> Iterator[Difference]:
    """Things of the same kind and place that say the same under another name; they leave both lists."""
    for old in list(gone):
        for new in come:
            same_place = (parent_of(old), kind_of(old)) == (parent_of(new), kind_of(new))
            if same_place and _whole(former, old) == _whole(now, new):
                gone.remove(old)
                come.remove(new)
                yield Difference(new, "renamed", kind_of_thing(_top(new), kind_of(new)), former=old)
                break


def _whole(statement: Statement, key: str) -> list[tuple[str, str]]:
    """A thing with all that belongs to it, without its name."""
    start = key + JOINED
    parts = {one[len(key) :]: said for one, said in statement.items() if one == key or one.startswith(start)}
    return sorted((one, json.dumps(said, sort_keys=True)) for one, said in parts.items())


def _exchanged(gone: list[str], come: list[str]) -> list[Difference]:
    """A tile or chart in the place of another on the same page: one change, not two."""
    found = []
    for old in [key for key in gone if is_shown(_top(key), kind_of(key))]:
        new = next((key for key in come if _place(key) == _place(old)), None)
        if new is not None:
            gone.remove(old)
            come.remove(new)
            found.append(Difference(new, "exchanged", SHOWN, former=old))
    return found


def _place(key: str) -> tuple[str, str]:
    return parent_of(key), kind_of(key)


def _changed(key: str, former: Properties, now: Properties) -> Iterator[Difference]:
    thing = kind_of(key)
    names = [name for name in _both(former, now) if former.get(name) != now.get(name)]
    absorbed = {part for name in names for part in ABSORBED.get((thing, name), ())}
    for name in names:
        if name not in absorbed:
            kind = kind_of_property(_top(key), thing, name)
            yield Difference(key, "changed", kind, name, former.get(name), now.get(name))


def _both(former: Properties, now: Properties) -> Iterable[str]:
    return dict.fromkeys([*now, *former])
