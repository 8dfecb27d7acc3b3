"""Forgetting: the verbs by which everything of one key leaves the broker.

The lane's own writer takes the key out of its channels, asked by a marked entry of its stream: in the order of events,
by a commit like any other. What is no state (streams with what was processed, samples) is cleaned by who asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
from redis.exceptions import ResponseError

from services.broker.connection import Connection, key_of, surfacing
from services.broker.stored import FORGET
from services.declare import Lane

ANSWERS_KEPT_S = 3_600


class Forgetting(Connection):
    """What is asked of the broker when a key is to be forgotten."""

    @surfacing
    def ask_to_forget(self, lane: Lane, token: str, key: str) -> str:
        """Put the request on the lane's stream, behind all events of before; returns its place there."""
        body = orjson.dumps({"token": token, "key": key})
        base = key_of(lane)
        with self._redis.pipeline() as pipe:
            pipe.xadd(base + "events", {"events": b"[" + body + b"]", "n": 1, "mark": FORGET})
            pipe.hincrby(base + "lane", "accepted_bytes", len(body))
            found: Any = pipe.execute()
        return str(found[0].decode())

    @surfacing
    def tell_forgotten(self, lane: Lane, token: str, removed: Mapping[str, int]) -> None:
        """The lane's writer has committed it: how much it took out of each channel."""
        key = key_of(lane) + "forgotten"
        with self._redis.pipeline() as pipe:
            pipe.hset(key, token, orjson.dumps(removed))
            pipe.expire(key, ANSWERS_KEPT_S)
            pipe.execute()

    @surfacing
    def forgotten(self, lane: Lane, token: str) -> dict[str, int] | None:
        """What was taken out of each channel; None where the lane's writer has not come to it yet."""
        found: Any = self._redis.hget(key_of(lane) + "forgotten", token)
        return None if found is None else dict(orjson.loads(found))

    @surfacing
    def drop_entries(self, lane: Lane, until: str) -> int:
        """Let the stream's entries go, up to and with one that everybody has read; returns how many."""
        at, _, number = until.partition("-")
        beyond: Any = f"{at}-{int(number) + 1}"
        return int(self._redis.xtrim(key_of(lane) + "events", minid=beyond, approximate=False))

    @surfacing
    def drop_deltas(self, lane: Lane, channel: str, until: int) -> int:
        """Let a channel's deltas go, up to and with a seq that everybody has read; returns how many."""
        key, beyond = key_of(lane) + "c:" + channel + ":deltas", f"{until + 1}-0"
        return int(self._redis.xtrim(key, minid=beyond, approximate=False))

    @surfacing
    def last_entry(self, lane: Lane) -> str:
        """Where the newest entry of the lane's stream stands; `0-0` where there is none."""
        found: Any = self._redis.xrevrange(key_of(lane) + "events", count=1)
        return str(found[0][0].decode()) if found else "0-0"

    @surfacing
    def drop_channel(self, lane: Lane, channel: str) -> bool:
        """Let all of a channel that nobody commits to go; whether there was anything.

        Whoever opens the lane next begins a new epoch: were the channel declared again, its positions would come again.
        """
        base = key_of(lane) + "c:" + channel
        with self._redis.pipeline() as pipe:
            pipe.hset(key_of(lane) + "lane", "signature", "")
            pipe.hdel(key_of(lane) + "channels", channel)
            pipe.delete(base, base + ":head", base + ":deltas")
            found: Any = pipe.execute()
        return bool(found[-1])

    @surfacing
    def drop_samples(self, lane: Lane, text: str) -> int:
        """Let go of samples of refused records that hold the text, and of the last refusal where it does."""
        key = key_of(lane)
        found: Any = self._redis.xrange(key + "rejections")
        told = [entry_id for entry_id, fields in found if text in _plain(fields[b"sample"])]
        if told:
            self._redis.xdel(key + "rejections", *told)
        for name in ("rejection", "error"):
            last: Any = self._redis.hget(key + "source", name)
            if last is not None and text in last.decode(errors="replace"):
                self._redis.hset(key + "source", name, "")
        return len(told)

    @surfacing
    def replace_quarantined(self, lane: Lane, entry_id: str, rest: bytes | None) -> None:
        """Put what is left of an entry of the quarantine in its place, or nothing."""
        key = key_of(lane) + "quarantine"
        with self._redis.pipeline() as pipe:
            pipe.xdel(key, entry_id)
            if rest is not None:
                pipe.xadd(key, {"entry": rest})
            pipe.execute()

    @surfacing
    def progress_text(self, lane: Lane) -> str:
        """What the lane's writer last said, as it stands there."""
        found: Any = self._redis.get(key_of(lane) + "progress")
        return "" if found is None else _plain(found)

    @surfacing
    def rewrite_log(self) -> bool:
        """Have the server write its append-only file anew, without what was removed; False where it does not let us."""
        with suppress(ResponseError):
            self._redis.bgrewriteaof()
            return True
        return False


def _plain(raw: bytes) -> str:
    """JSON with the texts as they are, so that what is looked for is found however it was escaped."""
    return str(orjson.loads(raw))
