"""Redis stream: the entries of a stream that others write, in a Redis of theirs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from services.declare.mapping import SourceMapping
from services.sources.reached import Reached
from services.sources.secret import without_secrets
from services.sources.source import Intake
from services.sources.trouble import SourceTrouble, said_by_system

if TYPE_CHECKING:
    from redis import Redis

_BLOCK_MS = 500
_TIMEOUT_S = 5.0
_ENTRY = re.compile(r"\d+(-\d+)?")


class RedisStream(Reached):
    """Reads the stream `stream` at `address` from the last entry that was accepted.

    At the first start from `since`: an entry's id, `0` for all that is there, `$` for what comes from now on. An entry
    is a record; where one of its fields holds JSON, `field` names that. `redis.id` in `mapping` is the entry's id, and
    the event's where no other is made. It is no consumer group: nothing is written there, and what its writer trims
    before it was read is told as trouble.
    """

    schemes = ("redis", "rediss", "unix")

    def __init__(
        self,
        address: str,
        stream: str,
        *,
        field: str = "",
        since: str = "$",
        batch: int = 1_000,
        mapping: SourceMapping | None = None,
        title: str = "",
    ) -> None:
        super().__init__()
        self.address, self.stream, self.field, self.since, self.batch = address, stream, field, since, batch
        self.mapping = mapping if mapping and mapping.id else replace(mapping or SourceMapping(), id="redis.id")
        self.title = title or f"stream {stream} of {without_secrets(address)}"
        self.place = stream

    def run(self, intake: Intake) -> None:
        from redis import Redis, exceptions
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client = Redis.from_url(
            self.filled(self.address), socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S,
            decode_responses=True, protocol=2, retry=Retry(NoBackoff(), 0),
        )  # fmt: skip
        try:
            self._follow(client, intake)
        except exceptions.AuthenticationError as error:
            raise SourceTrouble(str(error)) from None
        except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
            said = said_by_system(error, str(error))
            raise SourceTrouble(f"no connection: {said}", cause="source_silent") from None
        except exceptions.RedisError as error:
            raise SourceTrouble(str(error)) from None
        finally:
            client.close()

    def _follow(self, client: Redis, intake: Intake) -> None:
        at, number = _read(intake.position()) or self._first(client)
        while not intake.wait(0):
            self._tell_lost(client, intake, at, number)
            found: Any = client.xread({self.stream: at}, count=self.batch, block=_BLOCK_MS)
            if not found:
                intake.alive()
                continue
            entries = found[0][1]
            at, number = entries[-1][0], number + len(entries)
            intake.accept([self._record(entry_id, fields) for entry_id, fields in entries], _position(at, number))

    def _first(self, client: Redis) -> tuple[str, int]:
        """Where the first start begins: `$` is the newest entry of now, as it must mean the same in each question.

        The number counts the entries up to there, from the stream's first on.
        """
        if self.since != "$":
            return self.since, _gone(client, self.stream)
        newest: Any = client.xrevrange(self.stream, count=1)
        length: Any = client.xlen(self.stream)
        return (newest[0][0] if newest else "0-0"), _gone(client, self.stream) + length

    def _tell_lost(self, client: Redis, intake: Intake, at: str, number: int) -> None:
        """Where more entries are gone than were read, the others are lost: that is told, and reading goes on."""
        gone = _gone(client, self.stream)
        if gone > number:
            intake.accept([], _position(at, gone))
            told = f"{gone - number:,} entries after {at} were trimmed before they were read"
            raise SourceTrouble(told, again_s=0.0)

    def _record(self, entry_id: str, fields: dict[str, str]) -> Any:
        if not self.field:
            return {**fields, "redis": {"id": entry_id}}
        try:
            found = orjson.loads(fields.get(self.field, ""))
        except orjson.JSONDecodeError:
            return fields.get(self.field)  # refused by ingestion, as it is no object
        return {**found, "redis": {"id": entry_id}} if isinstance(found, dict) else found

    def problem(self) -> tuple[str, object, str] | None:
        if not self.stream:
            return "source.stream", self.stream, "name a stream"
        if self.since != "$" and not _ENTRY.fullmatch(self.since):
            return "source.since", self.since, "give an entry's id, 0 for all, or $ for what comes from now on"
        if not 1 <= self.batch <= 5_000:
            return "source.batch", self.batch, "give entries from 1 to 5000"
        return super().problem()


def _gone(client: Redis, stream: str) -> int:
    """How many entries of a stream are not there any more; 0 where Redis does not count them (before 7)."""
    if not client.exists(stream):
        return 0
    info: Any = client.xinfo_stream(stream)
    return max(0, int(info.get("entries-added", 0)) - int(info["length"]))


def _position(at: str, number: int) -> str:
    return f"{at} {number}"


def _read(position: str | None) -> tuple[str, int] | None:
    if not position:
        return None
    at, _, number = position.partition(" ")
    return at, int(number)
