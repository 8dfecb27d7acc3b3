"""Page: what a page module declares, and the layout made from it.

A page module assigns `page(title, path, blocks...)` to a name; nothing else is needed. The page knows
its channels, so it also knows whether its data is recorded and has to be labelled so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import data
from components.block import Block, refuse, where_declared
from components.callback import PageCallback
from components.choice import check_choice, chooser, chosen_refs
from components.hint import hint
from components.layout import Grid, Part, Row, blocks_of, choosing, draw_parts, left_of, members_of
from components.live import LiveId
from components.painted import OWN_PAINTERS
from components.status import StatusId
from services.declare import ChannelRef, DeclarationError, Declarations, FeedSpec, Field, Retired, raised

_PATH = re.compile(r"^/([a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*)?$")
_OUR_IDS = frozenset(map(str, (*LiveId, *StatusId)))
_RESERVED = ("api", "assets", "live", "status", "healthz", "readyz", "metrics", "sign-in", "sign-out")


@dataclass(frozen=True, slots=True)
class Page:
    """A checked page; made by `page()`."""

    title: str
    path: str
    parts: tuple[Part, ...]
    about: str
    order: int
    declared_at: str
    choose: Field | None
    retired: Retired | None = field(default=None, kw_only=True)
    """Since when it is there no more: then it says so, and leads to its successor."""
    callbacks: tuple[PageCallback, ...] = field(default=(), kw_only=True)
    """What its own Dash components do on the server."""
    must_choose: bool = field(default=False, kw_only=True)
    """Whether its reader may see single values of `choose` alone: then there is no choice of all."""

    @property
    def slug(self) -> str:
        """The page's name in ids and in Dash's registry."""
        return self.path.strip("/").replace("/", "-") or "home"

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Its live components, in order."""
        return tuple(block for part in self.parts for block in blocks_of(part))

    @property
    def refs(self) -> tuple[ChannelRef, ...]:
        """The channels that it shows, each once, in order."""
        return self.shown()

    def shown(self, value: str | None = None) -> tuple[ChannelRef, ...]:
        """The channels that it shows with a value of its `choose` chosen, each once, in order."""
        return tuple(dict.fromkeys(ref for block in self.blocks for ref in chosen_refs(block, value)))

    @property
    def feeds(self) -> tuple[FeedSpec, ...]:
        """The feeds behind its channels, each once, in order."""
        return tuple({ref.channel.feed.name: ref.channel.feed for ref in self.refs}.values())

    @property
    def own_ids(self) -> frozenset[str]:
        """The ids of the Dash components that stand between its blocks, and of what is in them."""
        plain = (one for part in self.parts for one in members_of(part) if isinstance(one, Component))
        found = (getattr(each, "id", None) for one in plain for each in (one, *one._traverse()))
        return frozenset(one for one in found if isinstance(one, str))

    @property
    def recorded(self) -> tuple[str, ...]:
        """The titles of the recorded data that it replays; empty where all is live."""
        return tuple(dict.fromkeys(feed.source.title for feed in self.feeds if feed.source.recorded))

    def layout(self, /, **_parameters: object) -> Component:
        """What Dash shows at its path; needs no request, and takes the query parameters Dash hands over."""
        uids = (f"{self.slug}-{number}" for number in range(len(self.blocks)))
        choice = [] if self.choose is None else [chooser(self.choose, self.blocks, must_choose=self.must_choose)]
        heading = [html.H1(self.title, className="page-title"), *choice, *self._notes()]
        hints = [hint(feed) for feed in self.feeds if feed.source.posted]
        return html.Article(
            [html.Header(heading, className="page-head"), *hints, *draw_parts(self.parts, uids)],
            className="page", **data(page=self.slug),
        )

    def seen_by(self, way: Callable[[Block], str]) -> Page | None:
        """The page with the components that somebody may see, None where there is none left.

        `way` says of each how: `whole`, by a choice in `parts`, or '' not at all.
        """
        ways = {id(block): way(block) for block in self.blocks}
        if not ways or all(found == "whole" for found in ways.values()):
            return self
        if not any(ways.values()):
            return None
        parts = tuple(left for part in self.parts if (left := left_of(part, ways)) is not None)
        return replace(self, parts=parts, must_choose="parts" in ways.values())

    def _notes(self) -> list[Component]:
        about = [html.P(self.about, className="page-about")] if self.about else []
        labels = [
            html.P(["Recorded data, replayed: ", html.Strong(title)], className="recorded", role="note")
            for title in self.recorded
        ]
        return [*about, *labels]

    def check(self, declarations: Declarations, painters: Collection[str] = ()) -> None:
        """Raise DeclarationError where it shows a channel that no loaded feed file declares, or needs a painter that is
        neither ours nor among the project's `painters`."""
        for block in self.blocks:
            if block.painter is not None and block.painter not in OWN_PAINTERS and block.painter not in painters:
                known = ", ".join(sorted(OWN_PAINTERS.union(painters)))
                remedy = f"write painters/{block.painter}.mjs beside the folder of the pages, or name one of {known}"
                raise DeclarationError(block.declared_at, f"painted({block.painter!r})", block.painter, remedy)
            for ref in block.refs:
                if declarations.channels.get(ref.channel.name) is not ref.channel:
                    gone = declarations.retirement(ref.name)
                    remedy = "declare the channel in a feed file that is loaded" if gone is None else gone.in_words()
                    raise DeclarationError(block.declared_at, f"page {self.title!r}", ref.name, remedy)


