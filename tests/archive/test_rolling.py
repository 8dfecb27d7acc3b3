"""Rolling: hours are rolled up again where a backlog brings points of them later."""

from __future__ import annotations

import math
from typing import Any

from services.archive.keeping import LOOK_EVERY_MS, Keeper
from services.archive.reading import HOUR_MS
from services.database import Database
from tests.archive.test_reading import HOUR, Prices, Turnover, archive, hours, keep, past, sale, sell
from tests.archive.test_reading import system as system  # the fixture
from tests.system import System


def test_hours_that_were_rolled_up_before_their_backlog_was_processed_are_rolled_up_again(
    system: System, each_database: Database
) -> None:
    keeper = Keeper(each_database, system.declarations, system.clock)
    for begin, begins in ((HOUR, False), (HOUR + 5 * HOUR_MS, True)):  # by one keeper, then by one that begins
        for number in range(6):  # twenty minutes of an hour are processed, then nobody does
            at = begin + number * 200_000
            sell(system, each_database, sale(at, at, price=float(number)))
        system.now_ms = begin + HOUR_MS + 1_200_000
        keep(system, each_database, keeper)
        assert [row["count"] for row in hours(each_database, Prices) if row["at"] == begin] == [6]
        for number in range(20):  # what is accepted meanwhile, over three hours
            system.now_ms = max(system.now_ms, at := begin + 1_200_000 + number * 420_000)
            system.post([sale(at, at, price=float(number))], "sales")
        system.now_ms = begin + 4 * HOUR_MS
        system.drain()
        system.broker._redis.delete("hw:{sales.0}:archive:lease")
        archive(system, each_database)
        system.now_ms += LOOK_EVERY_MS
        keep(system, each_database, None if begins else keeper)
        for channel in (Prices, Turnover):
            found = hours(each_database, channel)
            assert [row for row in found if row["at"] >= begin] == recomputed(each_database, channel, begin), channel
        assert sum(row["count"] for row in hours(each_database, Prices) if row["at"] >= begin) == 26


def recomputed(database: Database, channel: Any, since: int) -> list[dict[str, Any]]:
    """The hours from a time on, from the rows of each."""
    found: dict[tuple[int, str, str], list[float]] = {}
    for row in past(database, channel, since, since + 3 * HOUR_MS).rows:
        field, _, name = row["name"].partition(":")
        found.setdefault((row["at"] - row["at"] % HOUR_MS, name, field), []).append(row["value"])
    return [
        {"at": at, "name": name, "field": field, "count": len(values), "min": min(values), "max": max(values),
         "mean": math.fsum(values) / len(values), "last": values[-1]}
        for (at, name, field), values in sorted(found.items())
    ]
