"""Draft: a feed as it may be declared, from what was answered or seen in a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.declare import History
from services.declare.feeds import DEFAULT_HISTORY

DraftType = Literal["text", "number", "integer", "flag", "moment"]


@dataclass(frozen=True, slots=True)
class FieldDraft:
    """A field; `about` says what of it is in doubt, if anything is; `path` where it stands in a record of the sample,
    where that is not its name.
    """

    name: str
    type: DraftType
    required: bool = True
    max_length: int = 200
    about: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class FeedDraft:
    """A feed. `every_s` is its refresh interval; `polled` whether we ask for it or it is posted to us.

    `time` is the expression of its `created_at`, `id_path` where its events' ids stand, where those are elsewhere.
    """

    name: str
    key: str
    fields: tuple[FieldDraft, ...]
    polled: bool
    every_s: float
    late_after_s: float
    stale_after_s: float
    lateness_s: float = 10.0
    cadence_s: int = 5
    history: History = DEFAULT_HISTORY
    time: str = ""
    id_path: str = ""

    @property
    def numbers(self) -> tuple[FieldDraft, ...]:
        return tuple(one for one in self.fields if one.type in ("number", "integer") and one.name != self.key)


def unseen(
    name: str, *, polled: bool, every_s: float, too_late_s: float, cadence_s: int, history: History
) -> FeedDraft:
    """A feed of which no sample was seen: a named value, to be replaced by what there is."""
    late = max(too_late_s, 2 * every_s)
    fields = (FieldDraft("item", "text"), FieldDraft("value", "number"))
    return FeedDraft(
        name, "item", fields, polled, every_s, late, max(3 * late, 30.0), cadence_s=cadence_s, history=history
    )
