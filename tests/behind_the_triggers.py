"""What whoever owns the tables can do to the log in the database."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

TABLES = ("sign_log", "log_leaf", "log_pending", "log_checkpoint")


def change_behind_the_triggers(owner: Engine, sql: str) -> None:
    """A statement that the triggers of the log's tables would refuse; they stay away."""
    with owner.begin() as connection:
        for table in TABLES:
            without_triggers(connection, table)
        connection.exec_driver_sql(sql)


def without_triggers(connection: Connection, table: str) -> None:
    """Take a table's away."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return
    for act in ("update", "delete", "replace"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{act}")
