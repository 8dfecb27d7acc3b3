"""Sources: whether the environment holds what the feeds' sources take from it, and their clients are installed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

from app.doctor.finding import Finding
from app.loading import DEMO, Project, load_declarations
from services.declare import DeclarationError, FeedSpec

_CLIENTS = {"Mqtt": ("paho", "mqtt"), "Kafka": ("confluent_kafka", "kafka")}
"""The package of a source that is an extra, and the extra."""


@dataclass(frozen=True, slots=True)
class SourcesEquipped:
    """Whether each source finds its secrets and its client here."""

    project: Project = DEMO
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def look(self) -> Iterator[Finding]:
        try:
            feeds = list(load_declarations(self.project).feeds.values())
        except DeclarationError:
            return  # told by the declarations' own finding
        found = [finding for feed in feeds for finding in self._of(feed)]
        yield from found or [Finding("ok", "sources", "secrets and clients are there")]

    def _of(self, feed: FeedSpec) -> Iterator[Finding]:
        source = feed.source
        missing = [name for name in source.variables if not self.environment.get(name)]
        if missing and (source.pulled or len(missing) == len(source.variables)):
            remedy = f"set {'it' if len(missing) == 1 else 'them'}, in the environment of every process"
            yield Finding("fail", "sources", f"feed {feed.name}: {', '.join(missing)}: not set", remedy)
        elif missing:
            yield Finding("ok", "sources", f"feed {feed.name}: {', '.join(missing)}: not set, while the other holds")
        package, extra = _CLIENTS.get(type(source).__name__, ("", ""))
        if package and find_spec(package) is None:
            remedy = f"run pip install 'headwater[{extra}]'"
            yield Finding("fail", "sources", f"feed {feed.name}: its client is not installed", remedy)
