"""Columns: the fields of a feed, the aggregates of a channel, and conditions on fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from services.declare.channels import Channel
    from services.declare.feeds import Feed

FieldType = Literal["text", "number", "integer", "flag", "moment"]
Function = Literal["count", "rate", "sum", "mean", "min", "max", "quantile", "value"]
Operator = Literal["equals", "one_of", "at_least", "below", "present"]
E = TypeVar("E", bound=Mapping[str, Any])


@dataclass(frozen=True, slots=True)
class Condition:
    """A test on one field of an event; conditions join with `&`."""

    field: str
    operator: Operator
    value: Any = None
    also: tuple[Condition, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return Condition(self.field, self.operator, self.value, (*self.also, other))

    def passing(self, events: Sequence[E]) -> list[E]:
        """The events that pass, in their order; a missing field never passes."""
        passed = self._passing(events)
        for other in self.also:
            passed = other.passing(passed)
        return passed

    def _passing(self, events: Sequence[E]) -> list[E]:
        name, value = self.field, self.value
        match self.operator:
            case "equals":
                return [e for e in events if (found := e.get(name)) is not None and found == value]
            case "one_of":
                return [e for e in events if (found := e.get(name)) is not None and found in value]
            case "at_least":
                return [e for e in events if (found := e.get(name)) is not None and found >= value]
            case "below":
                return [e for e in events if (found := e.get(name)) is not None and found < value]
            case "present":
                return [e for e in events if e.get(name) is not None]

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, *(name for other in self.also for name in other.fields))

    def describe(self) -> str:
        """The condition in words, for a component's details."""
        words = {"equals": "is", "one_of": "is one of", "at_least": "≥", "below": "<", "present": "is present"}
        value = ", ".join(map(str, self.value)) if self.operator == "one_of" else self.value
        if isinstance(value, bool):
            value = "yes" if value else "no"
        own = f"{self.field} {words[self.operator]}" + ("" if self.operator == "present" else f" {value}")
        return " and ".join([own, *(other.describe() for other in self.also)])


class Column:
    """One named value of a row or series: a field of a feed or an aggregate of a channel."""

    value_type: FieldType = "number"

    def __init__(self, *, unit: str, decimals: int | None, label: str | None, about: str) -> None:
        self.unit, self.decimals, self._label, self.about = unit, decimals, label, about
        self.name = ""
        self.owner: type[Feed | Channel] | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.owner = name, owner

    @property
    def label(self) -> str:
        return self._label or self.name.replace("_", " ").capitalize()

    def __repr__(self) -> str:
        owner = self.owner.__name__ if self.owner else "?"
        return f"{owner}.{self.name}"


class Field(Column):
    """One field of a feed's events. `required`: an event without it is a rejection `missing_field`.

    `personal`: it is about a person: shown to who may see the channel, and in no log, sample, quarantine or trace.
    """

    def __init__(
        self,
        *,
        unit: str = "",
        decimals: int | None = None,
        label: str | None = None,
        about: str = "",
        required: bool = True,
        personal: bool = False,
    ) -> None:
        super().__init__(unit=unit, decimals=decimals, label=label, about=about)
        self.required, self.personal = required, personal

    def equals(self, value: str | float | bool) -> Condition:
        return Condition(self.name, "equals", value)

    def one_of(self, *values: str | float) -> Condition:
        return Condition(self.name, "one_of", tuple(values))

    def at_least(self, value: float) -> Condition:
        return Condition(self.name, "at_least", value)

    def below(self, value: float) -> Condition:
        return Condition(self.name, "below", value)

    def present(self) -> Condition:
        return Condition(self.name, "present")


class Text(Field):
    """A string of at most `max_length` characters."""

    value_type = "text"

    def __init__(
        self,
        *,
        label: str | None = None,
        about: str = "",
        required: bool = True,
        max_length: int = 200,
        personal: bool = False,
    ) -> None:
        super().__init__(label=label, about=about, required=required, personal=personal)
        self.max_length = max_length


class Number(Field):
    """A finite number, shown with `decimals` places in `unit`."""

    value_type = "number"


class Integer(Field):
    """A whole number between -2^53 and 2^53, the range that a browser keeps exact."""

    value_type = "integer"


class Flag(Field):
    """True or false; its mean is a share."""

    value_type = "flag"


class Moment(Field):
    """A point in time in integer milliseconds since the Unix epoch."""

    value_type = "moment"


class Aggregate(Column):
    """A function of a channel's events over its window; made by `count()`, `mean(...)` and the like."""

    def __init__(
        self,
        function: Function,
        field: Field | None,
        *,
        where: Condition | None,
        q: float | None = None,
        unit: str | None = None,
        decimals: int | None = None,
        label: str | None = None,
        about: str = "",
    ) -> None:
        inherited = field.unit if field is not None else ""
        super().__init__(unit=inherited if unit is None else unit, decimals=decimals, label=label, about=about)
        self.function: Function = function
        self.field, self.where, self.q = field, where, q

    @property
    def definition(self) -> str:
        """The aggregate in words: what is computed, of which field, where."""
        of = f" of {self.field.name}" if self.field is not None else " of events"
        name = f"{self.q:g} quantile (±1 %)" if self.function == "quantile" else self.function
        return name + of + (f" where {self.where.describe()}" if self.where else "")

    def signature(self) -> tuple[object, ...]:
        where = self.where.describe() if self.where else ""
        return (self.name, self.function, self.field.name if self.field else "", self.q, where)


def count(*, where: Condition | None = None, unit: str = "", label: str | None = None, about: str = "") -> Aggregate:
    """The number of events in the window."""
    return Aggregate("count", None, where=where, unit=unit, decimals=0, label=label, about=about)


def rate(
    *, where: Condition | None = None, unit: str = "/s", decimals: int = 1, label: str | None = None, about: str = ""
) -> Aggregate:
    """Events a second over the part of the window that has passed."""
    return Aggregate("rate", None, where=where, unit=unit, decimals=decimals, label=label, about=about)


class OfField:
    """A function that makes aggregates of one field; `where` limits the events, `unit` is the field's by default."""

    def __init__(self, function: Function) -> None:
        self._function: Function = function

    def __call__(
        self,
        field: Field,
        *,
        where: Condition | None = None,
        unit: str | None = None,
        decimals: int | None = None,
        label: str | None = None,
        about: str = "",
    ) -> Aggregate:
        return Aggregate(self._function, field, where=where, unit=unit, decimals=decimals, label=label, about=about)


sum_ = OfField("sum")
"""The exactly rounded sum of a field; every order of events gives the same digits."""
mean = OfField("mean")
"""The mean of a field; of a flag, the share that is true. No events, no value."""
minimum = OfField("min")
"""The least value of a field."""
maximum = OfField("max")
"""The greatest value of a field."""
value = OfField("value")
"""The newest value of a field; in a series without a window, one point for each event."""


def quantile(
    field: Field,
    q: float,
    *,
    where: Condition | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    label: str | None = None,
    about: str = "",
) -> Aggregate:
    """The q-quantile of a field (0 ≤ q ≤ 1) from a mergeable sketch, within 1 % of the true value."""
    return Aggregate("quantile", field, where=where, q=q, unit=unit, decimals=decimals, label=label, about=about)
