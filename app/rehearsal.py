"""Rehearsal: a project without a browser. Events are posted, and the values that its pages show are read.

Broker, ingestion and processor are the real ones, in this process; what is posted is processed when `post` returns.
The fixture `headwater` of pytest gives one, see `headwater/fixtures.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from app.loading import Project, load_declarations, load_pages
from services.archive.frames import state_frame
from services.broker import Broker
from services.declare import Channel, ChannelRef, Column, Declarations, Feed, FeedSpec
from services.embedded import EmbeddedBroker
from services.ingestion import RECORDS_MAX, Ingestion
from services.processor import Processor
from services.reducers.rows import ALL
from services.state import Data, state_of
from services.telemetry import Telemetry

if TYPE_CHECKING:
    from pandas import DataFrame

Row: TypeAlias = dict[str, Any]
Named: TypeAlias = type[Channel] | ChannelRef | str
"""A channel, one of its parts, or its name: a test may import a project's files under another name than Headwater."""


class Shown:
    """The values of some channels, as a viewer's snapshot holds them."""

    def __init__(
        self, declarations: Declarations, read: Callable[[ChannelRef], Data], what: str = "",
        shown: frozenset[str] | None = None,
    ) -> None:
        """`what` shows the channels `shown`; every one where these are not given."""
        self._declarations, self._read, self._what, self._shown = declarations, read, what, shown

    def rows(self, channel: Named) -> dict[str, Row]:
        """The rows of a `Latest`, by key."""
        found: dict[str, Row] = self._data(channel, "latest")["rows"]
        return found

    def entries(self, channel: Named) -> list[Row]:
        """The entries of a `Log`, newest last."""
        found: list[Row] = self._data(channel, "log")["entries"]
        return found

    def frame(self, channel: Named) -> DataFrame:
        """The channel as a callback of a page is given it."""
        ref = self._ref(channel)
        return state_frame(ref, self._data(ref, ref.channel.kind))

    def points(self, column: Column, group: str | None = None, of: Named | None = None) -> list[tuple[int, Any]]:
        """The points of an aggregate of a `Series`, of the line of one group where it is grouped: (ms, value)."""
        name = column.name if group is None else f"{column.name}:{group}"
        return [(at, value) for at, value in self._data(of or _owner(column), "series")["points"].get(name, [])]

    def value(self, column: Column, key: str | int | None = None, of: Named | None = None) -> Any:
        """One value of a `Latest`: of its single row, or of the row of that key; None where there is none yet.

        A field of a feed needs `of=`, the channel whose row it is.
        """
        return self.rows(of or _owner(column)).get(ALL if key is None else str(key), {}).get(column.name)

    def _data(self, channel: Named, kind: str) -> Data:
        ref = self._ref(channel)
        if self._shown is not None and ref.name not in self._shown:
            raise LookupError(f"{self._what} does not show {ref.name!r}; it shows {', '.join(sorted(self._shown))}")
        if ref.channel.kind != kind:
            raise LookupError(f"{ref.name!r} is a {ref.channel.kind}, not a {kind}")
        return self._read(ref)

    def _ref(self, channel: Named) -> ChannelRef:
        name = channel if isinstance(channel, str) else channel.name
        found = self._declarations.resolve(name)
        if found is None:
            raise LookupError(f"no channel {name!r}; there are {', '.join(sorted(self._declarations.channels))}")
        return found


def _owner(column: Column) -> type[Channel]:
    if not (isinstance(column.owner, type) and issubclass(column.owner, Channel)):
        raise LookupError(f"{column!r} is a field of a feed: add of=<the channel whose row it is>")
    return column.owner


class Rehearsal(Shown):
    """A project that runs in this process. Its own readings are of any channel, `page` has those of one page."""

    def __init__(self, project: Project, folder: Path) -> None:
        declarations = load_declarations(project)
        self._pages = {one.path: one for one in load_pages(declarations, project)}
        super().__init__(declarations, self._state)
        self._server = EmbeddedBroker(folder)
        self._broker = Broker(self._server.start(), lanes=len(declarations.lanes()))
        telemetry = Telemetry("rehearsal", "worker")
        self._ingestion = Ingestion(self._broker, declarations, telemetry)
        self._processor = Processor(self._broker, declarations, telemetry, worker="rehearsal")

    def close(self) -> None:
        self._broker.close()
        self._server.close()

    def post(self, feed: type[Feed] | str, *events: Mapping[str, Any]) -> None:
        """Post events as a client does, and process them. Raises ValueError where one is rejected."""
        if rejected := self._post(feed, events):
            raise ValueError(f"feed {self._feed(feed).name!r} rejected: {'; '.join(rejected)}")

    def rejections(self, feed: type[Feed] | str, *events: Mapping[str, Any]) -> list[str]:
        """Post events, and say of each that is rejected why: `wrong_type: price: ...`."""
        return self._post(feed, events)

    def page(self, path: str) -> Shown:
        """What the page at that path shows."""
        page = self._pages.get(path)
        if page is None:
            raise LookupError(f"no page at {path!r}; there are {', '.join(sorted(self._pages))}")
        shown = frozenset(ref.name for ref in page.refs)
        return Shown(self._declarations, self._state, f"page {path!r}", shown)

    def _post(self, feed: type[Feed] | str, events: Sequence[Mapping[str, Any]]) -> list[str]:
        spec, rejected = self._feed(feed), []
        for first in range(0, len(events), RECORDS_MAX):
            receipt = self._ingestion.accept(spec, [dict(one) for one in events[first : first + RECORDS_MAX]])
            rejected += [f"{one.reason}: {one.detail}" for one in receipt.rejected]
        self._processor.drain()
        return rejected

    def _feed(self, feed: type[Feed] | str) -> FeedSpec:
        name = feed if isinstance(feed, str) else feed.declaration.name
        if name not in self._declarations.feeds:
            raise LookupError(f"no feed {name!r}; there are {', '.join(sorted(self._declarations.feeds))}")
        return self._declarations.feeds[name]

    def _state(self, ref: ChannelRef) -> Data:
        state = state_of(ref.channel.kind, ref.channel.keep)
        state.load(self._broker.read_channel(ref).cells)
        return state.data()
