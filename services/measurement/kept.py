"""Kept: raw minutes and closed hours in the database, both written once and never changed.

An hour is closed fifteen minutes after it is over. A sheet that comes later is kept and marked late, and counts
nowhere: whoever computes an hour again, from the same rows, comes to the same digits.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as insert_into_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

from services.contract.document import Objective
from services.database import Database
from services.database.tables import measured_sheets, objective_hours, probe_samples
from services.measurement.kinds import objective_rule
from services.measurement.minutes import MINUTE_MS, Minute
from services.measurement.raw import ProbeSample, RawMinute
from services.sheets import Sheet

HOUR_MS = 3_600_000
CLOSED_AFTER_MS = 15 * 60_000
METHOD = 1
"""Raised when the same raw minute comes to other figures: hours closed by a former method then stand as they are."""
_READ_MS = 10 * MINUTE_MS
"""So much is read at once: a minute's sheets take some hundred kilobytes."""


def rule_of(objective: Objective) -> str:
    """The name of what decides an objective's minutes, by the present method."""
    return hashlib.sha256(repr((METHOD, *objective_rule(objective))).encode()).hexdigest()[:16]


def closes_at(minute: int) -> int:
    """When the hour of a minute is closed."""
    return minute // HOUR_MS * HOUR_MS + HOUR_MS + CLOSED_AFTER_MS


class Kept:
    """What the database holds of the measurement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # As received -----------------------------------------------------------------------------------

    def add_sheets(self, received: Iterable[tuple[int, bytes]]) -> None:
        """Write sheets with the time at which they came; those that are there already stay as they are."""
        rows = []
        for received_at, payload in received:
            sheet = Sheet.decoded(payload)
            rows.append(
                {
                    "id": sheet.id,
                    "minute": sheet.minute,
                    "process": sheet.process,
                    "role": sheet.role,
                    "received_at": received_at,
                    "late": received_at >= closes_at(sheet.minute),
                    "body": zlib.compress(payload, 6),
                }
            )
        self._add(measured_sheets, rows)

    def add_probes(self, samples: Iterable[ProbeSample], now: int) -> None:
        """Write probe samples."""
        names = ("at", "place", "lane", "worker", "took_s", "fault")
        rows = [
            dict(zip(names, sample.as_json(), strict=True)) | {"late": now >= closes_at(sample.at)}
            for sample in samples
        ]
        self._add(probe_samples, rows)

    def _add(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        insert: Any = insert_into_sqlite if self._database.is_sqlite else insert_into_postgresql
        with self._database.writing() as connection:
            connection.execute(insert(table).on_conflict_do_nothing(), list(rows))

    def began_at(self) -> int | None:
        """The first minute; of an hour that is closed it is the one that the hour begins with."""
        oldest = select(objective_hours.c.minutes).order_by(objective_hours.c.hour).limit(1)
        with self._database.reading() as connection:
            sheet = connection.execute(select(func.min(measured_sheets.c.minute))).scalar()
            closed = connection.execute(oldest).scalar()
        first = [minute.at for minute in _minutes_from(closed)[:1]] if closed else []
        return min([*first, *([] if sheet is None else [sheet])], default=None)

    def received(self, since: int, until: int) -> dict[int, int]:
        found: dict[int, int] = {}
        with self._database.reading() as connection:
            for column, late in (
                (measured_sheets.c.minute, measured_sheets.c.late),
                (probe_samples.c.at, probe_samples.c.late),
            ):
                wanted = select(column, func.count()).where(column >= since, column < until, late.is_(False))
                for at, count in connection.execute(wanted.group_by(column)):
                    minute = at // MINUTE_MS * MINUTE_MS
                    found[minute] = found.get(minute, 0) + count
        return found

    def minutes(self, since: int, until: int) -> Iterator[RawMinute]:
        for first in range(since, until, _READ_MS):
            yield from self._read(first, min(until, first + _READ_MS))

    def _read(self, since: int, until: int) -> Iterator[RawMinute]:
        sheets: dict[int, list[Sheet]] = {}
        probes: dict[int, list[ProbeSample]] = {}
        for _, body in self.sheets(since, until):
            sheet = Sheet.decoded(body)
            sheets.setdefault(sheet.minute, []).append(sheet)
        for sample in self.probes(since, until):
            probes.setdefault(sample.at // MINUTE_MS * MINUTE_MS, []).append(sample)
        for at in sorted(sheets.keys() | probes.keys()):
            yield RawMinute(at, tuple(sheets.get(at, ())), tuple(probes.get(at, ())))

    def sheets(self, since: int, until: int) -> list[tuple[int, bytes]]:
        """The sheets that count, as received, each with the time at which it came, in a fixed order."""
        table = measured_sheets.c
        wanted = (
            select(table.received_at, table.body)
            .where(table.minute >= since, table.minute < until, table.late.is_(False))
            .order_by(table.minute, table.id)
        )
        with self._database.reading() as connection:
            return [(at, zlib.decompress(body)) for at, body in connection.execute(wanted)]

    def probes(self, since: int, until: int) -> list[ProbeSample]:
        """The probe samples that count, in a fixed order."""
        table = probe_samples.c
        wanted = (
            select(table.at, table.place, table.lane, table.worker, table.took_s, table.fault)
            .where(table.at >= since, table.at < until, table.late.is_(False))
            .order_by(table.at, table.place, table.lane)
        )
        with self._database.reading() as connection:
            return [ProbeSample(*row) for row in connection.execute(wanted)]

    def forget_before(self, moment: int) -> None:
        """Raw minutes older than the disputed period go; closed hours stay."""
        with self._database.writing() as connection:
            connection.execute(delete(measured_sheets).where(measured_sheets.c.minute < moment))
            connection.execute(delete(probe_samples).where(probe_samples.c.at < moment))

    # Closed hours ----------------------------------------------------------------------------------

    def hours(self, objective: Objective, since: int, until: int) -> dict[int, list[Minute]]:
        table, first = objective_hours.c, since // HOUR_MS * HOUR_MS
        wanted = select(table.hour, table.minutes).where(
            table.rule == rule_of(objective), table.hour >= first, table.hour < until
        )
        with self._database.reading() as connection:
            return {hour: _minutes_from(text) for hour, text in connection.execute(wanted)}

    def newest_hour(self, objective: Objective) -> int | None:
        """The last closed hour of the objective's rule."""
        table = objective_hours.c
        with self._database.reading() as connection:
            return connection.execute(select(func.max(table.hour)).where(table.rule == rule_of(objective))).scalar()

    def close_hour(self, objective: Objective, hour: int, minutes: Iterable[Minute], now: int) -> None:
        """Write an hour, once and for all."""
        text = orjson.dumps([_packed(minute) for minute in minutes]).decode()
        row = {
            "rule": rule_of(objective),
            "hour": hour,
            "objective": objective.name,
            "minutes": text,
            "closed_at": now,
        }
        self._add(objective_hours, [row])


def _packed(minute: Minute) -> dict[str, Any]:
    return {name: found for name, found in asdict(minute).items() if name == "at" or found}


def _minutes_from(text: str) -> list[Minute]:
    return [Minute(**({"good": 0.0, "total": 0.0} | packed)) for packed in orjson.loads(text)]
