"""Words: what an answer of the archive is called, and what its details say: definition, formula, window, source."""

from __future__ import annotations

from app.explore.question import WINDOWS, Question
from components.formula import duration, function_in_words
from components.freshness import Fact, feed_in_words
from services.archive.aggregating import Aggregation
from services.archive.exploring import Interval
from services.declare import Aggregate

_ABOUT = {"rate": "/s"}


def _aggregate(asked: Aggregation) -> Aggregate:
    unit = "" if asked.field is None else asked.field.unit
    return Aggregate(asked.function, asked.field, where=None, q=asked.q, unit=_ABOUT.get(asked.function, unit))


def unit_of(asked: Aggregation) -> str:
    return _aggregate(asked).unit


def decimals_of(asked: Aggregation) -> int:
    """The decimals that a value is shown with: those of its field, one more for a mean."""
    field = asked.field
    if field is None:
        return 2 if asked.function == "rate" else 0
    if field.value_type == "flag":
        return 3 if asked.function == "mean" else 0
    own = field.decimals if field.decimals is not None else 0 if field.value_type == "integer" else 1
    return own + 1 if asked.function == "mean" else own


def value_in_words(asked: Aggregation) -> str:
    """What is computed, as a label: `Mean of Delay`."""
    if asked.function == "quantile" and asked.field is not None:
        return f"p{100 * asked.q:g} of {asked.field.label}"
    words = function_in_words(_aggregate(asked))
    return words[0].upper() + words[1:]


def title_of(question: Question) -> str:
    asked = question.aggregation()
    source = question.source
    assert source is not None
    by = f" by {asked.by.label}" if asked.by else ""
    of = source.feed.name if source.ref is None else source.title
    where = f", where {source.feed.fields[question.where].label} is {question.is_}" if question.where else ""
    return f"{value_in_words(asked)}{by} · {of}{where}"


def facts_of(question: Question, interval: Interval) -> list[Fact]:
    """What the details of an answer say."""
    asked, source = question.aggregation(), question.source
    assert source is not None
    of = f"of the events of feed {source.feed.name}" if source.ref is None else f"of the events of {source.name}"
    each = f", {'a line' if question.form == 'chart' else 'a row'} for each {asked.by.label}" if asked.by else ""
    over = f"each window of {duration(interval.step_ms / 1000)}" if question.form == "chart" else "the whole interval"
    where = " and ".join(condition.describe() for condition in asked.conditions)
    unit, field = unit_of(asked), asked.field
    missing = f"; an event without {field.label} counts for none" if field is not None else ""
    window = f"{duration(interval.step_ms / 1000)}, drawn at its begin; the open one is incomplete, and drawn in dashes"
    return [
        ("Definition", f"{value_in_words(asked)} {of}{each}"),
        ("Formula", f"{function_in_words(_aggregate(asked))}, over {over}, by event time{missing}"),
        *([("Unit", unit)] if unit else []),
        *([("Only where", where)] if where else []),
        ("Interval", _interval_in_words(question)),
        *([("Window", window)] if question.form == "chart" else []),
        *([("Precision", "within 1 %: values are taken to three digits")] if asked.function == "quantile" else []),
        ("Source", f"the archive of {feed_in_words(source.feed)}"),
        ("Kept", f"{duration(86_400 * source.feed.history.days)} of events"),
        ("Freshness", "as of the time beside the title; it changes when it is asked again"),
    ]


def _interval_in_words(question: Question) -> str:
    if question.since is None:
        return f"the last {duration(WINDOWS[question.window] / 1000)} before the answer"
    return "the two times of the address, from the first up to and without the second"
