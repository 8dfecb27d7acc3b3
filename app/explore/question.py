"""Question: what an address asks, read parameter by parameter; what is wrong is said, and the rest still holds.

`of` a channel or feed; `show` it as `declared`, or an aggregate of its events; `field` that is meant; `q` a quantile's
rank; `by` a field that groups; `where` a field that `is` one value; `window` how far back, or `from` and `to`; `as` a
chart or a table; `refresh` in s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.explore.sources import May, Source, find
from app.past import read_time
from components.chart import LOOKBACK_MS
from services.archive.aggregating import FUNCTIONS, OF_A_FIELD, Aggregation, Function
from services.archive.exploring import Interval
from services.declare import Condition, Declarations, Field

DECLARED = "declared"
WINDOWS = {label.replace(" ", ""): span_ms for span_ms, label in LOOKBACK_MS.items()}
DEFAULT_WINDOW = "1h"
REFRESH = {"0": "by hand", "60": "every minute", "300": "every 5 minutes"}
LONGEST_MS = 366 * 86_400_000
PARAMETERS = ("of", "show", "field", "q", "by", "where", "is", "window", "from", "to", "as", "refresh")
VALUE_MAX = 60
FLAGS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Problem:
    """A parameter that is wrong: its name, what it was, and what is allowed."""

    parameter: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.parameter}: {self.value[:VALUE_MAX]!r}: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, with the defaults for what is not said; `source` None where nothing can be answered.

    `window` '' is a channel's own span, or an absolute interval from `since` until `until` (None is now). Of the events
    only those are meant whose field `where` `is` that value, as its text; '' is all of them.
    """

    source: Source | None
    show: str
    field: str
    q: float
    by: str
    window: str
    since: int | None
    until: int | None
    form: str
    refresh: str
    problems: tuple[Problem, ...] = ()
    where: str = ""
    is_: str = ""

    @property
    def is_declared(self) -> bool:
        return self.show == DECLARED

    def interval(self, now: int) -> Interval:
        if self.since is not None:
            return Interval.between(self.since, min(now, self.until or now))
        return Interval.last(WINDOWS[self.window or DEFAULT_WINDOW], now)

    def aggregation(self) -> Aggregation:
        """What is computed of which events, where it is not declared."""
        assert self.source is not None
        function: Function = next(one for one in FUNCTIONS if one == self.show)
        fields = self.source.feed.fields
        return Aggregation(
            self.source.feed, function, fields.get(self.field), self.q, fields.get(self.by),
            (*self.source.conditions, *self.chosen()),
        )

    def chosen(self) -> tuple[Condition, ...]:
        """Which of the source's events are meant, where not all of them are."""
        if self.source is None or not self.where:
            return ()
        field = self.source.feed.fields[self.where]
        value = value_of(field, self.is_)
        return () if value is None else (field.equals(value),)

    def asked(self) -> dict[str, str]:
        """The parameters of an address that asks the same; what is as it is by default is left out."""
        if self.source is None:
            return {}
        by_default = {"q": "0.5", "as": self._form_by_default(), "refresh": "0"}
        told = {
            "of": self.source.name, "show": self.show, "field": self.field,
            "q": f"{self.q:g}" if self.show == "quantile" else "", "by": self.by, "where": self.where, "is": self.is_,
            "window": self.window, "from": "" if self.since is None else str(self.since),
            "to": "" if self.until is None else str(self.until), "as": self.form, "refresh": self.refresh,
        }
        return {name: text for name, text in told.items() if text and text != by_default.get(name)}

    def _form_by_default(self) -> str:
        return "table" if self.is_declared and self.source is not None and not self.source.lines else "chart"


@dataclass(slots=True)
class _Reading:
    """An address that is being read, and what was found wrong in it."""

    asked: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str) -> str:
        return str(self.asked.get(name) or "")

    def refuse(self, name: str, remedy: str) -> None:
        self.problems.append(Problem(name, self.text(name), remedy))

    def one_of(self, name: str, known: Iterable[str], default: str) -> str:
        known, given = list(known), self.text(name)
        if given in known or not given:
            return given or default
        self.refuse(name, f"give one of {', '.join(known)}" if known else "leave it out")
        return default

    def nothing(self, name: str, why: str) -> None:
        if self.text(name):
            self.refuse(name, f"{why}: leave it out")


