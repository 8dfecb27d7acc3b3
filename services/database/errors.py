"""What can go wrong at the database, each with the remedy in its text."""

from __future__ import annotations


class DatabaseDown(Exception):
    """The database cannot be reached or does not answer as it must; the text says which and why."""


class DatabaseBehind(DatabaseDown):
    """The database lacks tables of this release; `headwater release` makes them."""


class DatabaseNewer(DatabaseDown):
    """The database was migrated by a newer release, whose tables this one does not know."""
