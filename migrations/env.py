"""Runs migrations on the connection that `seal_service.storage.schema` hands over, inside its transaction."""

from alembic import context

from seal_service.storage.tables import StoredRow

connection = context.config.attributes["connection"]
# SQLite's DDL is transactional: a migration that fails leaves nothing behind.
context.configure(connection=connection, target_metadata=StoredRow.metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
