"""Audiences: which viewers have the same subscription, and which channels somebody watches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from services.gateway.publications import Publication
from services.gateway.viewers import Audience, Lag, Viewer


class Audiences:
    """All audiences of this process, by their set of channels; called in the loop's thread only."""

    def __init__(self) -> None:
        self._by_channels: dict[frozenset[Publication], Audience] = {}
        self._watching: dict[Publication, set[Audience]] = {}

    def __iter__(self) -> Iterator[Audience]:
        return iter(list(self._by_channels.values()))

    def __len__(self) -> int:
        return len(self._by_channels)

    def know(self, publication: Publication) -> None:
        """From now on it may be watched."""
        self._watching[publication] = set()

    def forget(self, publication: Publication) -> None:
        """Nobody watches it any more."""
        del self._watching[publication]

    def watching(self, publication: Publication) -> set[Audience]:
        """The audiences of a channel."""
        return self._watching.get(publication, set())

    def of(self, publications: Iterable[Publication]) -> list[Audience]:
        """The audiences of any of these channels, each once."""
        return list({audience: None for publication in publications for audience in self.watching(publication)})

    def join(self, viewer: Viewer, lag: Lag) -> None:
        """Put a viewer among those with the same channels; it lags until it is at head of all of them."""
        channels = frozenset(lag.positions)
        audience = self._by_channels.get(channels)
        if audience is None:
            audience = self._by_channels[channels] = Audience(channels)
            for publication in channels:
                self._watching[publication].add(audience)
        viewer.audience, viewer.lag = audience, lag
        audience.lagging.add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Take a viewer out; the last one of a subscription set takes the set with it."""
        audience, viewer.audience, viewer.lag = viewer.audience, None, None
        if audience is None:
            return
        audience.ready.pop(viewer.link, None)
        audience.lagging.discard(viewer)
        if audience.empty and self._by_channels.get(audience.channels) is audience:
            del self._by_channels[audience.channels]
            for publication in audience.channels:
                self._watching[publication].discard(audience)
                publication.idle_since = time.monotonic()
