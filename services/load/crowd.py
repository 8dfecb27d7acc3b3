"""Crowd: viewers that behave like people: open a page, look, change page, filter, hide the tab, lose the network."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import requests

from services.load.sight import LOST_S, Sight
from services.load.tab import PING_EVERY_S, Tab, TabRefused, open_tab

WATCHING_MAX = 40
LOOKS_S = (3.0, 12.0)
HIDDEN_S = (2.0, 8.0)
AWAY_S = (0.3, 2.0)
BACK_WITHIN_S = 30.0
Act = Literal["look", "page", "filter", "hide", "lose"]
_ACTS: dict[Act, int] = {"look": 6, "page": 3, "filter": 2, "hide": 2, "lose": 1}
"""What a viewer does next, and how often of all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its path, the channels that it subscribes to, and those of each of its choices."""

    path: str
    channels: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...] = ()


class Crowd:
    """Up to `wanted` viewers; those that are too many stay as they are until the end. Runs on one asyncio loop."""

    def __init__(self, url: str, cookie: str, pages: Sequence[Shown], sight: Sight, seed: int = 0) -> None:
        self._url, self._cookie, self._pages, self._sight = url, cookie, pages, sight
        self._random = random.Random(seed)  # noqa: S311 - what people do next is no secret
        self._http = requests.Session()
        self._viewers: list[asyncio.Task[None]] = []
        self._tabs: dict[Tab, None] = {}
        self._pinging: asyncio.Task[None] | None = None

    @property
    def open(self) -> int:
        """How many hold a socket now."""
        return sum(not tab.closed.is_set() for tab in self._tabs)

    async def grow(self, wanted: int, within_s: float) -> None:
        """Let viewers come, evenly, until there are so many."""
        if self._pinging is None:
            self._pinging = asyncio.create_task(self._ping())
        coming = wanted - len(self._viewers)
        for _ in range(coming):
            watches = len(self._viewers) < WATCHING_MAX
            self._viewers.append(asyncio.create_task(self._live(watches)))
            await asyncio.sleep(within_s / coming)

    async def leave(self) -> None:
        """All of them close their tabs."""
        tasks = [*self._viewers, *([self._pinging] if self._pinging else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for tab in self._tabs:
            tab.lose()
        self._http.close()

    async def _ping(self) -> None:
        """Each second what is seen is noted, and every other tab says that it is there."""
        for second in itertools.count():
            await asyncio.sleep(PING_EVERY_S / 2)
            for tab in list(self._tabs):
                tab.note_second()
                if (tab.number + second) % 2:
                    tab.ping()

    async def _live(self, watches: bool) -> None:
        """One viewer, until the crowd leaves; who is refused tries again, as people do."""
        page = self._random.choice(self._pages)
        while True:
            try:
                tab = await self._arrive(page, watches)
            except (OSError, TimeoutError, TabRefused, requests.RequestException) as fault:
                self._sight.note("first_value", LOST_S)
                self._sight.tally("not opened")
                self._sight.tally(f"not opened: {type(fault).__name__}: {fault}"[:120])
                await asyncio.sleep(self._random.uniform(1, 3))
                continue
            page = await self._stay(tab, page, watches)

    async def _arrive(self, page: Shown, watches: bool) -> Tab:
        """Open the page and its socket; notes how long it took until a first value was there."""
        began = time.monotonic()
        await self._fetch(page)
        tab = await self._connected(page, watches)
        self._sight.note("first_value", time.monotonic() - began)
        return tab

    async def _fetch(self, page: Shown) -> None:
        headers = {"Cookie": self._cookie} if self._cookie else {}
        answer = await asyncio.to_thread(self._http.get, f"{self._url}{page.path}", headers=headers, timeout=15)
        answer.raise_for_status()

    async def _connected(self, page: Shown, watches: bool, before: Tab | None = None) -> Tab:
        tab = await open_tab(self._url, self._cookie, self._sight, watches=watches)
        self._tabs[tab] = None
        if before is not None:
            tab.positions = dict(before.positions)
        tab.subscribe(page.channels)
        try:
            async with asyncio.timeout(BACK_WITHIN_S):
                await asyncio.shield(tab.first)
        except BaseException:
            tab.lose()
            self._tabs.pop(tab, None)
            raise
        return tab

    async def _stay(self, tab: Tab, page: Shown, watches: bool) -> Shown:
        """Act until the socket is gone for good; returns with the page that is open then."""
        while not tab.closed.is_set():
            await asyncio.sleep(self._random.uniform(*LOOKS_S))
            act = self._random.choices(list(_ACTS), list(_ACTS.values()))[0]
            self._sight.tally(f"act: {act}")
            if act == "page":
                page = self._random.choice(self._pages)
                await self._turn_to(tab, page)
            elif act == "filter" and page.choices:
                tab.subscribe(self._random.choice(page.choices))
            elif act == "hide":
                tab.hidden = True
                await asyncio.sleep(self._random.uniform(*HIDDEN_S))
                tab.hidden = False
            elif act == "lose":
                tab = await self._lost_and_back(tab, page, watches)
        self._tabs.pop(tab, None)
        return page

    async def _turn_to(self, tab: Tab, page: Shown) -> None:
        try:
            await self._fetch(page)
        except requests.RequestException:
            self._sight.note("first_value", LOST_S)
            return
        tab.subscribe(page.channels)

    async def _lost_and_back(self, tab: Tab, page: Shown, watches: bool) -> Tab:
        """The network goes and comes; from then on it counts until values are there again."""
        tab.lose()
        self._tabs.pop(tab, None)
        await asyncio.sleep(self._random.uniform(*AWAY_S))
        began = time.monotonic()
        try:
            back = await self._connected(page, watches, tab)
        except (OSError, TimeoutError, TabRefused):
            self._sight.note("reconnect", LOST_S)
            return tab
        self._sight.note("reconnect", time.monotonic() - began)
        return back
