"""What PostgreSQL's own means say of a database's soundness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from seal_service.domain.invariants import Finding, Invariant
from seal_service.storage.postgresql_copies import one_state, server_version
from seal_service.storage.tables import APPEND_ONLY, QUEUES

_ACTS = ("update", "delete", "truncate")
_COLLATION = """SELECT datname FROM pg_database WHERE datname = current_database()
    AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)"""
_INVALID_INDEXES = """SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT (i.indisvalid AND i.indisready) ORDER BY 1"""
_UNVALIDATED = """SELECT conname FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND NOT convalidated ORDER BY 1"""
_TRIGGERS = """SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'public'::regnamespace AND t.tgenabled = 'A' AND NOT t.tgisinternal"""
_AMCHECK = """SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = 'bt_index_check' AND p.pronargs = 2
    WHERE e.extname = 'amcheck' AND has_function_privilege(p.oid, 'EXECUTE')
    AND has_schema_privilege(n.oid, 'USAGE')"""
_BTREES = """SELECT c.oid::bigint, c.relname FROM pg_class c JOIN pg_am a ON a.oid = c.relam
    JOIN pg_index i ON i.indexrelid = c.oid
    WHERE a.amname = 'btree' AND c.relnamespace = 'public'::regnamespace AND i.indisvalid ORDER BY c.relname"""


def postgresql_faults(engine: Engine, limit: int) -> Sequence[Finding]:
    """What the catalogue says and, where the extension is there and allowed, what amcheck finds; at most `limit`."""
    with one_state(engine) as connection:
        return list(islice(_faults(connection), limit))


def _faults(connection: Connection) -> Iterator[Finding]:
    if server_version(connection) >= 15:
        for name in connection.exec_driver_sql(_COLLATION).scalars():
            told = "the sort order of the system's library changed: REINDEX DATABASE, then REFRESH COLLATION VERSION"
            yield Finding(invariant=Invariant.DATABASE, subject=name, detail=told)
    for name in connection.exec_driver_sql(_INVALID_INDEXES).scalars():
        yield Finding(invariant=Invariant.DATABASE, subject=name, detail="the index is not valid: REINDEX INDEX")
    for name in connection.exec_driver_sql(_UNVALIDATED).scalars():
        yield Finding(invariant=Invariant.REFERENCES, subject=name, detail="the constraint was never validated")
    there = set(connection.exec_driver_sql(_TRIGGERS).scalars())
    for name in sorted({f"{table}_no_{act}" for table in APPEND_ONLY | QUEUES for act in _ACTS} - there):
        told = "the trigger is not there, or not enabled always"
        yield Finding(invariant=Invariant.APPEND_ONLY, subject=name, detail=told)
    yield from _amcheck(connection)


def _amcheck(connection: Connection) -> Iterator[Finding]:
    schema = connection.exec_driver_sql(_AMCHECK).scalar_one_or_none()
    if schema is None:
        return
    for oid, name in connection.exec_driver_sql(_BTREES).all():
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"SELECT {schema}.bt_index_check({oid}::oid::regclass, true)")
        except DBAPIError as error:
            yield Finding(invariant=Invariant.DATABASE, subject=name, detail=str(error.orig).splitlines()[0])
