"""Status list: the rows of a `Latest`, each with its state: what is wrong stands first, and says so in a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.block import (
    ChannelLike,
    Thresholds,
    check_column,
    decimals_of,
    is_numeric,
    label_columns,
    live_column,
    refuse,
    shown_channel,
    type_of,
    unit_and_limits,
)
from components.formula import formula_in_words, meaning_of
from components.freshness import Fact
from components.painted import Painted, painted
from services.declare import Column

_KINDS = {"latest": "", "series": "a state is of a row: give a Latest, or use chart()",
          "log": "a state is of a row: give a Latest, or use log()"}
_LEVELS = {"ok": "fine", "warn": "a warning", "bad": "bad"}


def status_list(
    state: Column,
    *,
    of: ChannelLike | None = None,
    label: Column | Sequence[Column] | None = None,
    detail: Sequence[Column] = (),
    ok: Sequence[str] = (),
    warn: Sequence[str] = (),
    bad: Sequence[str] = (),
    warn_above: float | None = None,
    bad_above: float | None = None,
    warn_below: float | None = None,
    bad_below: float | None = None,
    scale: float = 1.0,
    unit: str | None = None,
    decimals: int | None = None,
    title: str | None = None,
    rows: int | None = None,
) -> Painted:
    """The rows of a `Latest` by their state: bad ones first, then warnings, then those that are fine.

    Of a text `ok`, `warn` and `bad` name the values (one that none of them names is unknown); of a number limits say
    it, in the shown unit. `label` is what a row is called, `detail` what else it says; `rows` is how many are seen
    before it scrolls. Raises DeclarationError with file, name, value and remedy where these do not fit together.
    """
    what, ref, column = shown_channel("status_list", state, of, _KINDS)
    limits = Thresholds.read(warn_above, bad_above, warn_below, bad_below)
    words = _words(what, column, {"ok": ok, "warn": warn, "bad": bad})
    _check_meaning(what, column, words, limits, scale)
    if rows is not None and not 1 <= rows <= 100:
        refuse(f"{what}.rows", rows, "give 1 to 100 rows")
    named = label_columns(what, ref.channel, label)
    more = [check_column(f"{what}.detail", ref.channel, one) for one in detail]
    shown_unit = column.unit if unit is None else unit
    facts: list[Fact] = [("Definition", meaning_of(column, ref.channel)),
                         ("Formula", formula_in_words(column, ref.channel, scale)),
                         *_words_told(words), *unit_and_limits(shown_unit, limits)]
    options: dict[str, Any] = {
        "state": {**live_column(column), "unit": shown_unit,
                  "decimals": decimals if decimals is not None else decimals_of(column)},
        "label": [one.name for one in named], "detail": [live_column(one) for one in more], "words": words,
        "thresholds": limits.levels(), "direction": limits.direction, "scale": scale, "rows": rows,
    }
    return painted("status_list", ref, fields=list(dict.fromkeys([*named, column, *more])), options=options,
                   facts=facts, title=title or ref.channel.title, empty="No rows yet")


def _words(what: str, column: Column, said: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Which value of a text is which level; refuses one that is named twice, and a text where a list is meant."""
    found: dict[str, str] = {}
    for level, values in said.items():
        if isinstance(values, str):
            refuse(f"{what}.{level}", values, f"give a list: {level}=[{values!r}]")
        for value in values:
            if value in found:
                refuse(f"{what}.{level}", value, f"it is named as {found[value]} already: name it once")
            found[value] = level
    if found and is_numeric(column) and column.value_type != "flag":
        refuse(what, type_of(column), "a number has limits, for example warn_above=80; ok, warn and bad name texts")
    return found


def _check_meaning(what: str, column: Column, words: Mapping[str, str], limits: Thresholds, scale: float) -> None:
    """Refuse a state of which nobody says what is bad."""
    if limits.levels() and not is_numeric(column):
        refuse(what, type_of(column), "only numbers have limits: name values, for example ok=['up'], bad=['down']")
    if scale != 1.0 and not is_numeric(column):
        refuse(f"{what}.scale", scale, "only numbers have a scale: leave it out")
    if not words and not limits.levels():
        remedy = "give limits, for example warn_above=80" if is_numeric(column) else "name values: ok=['up'], bad=[…]"
        refuse(what, column, f"nothing says what is good and what is bad: {remedy}")


def _words_told(words: Mapping[str, str]) -> list[Fact]:
    by_level = {level: [word for word, one in words.items() if one == level] for level in _LEVELS}
    told = "; ".join(f"{', '.join(found)}: {_LEVELS[level]}" for level, found in by_level.items() if found)
    return [("States", f"{told}; any other: unknown")] if told else []