def read_question(asked: Mapping[str, Any], declarations: Declarations, may: May, now: int) -> Question:
    """The question of an address; what is wrong in it is among its problems, and as if it were not there."""
    reading = _Reading({name: str(asked[name]) for name in PARAMETERS if asked.get(name) is not None})
    source = find(declarations, reading.text("of"), may)
    if source is None:
        if reading.text("of"):
            reading.refuse("of", f"no channel or feed of that name; {_known(declarations, may)}")
        return Question(None, DECLARED, "", 0.5, "", "", None, None, "chart", "0", tuple(reading.problems))
    show = _read_show(reading, source)
    if show == DECLARED:
        return _read_declared(reading, source, now)
    numbers, grouping = source.numbers, source.grouping
    of_a_field = show in OF_A_FIELD
    chosen = ""
    if of_a_field and numbers:
        chosen = reading.one_of("field", numbers, next(iter(numbers)))
    elif not of_a_field:
        reading.nothing("field", f"{show} is of whole events")
    q = _read_q(reading) if show == "quantile" else 0.5
    if show != "quantile":
        reading.nothing("q", f"{show} has no rank")
    by = reading.one_of("by", grouping, "")
    where, is_ = _read_where(reading, grouping)
    since, until = _read_times(reading, now)
    window = "" if since is not None else reading.one_of("window", WINDOWS, DEFAULT_WINDOW)
    form, refresh = reading.one_of("as", ("chart", "table"), "chart"), reading.one_of("refresh", REFRESH, "0")
    problems = tuple(reading.problems)
    return Question(source, show, chosen, q, by, window, since, until, form, refresh, problems, where, is_)


def value_of(field: Field, text: str) -> str | int | bool | None:
    """A field's value by its text; None where it is no value of it."""
    if field.value_type == "integer":
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) else None
    return FLAGS.get(text) if field.value_type == "flag" else text or None


def _read_where(reading: _Reading, fields: Mapping[str, Field]) -> tuple[str, str]:
    """Which events are meant: a field and its value, '' and '' where it is all of them."""
    where, is_ = reading.one_of("where", fields, ""), reading.text("is")
    if not where:
        if not reading.text("where"):
            reading.nothing("is", "no field is named by where")
        return "", ""
    if value_of(fields[where], is_) is not None:
        return where, is_
    remedy = {"integer": "give a whole number", "flag": "give yes or no"}.get(fields[where].value_type, "give a value")
    reading.refuse("is", f"{where} is compared with it: {remedy}")
    return "", ""


def _read_show(reading: _Reading, source: Source) -> str:
    known = [*([DECLARED] if source.ref is not None else []), *(FUNCTIONS if source.counts_events else ())]
    if not source.numbers:
        known = [name for name in known if name not in OF_A_FIELD]
    return reading.one_of("show", known, known[0])


def _read_declared(reading: _Reading, source: Source, now: int) -> Question:
    """A channel as it is: a series as a chart with the windows that it has, all others as they are now."""
    for name in ("q", "by", "where", "is"):
        reading.nothing(name, f"{source.name} is shown as it is declared")
    lines, window, since, until, chosen = source.lines, "", None, None, ""
    if lines:
        chosen = reading.one_of("field", lines, next(iter(lines)))
        since, until = _read_times(reading, now)
        if since is None:
            known = [label.replace(" ", "") for _, label in source.chart(chosen).lookback()]
            window = reading.one_of("window", known, "")
    else:
        for name in ("field", "window", "from", "to"):
            reading.nothing(name, f"{source.name} is shown as it is now")
    form = "chart" if lines else "table"
    reading.one_of("as", [form], form)
    refresh = reading.one_of("refresh", REFRESH, "0") if since is not None else "0"
    return Question(
        source, DECLARED, chosen, 0.5, "", window, since, until, form, refresh, tuple(reading.problems)
    )


def _read_q(reading: _Reading) -> float:
    given = reading.text("q") or "0.5"
    try:
        q = float(given)
    except ValueError:
        q = -1.0
    if 0 <= q <= 1:
        return q
    reading.refuse("q", "give a rank between 0 and 1, for example 0.95")
    return 0.5


def _read_times(reading: _Reading, now: int) -> tuple[int | None, int | None]:
    """From when until when; None and None where the address names no times, or none that hold."""
    times: dict[str, int | None] = {"from": None, "to": None}
    for name in times:
        if given := reading.text(name):
            try:
                times[name] = read_time(name, given)
            except ValueError:
                reading.refuse(name, "give milliseconds since 1970 in UTC, or 2026-01-31T12:00:00Z")
    since, until = times["from"], times["to"]
    if since is None:
        if until is not None:
            reading.refuse("to", "give from as well")
        return None, None
    if not since < min(now, now if until is None else until):
        reading.refuse("from", "give a time before to, and before now")
        return None, None
    if (now if until is None else until) - since > LONGEST_MS:
        reading.refuse("from", "give an interval of at most 366 days")
        return None, None
    reading.nothing("window", "from says how far back")
    return since, until


def _known(declarations: Declarations, may: May) -> str:
    names = [name for name in (*declarations.feeds, *declarations.channels) if find(declarations, name, may)]
    return f"there are {', '.join(sorted(names))}"
