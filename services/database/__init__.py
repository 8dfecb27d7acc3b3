"""Database: the only room that makes engines: SQLite by default, PostgreSQL by `DATABASE_URL`.

Other rooms own their tables (`tables/`, a file each, on one MetaData) and write their statements; they are given a
`Database` and ask it for a transaction. Migrations are one chain in `migrations/versions/`.
"""

from services.database.database import Database
from services.database.errors import DatabaseBehind, DatabaseDown, DatabaseNewer
from services.database.schema import Standing, migrate, prepare, require_current, standing_of
from services.database.statements import insert_new, insert_or_change

__all__ = [
    "Database",
    "DatabaseBehind",
    "DatabaseDown",
    "DatabaseNewer",
    "Standing",
    "insert_new",
    "insert_or_change",
    "migrate",
    "prepare",
    "require_current",
    "standing_of",
]
