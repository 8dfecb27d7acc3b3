"""Gaps: what the archive has written down to be missing. A gap never closes, so it is told for a while only."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from services.alerts.builtin import LOSS_SHOWN_MS
from services.alerts.finding import Finding
from services.alerts.sight import Sight
from services.alerts.wording import counted, moment
from services.database import Database
from services.database.tables import archive_gaps


class Gaps:
    """A finding for each feed of which events are missing since a little while. Raises DatabaseDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, sight: Sight) -> Iterator[Finding]:
        """The gaps of events that were recorded within the last while."""
        table = archive_gaps.c
        query = select(table.feed, func.sum(table.events), func.min(table.since)).where(
            table.channel == "", table.recorded_at > sight.at - LOSS_SHOWN_MS
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(table.feed).order_by(table.feed)).all()
        for feed, events, since in rows:
            how_many = counted(int(events), "event", "events") if events else "events, how many is not known,"
            yield Finding(
                f"archive-gap:{feed}", "archive", "major", "database",
                f"archive lacks {how_many} of {feed} since {moment(since, sight)}; live values are complete",
                since,
            )  # fmt: skip
