"""Frames: `headwater.frame`, the door for analysis, wired to the environment's own settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.loading import Project, load_declarations, project_of
from app.settings import Settings, read_settings
from services.archive.frames import Time, read_frame
from services.database import Database
from services.positions import wall_clock

if TYPE_CHECKING:
    from pandas import DataFrame


def frame(
    name: str, since: Time, until: Time | None = None, *, settings: Settings | None = None,
    project: Project | None = None,
) -> DataFrame:
    """A DataFrame of a feed's events or a channel's history, from the archive that this environment names.

    `since` and `until` are milliseconds since the Unix epoch, ISO 8601 with a zone, datetimes with a zone, or how long
    ago that is: `1h`, `30m`, `7d`. Without `until` it goes up to now. Raises KeyError for an unknown name, ValueError
    for a wrong time, DatabaseDown.
    """
    settings = settings or read_settings()
    declarations = load_declarations(project or project_of(settings))
    database = Database(settings.database_address)
    try:
        return read_frame(database, declarations, name, since, wall_clock() if until is None else until)
    finally:
        database.close()
