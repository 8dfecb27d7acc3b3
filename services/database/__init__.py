"""Database: the only room that knows which database it is: SQLite by default, PostgreSQL by `DATABASE_URL`."""
