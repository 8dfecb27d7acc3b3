"""Feed: the text of a feed file."""

from __future__ import annotations

from collections.abc import Iterator

import headwater
from app.drafts.sources import SourceDraft, mapped, source_of
from services.samples.draft import DraftType, FeedDraft, FieldDraft

_TYPES: dict[DraftType, str] = {
    "text": "Text", "number": "Number", "integer": "Integer", "flag": "Flag", "moment": "Moment",
}  # fmt: skip
_CHANNELS = ("Newest", "Lately", "Course", "Entries")
_LINE_MAX = 120
_NUMBERS_MAX = 4
"""So many numbers of a feed are drawn; the others are in its table."""


def class_of(draft: FeedDraft) -> str:
    """`OrderLines` of `order_lines`; no name that a channel has, or that is imported."""
    name = "".join(part.capitalize() for part in draft.name.split("_"))
    return f"{name}Feed" if name in {*_CHANNELS, *dir(headwater)} else name


def drawn(draft: FeedDraft) -> tuple[FieldDraft, ...]:
    return draft.numbers[:_NUMBERS_MAX]


def feed_text(draft: FeedDraft, kind: str = "") -> str:
    """The whole file; `kind` is that of its source, by default what the draft says of it."""
    source = mapped(source_of(kind or ("http" if draft.polled else "posted"), draft.name, draft.every_s), draft)
    return "\n".join([*_head(draft, source), *_feed(draft, source), *_channels(draft), ""])


def _names(draft: FeedDraft, source: SourceDraft) -> list[str]:
    names = {"Feed", "Freshness", "History", "Latest", "Log", "count", *(_TYPES[one.type] for one in draft.fields)}
    names |= {"Series", "mean"} if draft.numbers else set()
    return sorted(names | set(source.names), key=lambda one: (one.islower(), one))


def _head(draft: FeedDraft, source: SourceDraft) -> Iterator[str]:
    yield f'"""{draft.name.replace("_", " ").capitalize()}: {source.means}."""'
    yield ""
    if source.needs_path:
        yield from ("from pathlib import Path", "")
    names = ", ".join(_names(draft, source))
    line = f"from headwater import {names}"
    yield line if len(line) <= _LINE_MAX else f"from headwater import (\n    {names},\n)"
    yield ""


def _feed(draft: FeedDraft, source: SourceDraft) -> Iterator[str]:
    history = draft.history
    kept = f"days={history.days:g}" + (f", hourly_days={history.hourly_days:g}" if history.hourly_days else "")
    times = (draft.every_s, draft.late_after_s, draft.stale_after_s)
    every, late, stale = (f"{one:g}" for one in times)
    yield f'''
class {class_of(draft)}(
    Feed,
    name="{draft.name}",
    key="{draft.key}",
    source={source.text()},
    freshness=Freshness(expected_every_s={every}, late_after_s={late}, stale_after_s={stale}, may_be_quiet=True),
    lateness_s={draft.lateness_s:g},
    history=History({kept}),
):
    """One record of {draft.name.replace("_", " ")}."""
'''
    yield from (f"    {_field(one)}" for one in draft.fields)
    yield ""


def _field(field: FieldDraft) -> str:
    said = []
    if field.about:
        said.append(f"about={_quoted(field.about)}")
    if not field.required:
        said.append("required=False")
    if field.type == "text" and field.max_length != 200:
        said.append(f"max_length={field.max_length}")
    return f"{field.name} = {_TYPES[field.type]}({', '.join(said)})"


def _channels(draft: FeedDraft) -> Iterator[str]:
    feed, numbers = class_of(draft), drawn(draft)
    windows = max(2, min(60, 60 // draft.cadence_s))
    yield f'''
class Newest(Latest, feed={feed}):
    """The newest record of each {draft.key.replace("_", " ")}."""


class Lately(Latest, feed={feed}, window_s={draft.cadence_s}, windows={windows}):
    """Of the last {windows * draft.cadence_s} s."""

    records = count()'''
    yield from (f"    mean_{one.name} = mean({feed}.{one.name})" for one in numbers)
    yield ""
    if numbers:
        yield f'''
class Course(Series, feed={feed}, window_s={draft.cadence_s}, span_s={draft.cadence_s * 300}):
    """Over time, every {draft.cadence_s} s."""

    records = count()'''
        yield from (f"    mean_{one.name} = mean({feed}.{one.name})" for one in numbers)
        yield ""
    yield f'''
class Entries(Log, feed={feed}, entries_max=100):
    """The newest records as they came."""'''


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
