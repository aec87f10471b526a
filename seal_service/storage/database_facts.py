"""What a state of the database holds, in a few figures, and the blobs that it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, inspect, literal, select, union

from seal_service.domain.backup import DatabaseFacts, LogHead, NamedBlob
from seal_service.storage.tables import ApplicationRow, SealRow, SealUseRow, SignLogRow, StoredRow

_WITH_PICTURE = (ApplicationRow, SealRow)


def facts_of(connection: Connection) -> DatabaseFacts:
    """The figures; all of one state when the connection's transaction sees one."""
    newest = connection.execute(
        select(SignLogRow.entry_id, SignLogRow.leaf_hash).order_by(SignLogRow.entry_id.desc()).limit(1)
    ).one_or_none()
    there = inspect(connection).get_table_names()  # an older schema has fewer tables
    rows = {
        name: connection.scalar(select(func.count()).select_from(table)) or 0
        for name, table in sorted(StoredRow.metadata.tables.items())
        if name in there
    }
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    return DatabaseFacts(
        engine=connection.dialect.name,
        schema_revision=revision or "",
        log=LogHead(
            size=rows[SignLogRow.__tablename__],
            entry_id=newest.entry_id if newest else None,
            leaf_hash=newest.leaf_hash.hex() if newest else None,
        ),
        rows=rows,
    )


@contextmanager
def blobs_named(connection: Connection) -> Iterator[Iterator[NamedBlob]]:
    """Every picture and held document, each once; read as they are asked for."""
    pictures = (select(row.impression_digest.label("digest"), literal(0).label("removable")) for row in _WITH_PICTURE)
    held = select(SealUseRow.sealed_sha256, literal(1)).where(
        SealUseRow.document_kept_until.is_not(None), SealUseRow.sealed_sha256.is_not(None)
    )
    named = union(*pictures, held).subquery()
    wanted = select(named.c.digest, func.min(named.c.removable)).group_by(named.c.digest)
    with connection.execute(wanted, execution_options={"yield_per": 1000}) as found:
        yield (NamedBlob(digest=digest, removable=bool(removable)) for digest, removable in found)
