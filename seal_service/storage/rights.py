"""What PostgreSQL's roles may do: the owner makes the tables, the application works with their rows, nobody else."""

from __future__ import annotations

from sqlalchemy import Connection, text

from seal_service.domain.errors import InstanceNotReady
from seal_service.storage.tables import APPEND_ONLY, FLEETING, QUEUES, StoredRow

_FORBIDDEN = ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
_MAY = text(
    "SELECT has_table_privilege(:role, :table, :privilege) "
    "OR (:privilege = 'UPDATE' AND has_any_column_privilege(:role, :table, 'UPDATE'))"
)


def give_rights(connection: Connection, role: str) -> None:
    """Give the application's role what it needs and take everything else, from everybody; run by the owner.

    What the owner does not own (an older server's schema `public`, somebody else's database) it cannot take from:
    the server then only warns. Raises InstanceNotReady when the role still may change what is append-only.
    """
    quote = connection.dialect.identifier_preparer.quote_identifier
    database = quote(connection.exec_driver_sql("SELECT current_database()").scalar_one())
    named = quote(role)
    known = {
        table for (table,) in connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname='public'")
    }
    for command in (
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC, {named}",
        f"GRANT CONNECT ON DATABASE {database} TO {named}",
        f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {named}",
        f"GRANT USAGE ON SCHEMA public TO {named}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {named}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {named}",
        f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, {named}",
        f"GRANT SELECT ON alembic_version TO {named}",
    ):
        connection.exec_driver_sql(command)
    for table in sorted(known & set(StoredRow.metadata.tables)):
        rights = "SELECT, INSERT" if table in APPEND_ONLY | QUEUES else "SELECT, INSERT, UPDATE"
        rights += ", DELETE" if table in FLEETING | QUEUES else ""
        connection.exec_driver_sql(f"GRANT {rights} ON {quote(table)} TO {named}")
    require_separate_roles(connection, role)


def require_separate_roles(connection: Connection, role: str) -> None:
    """Raise InstanceNotReady when the application's role may change what is append-only, by whatever way it may."""
    for table in sorted(APPEND_ONLY):
        for privilege in _FORBIDDEN:
            given = {"role": role, "table": f"public.{table}", "privilege": privilege}
            if connection.execute(_MAY, given).scalar_one():
                raise InstanceNotReady(
                    f"The database's role {role} may {privilege} {table}, which is append-only: it is a superuser or "
                    "a member of a role that may; give the service a role of its own (docs/how-to/postgresql.md)"
                )