def page(
    title: str, path: str, *parts: Part, about: str = "", order: int = 50, choose: Field | None = None,
    retired: Retired | None = None,
) -> Page:
    """Declare a page: its title, its path, and what it shows from top to bottom.

    `order` places it in the navigation (the page at `/` comes first). `choose` is a field by whose values its reader
    may choose: then every component that can shows one value alone. A `retired` page needs no parts: it says since when
    it is there no more, and leads to its successor, a path. Raises DeclarationError with file, name, value and remedy
    where the page is declared wrongly.
    """
    if not title.strip():
        refuse("page().title", title, "give the page a title")
    what = f"page({title!r})"
    if not _PATH.match(path):
        refuse(f"{what}.path", path, "give a path such as '/orders': lower-case letters, digits, - and _")
    if path.split("/")[1] in _RESERVED:
        refuse(f"{what}.path", path, f"these are taken: {', '.join('/' + name for name in _RESERVED)}")
    if retired is not None:
        if retired.successor and not _PATH.match(retired.successor):
            refuse(f"{what}.retired", retired.successor, "name the page that took its place by its path")
        return Page(title, path, (_farewell(retired),), about, order, where_declared(), None, retired=retired)
    if not parts:
        refuse(what, parts, "give it at least one block, for example tile(LastHour.departures)")
    for part in parts:
        if not isinstance(part, Block | Row | Grid | Component):
            refuse(what, part, "give rows, grids, tiles, charts, tables, logs and the like, or Dash components")
    made = Page(title, path, parts, about, order, where_declared(), None)
    if choose is None:
        return made
    chosen = check_choice(f"{what}.choose", choose, made.blocks)
    return replace(made, parts=tuple(choosing(part, chosen) for part in parts), choose=chosen)


def _farewell(retired: Retired) -> Component:
    words: list[Any] = [f"This page is retired since {retired.since}."]
    if retired.successor:
        words += [" What took its place: ", dcc.Link(retired.successor, href=retired.successor)]
    return html.P(words, className="hint")


def read_pages(
    modules: Iterable[ModuleType], refused: Callable[[DeclarationError], None] = raised
) -> tuple[Page, ...]:
    """Collect the pages of the modules in the order of the navigation.

    Raises DeclarationError where a path or a title is taken twice. `refused` is given that error instead; that page is
    then left out.
    """
    found: dict[int, Page] = {}
    for module in modules:
        try:
            found |= {id(declared): made for declared, made in with_callbacks(module)}
        except DeclarationError as error:
            refused(error)
    kept: list[Page] = []
    for one in in_order(found.values()):
        try:
            _check_unique(one, kept)
        except DeclarationError as error:
            refused(error)
        else:
            kept.append(one)
    return tuple(kept)


def with_callbacks(module: ModuleType) -> list[tuple[Page, Page]]:
    """Each page of the module as it is declared, and with those of the module's callbacks that are its own.

    A callback belongs to the page that has the component which it writes to. Raises DeclarationError where none has.
    """
    pages = [one for one in vars(module).values() if isinstance(one, Page)]
    own: dict[int, list[PageCallback]] = {id(page): [] for page in pages}
    written: dict[str, PageCallback] = {}
    ids = {id(page): page.own_ids for page in pages}
    for one in vars(module).values():
        if not isinstance(one, PageCallback):
            continue
        wanted = one.outputs[0].component_id
        home = next((page for page in pages if isinstance(wanted, dict) or wanted in ids[id(page)]), None)
        if home is None:
            remedy = "no component of this file's pages has that id: give it to the one that is to be written to"
            raise DeclarationError(one.declared_at, one.what, wanted, remedy)
        for output in map(str, one.outputs):
            if output in written:
                remedy = f"{written[output].what} writes to it already; let one callback do it"
                raise DeclarationError(one.declared_at, one.what, output, remedy)
            written[output] = one
        own[id(home)].append(one)
    return [(page, replace(page, callbacks=tuple(own[id(page)])) if own[id(page)] else page) for page in pages]


def in_order(pages: Iterable[Page]) -> list[Page]:
    """As the navigation lists them."""
    return sorted(pages, key=lambda one: (one.path != "/", one.order, one.title))


def _check_unique(one: Page, others: Sequence[Page]) -> None:
    """All pages share one document: what is told apart by a name has one that no other has."""
    ids = one.own_ids
    for other in others:
        for known in sorted(ids & other.own_ids):
            remedy = f"a component of the page at {other.declared_at} has this id; give another"
            raise DeclarationError(one.declared_at, f"page({one.title!r})", known, remedy)
    for known in sorted(ids & _OUR_IDS):
        raise DeclarationError(one.declared_at, f"page({one.title!r})", known, "the frame has this id; give another")
    for what in ("path", "title"):
        value = getattr(one, what)
        taken = next((other for other in others if getattr(other, what) == value), None)
        if taken is not None:
            remedy = f"already the {what} of the page at {taken.declared_at}; give another"
            raise DeclarationError(one.declared_at, f"page({one.title!r}).{what}", value, remedy)
