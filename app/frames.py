"""Frames: `headwater.frame`, the door for analysis, wired to the environment's own settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.loading import DEMO, Project, load_declarations
from app.settings import Settings, read_settings
from services.archive.frames import Time, read_frame
from services.database import Database

if TYPE_CHECKING:
    from pandas import DataFrame


def frame(
    name: str, since: Time, until: Time, *, settings: Settings | None = None, project: Project = DEMO
) -> DataFrame:
    """A DataFrame of a feed's events or a channel's history, from the archive that this environment names.

    `since` and `until` are milliseconds since the Unix epoch, ISO 8601 with a zone, or datetimes with a zone.
    """
    database = Database((settings or read_settings()).database_address)
    try:
        return read_frame(database, load_declarations(project), name, since, until)
    finally:
        database.close()
