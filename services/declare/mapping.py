"""Mapping: where a feed's fields stand in what its source gives, declared once; the contract says the same of it.

Pure: a record goes in, a record of the feed's own fields comes out, or a `MappingFault` with the reason for which
ingestion refuses it. Nothing here knows what kind of source it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from services.declare.columns import Field
from services.declare.personal import PERSONAL
from services.declare.stamps import GivenTime
from services.declare.units import UnknownUnit, conversion

if TYPE_CHECKING:
    from services.declare.feeds import FeedSpec

Path = str | tuple[str | int, ...]
"""`quote.price`, `legs.0.gate`, or its steps one by one where a name holds a dot: `("a.b", "c")`."""
Problem = tuple[str, object, str]
ID_LENGTH = 128
AS_IT_IS = GivenTime("created_at")
"""How a time of a database is read that says its offset itself."""
_FLAGS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


class MappingFault(ValueError):
    """A record that cannot be mapped: the reason of its rejection, the field, and the text."""

    def __init__(self, reason: Literal["wrong_type", "bad_timestamp", "bad_id"], name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.reason: Literal["wrong_type", "bad_timestamp", "bad_id"] = reason
        self.detail = f"{name}: {detail}"


@dataclass(frozen=True, slots=True)
class Given:
    """A field as the source gives it: its path, its unit where that is not the field's, and its words for values.

    `factor` stands for a unit that the unit library does not know: cents to euros are `factor=0.01`. `words` replaces
    values: `{"Y": True, "N": False}`; what is not among them is left as it is.
    """

    path: Path
    unit: str = ""
    factor: float | None = None
    words: Mapping[Any, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """What of a source's record becomes which field. A field that is not named is taken by its own name.

    `fields`: field to `Given`, `GivenTime` (a Moment field), or a path. `created_at`: when the event happened.
    `id`: the path or paths whose values name an event, so that what comes twice counts once; `()` for none.
    `records`: the path of the list of records in one answer. `parse`: numbers and flags come as texts. `base`: where in
    a record the fields stand, so that their paths begin there; those of `id` and `created_at` do not.
    """

    fields: Mapping[str, Given | GivenTime | Path] = field(default_factory=lambda: MappingProxyType({}))
    created_at: GivenTime | None = None
    id: Path | Sequence[Path] | None = None
    records: Path = ""
    parse: bool = False
    base: Path = ""

    def split(self, answer: Any) -> list[Any]:
        """The records of one answer. Raises LookupError where they are not where they should be."""
        found = taken(answer, steps_of(self.records)) if self.records else answer
        if found is None:
            raise LookupError(f"no records at {in_text(self.records)!r}; name their path in mapping.records")
        return list(found) if isinstance(found, list) else [found]

    def problem(self, feed: FeedSpec) -> Problem | None:
        """What of the mapping cannot be meant for this feed: name, value and remedy; None where all is well."""
        return next(self._problems(feed), None)

    def _problems(self, feed: FeedSpec) -> Iterator[Problem]:
        for path in [*id_paths(self.id), *([self.records] if self.records else [])]:
            if problem := _path_problem(path):
                yield "source.mapping", path, problem
        for name, given in self.fields.items():
            if name not in feed.fields:
                yield f"source.mapping.fields[{name!r}]", name, f"no such field; name one of {sorted(feed.fields)}"
            elif problem := _given_problem(feed.fields[name], given):
                yield f"source.mapping.fields[{name!r}]", given, problem
        if self.created_at is not None:
            problem = _path_problem(self.created_at.path) or self.created_at.problem()
            if problem:
                yield "source.mapping.created_at", self.created_at, problem

    def reader(self, feed: FeedSpec) -> Callable[[Any], Any]:
        """The function that maps a record of this feed's source; it raises MappingFault."""
        readers = {name: _reader(one, self.fields.get(name, (name,)), self.parse) for name, one in feed.fields.items()}
        ids = [steps_of(path) for path in id_paths(self.id)]
        stamp, at = self.created_at, steps_of(self.created_at.path) if self.created_at else ("created_at",)
        base, personal = steps_of(self.base), feed.personal

        def read(record: Any) -> Any:
            if not isinstance(record, Mapping | list):
                return record  # ingestion says what is wrong with it
            found: dict[str, Any] = {}
            inner = taken(record, base)
            for name, reader in readers.items():
                try:
                    value = reader(inner)
                except (ValueError, TypeError, OverflowError, ArithmeticError) as error:
                    reason: Any = "bad_timestamp" if isinstance(self.fields.get(name), GivenTime) else "wrong_type"
                    raise MappingFault(reason, name, PERSONAL if name in personal else str(error)) from None
                if value is not None:
                    found[name] = value
            created = taken(record, at)
            if created is not None:
                found["created_at"] = _moment("created_at", stamp, created)
            named = _id_of(record, ids) if ids else taken(record, ("id",)) if self.id is None else None
            return found if named is None else {"id": named, **found}

        return read

    def described(self, feed: FeedSpec) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each field with where it comes from, in plain properties: for the contract, and for who looks it up."""
        for name, one in feed.fields.items():
            given = self.fields.get(name, (name,))
            yield name, _described(one, given)
        if self.created_at is not None:
            yield "created_at", {"path": in_text(self.created_at.path), **self.created_at.described()}
        if paths := id_paths(self.id):
            yield "id", {"path": " and ".join(map(in_text, paths))}


def steps_of(path: Path) -> tuple[str | int, ...]:
    """A path as its steps."""
    return path if isinstance(path, tuple) else tuple(path.split(".")) if path else ()


def in_text(path: Path) -> str:
    return ".".join(map(str, steps_of(path)))


def id_paths(rule: Path | Sequence[Path] | None) -> list[Path]:
    """The paths of an id rule. A tuple is several of them, as a list is: one nested path is written with dots."""
    if rule is None:
        return []
    return [rule] if isinstance(rule, str) else [one if isinstance(one, str | tuple) else str(one) for one in rule]


def taken(record: Any, steps: Sequence[str | int]) -> Any:
    """What stands at a path; None where nothing does."""
    for step in steps:
        if isinstance(record, Mapping):
            record = record.get(step)
        elif isinstance(record, list) and (isinstance(step, int) or step.isdigit()) and int(step) < len(record):
            record = record[int(step)]
        else:
            return None
    return record


def _path_problem(path: object) -> str | None:
    steps = path if isinstance(path, tuple) else path.split(".") if isinstance(path, str) else ()
    if not steps or not all(isinstance(step, int) or (isinstance(step, str) and step) for step in steps):
        return 'give a path such as "quote.price", or its steps as a tuple'
    return None


def _given_problem(one: Field, given: Given | GivenTime | Path) -> str | None:
    if problem := _path_problem(given.path if isinstance(given, Given | GivenTime) else given):
        return problem
    if isinstance(given, GivenTime):
        return given.problem() if one.value_type == "moment" else "a GivenTime is for a Moment field, or created_at"
    if not isinstance(given, Given) or (given.factor is None and not given.unit):
        return None
    if one.value_type not in ("number", "integer"):
        return f"a unit or factor is for a Number or Integer field; {one.name} is {one.value_type}"
    if given.factor is not None:
        return "give a unit or a factor, not both" if given.unit else None if given.factor else "give a factor but 0"
    if not one.unit:
        return f"{one.name} has no unit to convert to; give it one, or leave the unit out"
    try:
        conversion(given.unit, one.unit)
    except UnknownUnit as error:
        return f"{error}; give units of one kind, or a factor"
    return None


def _reader(one: Field, given: Given | GivenTime | Path, parse: bool) -> Callable[[Any], Any]:
    """The value of one field out of a record."""
    steps = steps_of(given.path if isinstance(given, Given | GivenTime) else given)
    if isinstance(given, GivenTime):
        return lambda record: None if (found := taken(record, steps)) is None else given.moment(found)
    if one.value_type == "moment":
        return lambda record: AS_IT_IS.moment(found) if isinstance(found := taken(record, steps), datetime) else found
    words = given.words if isinstance(given, Given) else {}
    convert = _converter(one, given)

    def read(record: Any) -> Any:
        found = taken(record, steps)
        if words and isinstance(found, str | int | float | bool) and found in words:
            found = words[found]
        if parse:
            found = parsed(one, found)
        return found if convert is None or found is None else convert(found)

    return read


def _converter(one: Field, given: Given | Path) -> Callable[[Any], Any] | None:
    if not isinstance(given, Given) or (given.factor is None and not given.unit):
        return None
    from fractions import Fraction

    from services.declare.units import Conversion

    # by its decimal digits: 0.01 is a hundredth, which no float is
    change = conversion(given.unit, one.unit) if given.unit else Conversion(Fraction(str(given.factor)))

    def convert(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{type(value).__name__} {str(value)[:40]!r}; a number is converted, nothing else")
        found = change(value)
        return round(found) if one.value_type == "integer" else found

    return convert


def parsed(one: Field, value: Any) -> Any:
    """What a text holds, by the type of its field; an empty one is nothing. Raises ValueError."""
    if one.value_type == "text":
        return value if value is None or isinstance(value, str | dict | list) else str(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        return None
    try:
        match one.value_type:
            case "number":
                return float(text)
            case "flag":
                return _FLAGS[text.lower()]
            case _:
                return int(text)
    except (ValueError, KeyError):
        wanted = {"number": "a number", "flag": "true or false"}.get(one.value_type, "a whole number")
        raise ValueError(f"{text[:40]!r}; send {wanted}") from None


def _moment(name: str, stamp: GivenTime | None, value: Any) -> Any:
    if stamp is None and not isinstance(value, datetime):
        return value  # in milliseconds already, or ingestion says that it is not
    try:
        return (stamp or AS_IT_IS).moment(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise MappingFault("bad_timestamp", name, str(error)) from None


def _id_of(record: Any, paths: Sequence[Sequence[str | int]]) -> str:
    """The values at the paths, joined; their hash where that is no id that may be sent."""
    parts = [taken(record, path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if part is None or isinstance(part, dict | list):
            raise MappingFault("bad_id", "id", f"nothing at {'.'.join(map(str, path))!r}, which names the event")
    # a part's own separator is doubled, so that ("a/b", "c") and ("a", "b/c") are two
    joined = "/".join(str(part).replace("/", "//") for part in parts)
    if joined and len(joined) <= ID_LENGTH and joined.isascii() and joined.isprintable():
        return joined
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def _described(one: Field, given: Given | GivenTime | Path) -> Mapping[str, Any]:
    if isinstance(given, GivenTime):
        return {"path": in_text(given.path), **given.described()}
    if not isinstance(given, Given):
        return {"path": in_text(given)}
    said: dict[str, Any] = {"path": in_text(given.path)}
    if given.unit:
        said["unit"] = f"{given.unit}, converted to {one.unit}"
    if given.factor is not None:
        said["factor"] = given.factor
    if given.words:
        said["words"] = ", ".join(f"{word!r} is {meaning!r}" for word, meaning in given.words.items())
    return said
