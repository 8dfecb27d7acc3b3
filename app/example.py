"""Example: the command that posts a first event, made from a feed's own declaration."""

from __future__ import annotations

import json
import shlex

from app.settings import Settings
from services.declare import FeedSpec
from services.declare.example import example_record


def example_post(settings: Settings, feed: FeedSpec) -> str:
    """A curl command with a valid event of the feed; the key is read where it lies rather than shown."""
    key = shlex.quote(str(settings.data / "ingest.key"))
    return (
        f"curl {settings.url}/api/ingest/{feed.name} -H \"Authorization: Bearer $(cat {key})\" "
        f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(example_record(feed)))}"
    )
