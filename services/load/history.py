"""History: what a deployment tells of a feed's events, by its public face: an interval of a channel that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from services.declare import Channel, Declarations, FeedSpec

LOOK_BACK_MS = 3_600_000
_TIMEOUT_S = 20.0
_OF_ARCHIVE = {"at", "key", "id", "deleted", "created_at"}


def history_of(
    url: str, cookie: str, declarations: Declarations, feed: FeedSpec, now_ms: int
) -> list[tuple[int, Mapping[str, Any]]]:
    """Times and fields of the last hour's events, those that a channel of whole events holds; none where there is none.

    Raises requests.RequestException.
    """
    for channel in _whole_events(declarations, feed):
        found = list(_asked(url, cookie, feed, channel, now_ms))
        if found:
            return found
    return []


def _whole_events(declarations: Declarations, feed: FeedSpec) -> list[type[Channel]]:
    """Its log first, which has every event; then its newest rows."""
    fitting = [
        one for one in declarations.channels.values()
        if one.feed.name == feed.name and one.partition is None and one.where is None and not one.aggregates
        and one.kind in ("log", "latest")
    ]
    return sorted(fitting, key=lambda one: one.kind != "log")


def _asked(
    url: str, cookie: str, feed: FeedSpec, channel: type[Channel], now_ms: int
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    headers = {"Cookie": cookie} if cookie else {}
    address = f"{url}/api/channels/{channel.name}"
    answer = requests.get(
        f"{address}/history", {"since": str(now_ms - LOOK_BACK_MS)}, headers=headers, timeout=_TIMEOUT_S
    )
    if answer.status_code == 200:
        yield from _of_rows(feed, answer.json()["rows"])
        return
    answer = requests.get(f"{address}/snapshot", headers=headers, timeout=_TIMEOUT_S)
    if answer.status_code != 200:
        return
    data = answer.json()["data"]
    rows = data.get("entries") or [{**row, "key": key, "at": now_ms} for key, row in data.get("rows", {}).items()]
    yield from _of_rows(feed, rows)


def _of_rows(feed: FeedSpec, rows: list[dict[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """A changed row is whole with what its key had before."""
    held: dict[Any, dict[str, Any]] = {}
    for row in rows:
        fields = {name: value for name, value in row.items() if name not in _OF_ARCHIVE or name in feed.fields}
        key = row.get("key", row.get(feed.key))
        if key is not None:
            fields = held[key] = {**held.get(key, {}), **fields}
        fields.setdefault(feed.key, key)
        yield int(row.get("at") or row.get("created_at") or 0), fields
