"""Board: where the standing is written by one worker and read by every web process, and what is left when all is down.

A reader keeps what it last knew in memory and in a file of its own machine, so that it can still say it, with its age.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog
from sqlalchemy import delete, insert, select

from services.database import Database, DatabaseBehind, DatabaseDown, standing_of
from services.database.tables import standings
from services.report.standing import Standing

_NOW = "now"
log = structlog.get_logger("report")


class StandingRegister:
    """The standing in the database. Everything may raise DatabaseDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, standing: Standing) -> None:
        """Put it in the former one's place."""
        body = standing.encoded().decode()
        with self._database.writing() as connection:
            connection.execute(delete(standings).where(standings.c.name == _NOW))
            connection.execute(insert(standings).values(name=_NOW, at=standing.at, body=body))

    def read(self) -> Standing | None:
        """The newest; None where none was ever written, and where the first start has not made the table yet."""
        try:
            with self._database.reading() as connection:
                body = connection.scalar(select(standings.c.body).where(standings.c.name == _NOW))
        except DatabaseBehind:
            if standing_of(self._database).found:
                raise  # of an older release: `headwater release` is what is missing
            return None
        return None if body is None else Standing.decoded(body)


class LastKnown:
    """The newest standing that this process knows, from the database or from its own file."""

    def __init__(self, register: StandingRegister, file: Path) -> None:
        self._register, self._file = register, file
        self._standing = _read_file(file)
        self._down = False

    @property
    def standing(self) -> Standing | None:
        """What was known last; None where nothing ever was. Never asks anybody."""
        return self._standing

    def look(self) -> None:
        """Ask the database; where it does not answer, what was known stays."""
        try:
            found = self._register.read()
        except DatabaseDown as error:
            if not self._down:
                log.warning("standing not read, the last known one is shown", error=str(error))
            self._down = True
            return
        self._down = False
        if found is not None and found != self._standing:
            self._standing = found
            self._keep(found)

    def _keep(self, standing: Standing) -> None:
        """Several web processes share the file: each writes it whole beside it and moves it into place."""
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(standing.encoded())
            beside.replace(self._file)
        except OSError as error:
            log.warning("last known standing not kept", file=str(self._file), error=str(error))


def _read_file(file: Path) -> Standing | None:
    try:
        return Standing.decoded(file.read_bytes())
    except (OSError, ValueError, TypeError, KeyError):  # none yet, or of another release
        return None
