"""Menu: the pages, and what of each whoever asks may see; what he may not see is as if it were not there.

A page is there where one of its components is, and a component where its channel is, or a part of it that the page lets
its reader choose. Without a request nobody asks: then everything is drawn, to be checked and served to nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import Any, TypeAlias

from dash.development.base_component import Component
from flask import has_request_context

from components.block import Block
from components.page import Page
from services.accounts import Principal, can
from services.accounts.principal import can_some
from services.declare import ChannelRef

KINDS_MAX = 200
Kind: TypeAlias = tuple[Any, ...]
"""What principals that may see the same have in common; () where nobody asks."""


class Menu:
    """All pages of a web process, shown to each as he may see them."""

    def __init__(self, pages: tuple[Page, ...], asking: Callable[[], Principal | None]) -> None:
        self.all, self._asking = pages, asking
        self._pages = lru_cache(KINDS_MAX)(self._seen_by)
        self._ids = lru_cache(KINDS_MAX)(self._ids_on)
        self._known_ids = cache(lambda: frozenset(_ids(page.layout() for page in pages)))

    def who(self) -> Principal | None:
        """Who asks, None where nobody does."""
        return self._asking() if has_request_context() else None

    def kind(self) -> Kind:
        """What whoever asks has in common with others who may see the same."""
        if not has_request_context():
            return ()
        who = self._asking()
        return ("",) if who is None else (who.roles, who.channels, who.grants)

    def pages(self) -> tuple[Page, ...]:
        """The pages that whoever asks may see, each with those components alone."""
        return self._pages(self.kind())

    def page(self, path: str) -> Page | None:
        """The page at that path, None where there is none for whoever asks."""
        return next((page for page in self.pages() if page.path == path), None)

    def sees(self, ref: ChannelRef) -> bool:
        """Whether whoever asks may see that channel."""
        who = self.who()
        return who is not None and can(who, "view", ref.name)

    def forbidden(self, ids: Iterable[Any]) -> bool:
        """Whether one of these ids is of a component that whoever asks may not see."""
        named = {_as_text(one) for one in ids}
        return bool(named & (self._known_ids() - self._ids(self.kind())))

    def _seen_by(self, kind: Kind) -> tuple[Page, ...]:
        if not kind:
            return self.all
        if kind == ("",):
            return ()
        roles, channels, grants = kind
        who = Principal("", roles, (), channels, grants)
        if not (roles or channels or grants):
            return ()  # somebody without any role
        found = (page.seen_by(lambda block: _way_to_see(who, block)) for page in self.all)
        return tuple(page for page in found if page is not None)

    def _ids_on(self, kind: Kind) -> frozenset[str]:
        return frozenset(_ids(page.layout() for page in self._pages(kind)))


def _way_to_see(who: Principal, block: Block) -> str:
    """`whole` where he may see all that the block shows, `parts` where only by a choice, '' where neither."""
    if all(can(who, "view", ref.name) for ref in block.refs):
        return "whole"
    found = None if block.choose is None else block.following(block.choose)
    if found is None or "channel" not in found:
        return ""
    twins = [found["channel"], *filter(None, [found.get("trend")])]
    return "parts" if all(can_some(who, "view", twin) for twin in twins) else ""


def _ids(layouts: Iterable[Component]) -> Iterator[str]:
    for layout in layouts:
        for component in (layout, *layout._traverse()):
            one = getattr(component, "id", None)
            if one is not None:
                yield _as_text(one)


def _as_text(one: Any) -> str:
    return one if isinstance(one, str) else json.dumps(one, sort_keys=True, default=str)
