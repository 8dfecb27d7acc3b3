"""Feed: the text of a feed file."""

from __future__ import annotations

from collections.abc import Iterator

from services.samples.draft import DraftType, FeedDraft, FieldDraft

_TYPES: dict[DraftType, str] = {
    "text": "Text", "number": "Number", "integer": "Integer", "flag": "Flag", "moment": "Moment",
}  # fmt: skip
_CHANNELS = ("Newest", "Lately", "Course", "Entries")
_NUMBERS_MAX = 4
"""So many numbers of a feed are drawn; the others are in its table."""


def class_of(draft: FeedDraft) -> str:
    """`OrderLines` of `order_lines`; no name that a channel has, or that is imported."""
    name = "".join(part.capitalize() for part in draft.name.split("_"))
    return f"{name}Feed" if name in {*_CHANNELS, *_names(draft), "Poll"} else name


def drawn(draft: FeedDraft) -> tuple[FieldDraft, ...]:
    return draft.numbers[:_NUMBERS_MAX]


def feed_text(draft: FeedDraft) -> str:
    """The whole file."""
    return "\n".join([*_head(draft), *(_poll(draft) if draft.polled else ()), *_feed(draft), *_channels(draft), ""])


def _names(draft: FeedDraft) -> list[str]:
    names = {"Feed", "Freshness", "History", "Latest", "Log", "count", *(_TYPES[one.type] for one in draft.fields)}
    names |= {"Series", "mean"} if draft.numbers else set()
    return sorted(names | ({"Source"} if draft.polled else {"Http"}), key=lambda one: (one.islower(), one))


def _head(draft: FeedDraft) -> Iterator[str]:
    how = f"asked for every {draft.every_s:g} s" if draft.polled else f"posted to /api/ingest/{draft.name}"
    yield f'"""{draft.name.replace("_", " ").capitalize()}: {how}."""'
    yield ""
    if draft.polled:
        yield from ("import os", "", "import requests", "")
    yield f"from headwater import {', '.join(_names(draft))}"
    yield ""


def _poll(draft: FeedDraft) -> Iterator[str]:
    variable = f"{draft.name.upper()}_URL"
    yield f'''
class Poll(Source):
    """Asks the address in {variable}, which answers with a JSON array of records."""

    title = "polled every {draft.every_s:g} s"

    def __init__(self) -> None:
        self.every_s = {float(draft.every_s)}

    def run(self, intake) -> None:
        while True:
            address = os.environ.get("{variable}")
            if not address:
                raise LookupError("{variable} is not set; give the address that answers with the records")
            answer = requests.get(address, timeout=10)
            answer.raise_for_status()
            intake.accept(answer.json())
            if intake.wait(self.every_s):
                return
'''


def _feed(draft: FeedDraft) -> Iterator[str]:
    history = draft.history
    kept = f"days={history.days:g}" + (f", hourly_days={history.hourly_days:g}" if history.hourly_days else "")
    times = (draft.every_s, draft.late_after_s, draft.stale_after_s)
    every, late, stale = (f"{one:g}" for one in times)
    yield f'''
class {class_of(draft)}(
    Feed,
    name="{draft.name}",
    key="{draft.key}",
    source={"Poll()" if draft.polled else "Http()"},
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
