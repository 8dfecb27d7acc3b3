"""Env: what Alembic runs a migration in: the connection and transaction that `schema.migrate` opened."""

from alembic import context

from services.database.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
