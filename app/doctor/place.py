"""Place: what Headwater needs of the machine it runs on: a directory, room on its disk, a port, a database."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text as sql

from app.addresses import is_loopback
from app.doctor.finding import Finding, graded
from app.loading import Project, load_declarations
from app.ports import port_is_free
from app.settings import Settings
from services.database import Database, DatabaseDown, standing_of

FREE_WARN_MB, FREE_FAIL_MB = 2_000, 200
POSTGRESQL_MIN = 13
SLOW_DATABASE_S = 0.25


def nearest_existing(path: Path) -> Path:
    """The path, or the first folder above it that is there."""
    whole = path.resolve()
    return next(folder for folder in (whole, *whole.parents) if folder.exists())


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Whether it can be written, and whether others may read the key in it."""

    data: Path

    def look(self) -> Iterator[Finding]:
        nearest = nearest_existing(self.data)
        can = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
        text = f"{self.data} can be written" if can else f"{nearest} cannot be written"
        yield graded("data", text, fail=not can, remedy="change its owner, or set HEADWATER_DATA")
        key = self.data / "ingest.key"
        if key.exists() and (mode := stat.S_IMODE(key.stat().st_mode)) & 0o077:
            yield Finding("fail", "data", f"{key} may be read by others (mode {mode:o})", f"chmod 600 {key}")


@dataclass(frozen=True, slots=True)
class Disk:
    """Whether there is room for what is kept here. Limits in megabytes."""

    data: Path
    fail_mb: float = FREE_FAIL_MB
    warn_mb: float = FREE_WARN_MB

    def look(self) -> Iterator[Finding]:
        disk = shutil.disk_usage(nearest_existing(self.data))
        free_mb = disk.free / 1e6
        text = f"{free_mb / 1000:.1f} GB of {disk.total / 1e9:.0f} GB are free for {self.data}"
        remedy = "free some, keep less history (history= of the feeds), or set HEADWATER_DATA to a larger disk"
        yield graded("disk", text, fail=free_mb < self.fail_mb, warn=free_mb < self.warn_mb, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Port:
    """Whether the web server can listen there."""

    settings: Settings

    def look(self) -> Iterator[Finding]:
        where = f"{self.settings.host}:{self.settings.port}"
        if port_is_free(self.settings.host, self.settings.port):
            yield Finding("ok", "port", f"{where} is free")
        else:
            remedy = "by a running headwater, or set PORT to a free one"
            yield Finding("warn", "port", f"{where} is in use", remedy)


@dataclass(frozen=True, slots=True)
class Lasting:
    """On a platform the disk goes with the process: what is to outlive it needs a database of its own."""

    settings: Settings
    project: Project

    def look(self) -> Iterator[Finding]:
        if is_loopback(self.settings.host) or self.settings.database_url:
            return
        kept = [feed.name for feed in load_declarations(self.project).feeds.values() if feed.history.days]
        contract = ["the contract"] if self.project.contract is not None else []
        on = [*contract, *(f"history of {name!r}" for name in kept)]
        if on:
            yield Finding(
                "fail", "database",
                f"DATABASE_URL: not set, and {self.settings.host} is not this machine alone: {', '.join(on)} would be "
                "lost with the platform's disk",
                "name a PostgreSQL database",
            )


@dataclass(frozen=True, slots=True)
class DatabaseAnswers:
    """Whether it answers, how fast, and whether its tables are this release's."""

    address: str
    slow_s: float = SLOW_DATABASE_S

    def look(self) -> Iterator[Finding]:
        database = Database(self.address)
        try:
            standing = standing_of(database)
            yield from () if database.absent else self._speed(database)
        except DatabaseDown as error:
            yield Finding("fail", "database", str(error))
            return
        finally:
            database.close()
        text = f"{database.address} is at revision {standing.found or 'none'}"
        if not standing.current:
            text += f", this release needs {standing.needed}"
        yield graded("database", text, warn=not standing.current, remedy="`headwater release` or `up` migrates it")

    def _speed(self, database: Database) -> Iterator[Finding]:
        with database.reading() as connection:
            began = time.monotonic()
            if database.is_sqlite:
                connection.execute(sql("SELECT 1"))
            else:
                version = int(str(connection.execute(sql("SHOW server_version_num")).scalar())) // 10_000
                if version < POSTGRESQL_MIN:
                    yield Finding(
                        "fail", "database", f"PostgreSQL {version} is too old", f"use PostgreSQL {POSTGRESQL_MIN}+"
                    )
            took_s = time.monotonic() - began
        if took_s > self.slow_s:
            text = f"a question takes {1000 * took_s:.0f} ms: history and reports will be slow"
            yield Finding("warn", "database", text, "put it nearer, or give it more")
