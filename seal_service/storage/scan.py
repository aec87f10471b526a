"""Everything that is kept, read to the end in one transaction, for checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from seal_service.domain.backup import NamedBlob
from seal_service.domain.certification import CertificateRequestState
from seal_service.domain.invariants import Finding
from seal_service.domain.seal import Custody, SealState
from seal_service.ports.checking import StoredEntry, UsedKey
from seal_service.ports.records import PrivateField
from seal_service.storage.contradictions import QUESTIONS
from seal_service.storage.database_facts import blobs_named
from seal_service.storage.engine import Database
from seal_service.storage.postgresql_copies import one_state
from seal_service.storage.refusals import database_failures
from seal_service.storage.tables import (
    AuthorityCredentialRow,
    CertificateRequestRow,
    PrivateFieldRow,
    SealCredentialRow,
    SealRow,
    SignLogRow,
)

_PAGE = 500
_PROJECTED = (
    "kind", "seq", "intent_id", "use_id", "seal_code", "unit_id", "account_id", "scenario", "document_sha256",
    "result", "at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SqlScan:
    """One read transaction."""

    connection: Connection

    def log_size(self) -> int:
        """How many entries there are."""
        return self.connection.scalar(select(func.count()).select_from(SignLogRow)) or 0

    def entries(self) -> Iterator[StoredEntry]:
        """Every entry by its id, in pages."""
        after = ""
        while page := self._page(after):
            after = page[-1].entry_id
            private = self._private([row.entry_id for row in page])
            intents = self._leaf_hashes([row.intent_id for row in page if row.intent_id is not None])
            for row in page:
                yield _entry(row, private.get(row.entry_id, ()), intents.get(row.intent_id))

    def contradictions(self, limit: int) -> Iterator[tuple[int, Sequence[Finding]]]:
        """Every question of `contradictions`, with how many subjects it found and the first of them."""
        for invariant, detail, wanted in QUESTIONS:
            subjects = self.connection.scalars(wanted.limit(limit)).all()
            count = len(subjects)
            if count == limit:
                count = self.connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0
            yield count, [Finding(invariant=invariant, subject=str(one), detail=detail) for one in subjects]

    def blobs(self) -> AbstractContextManager[Iterator[NamedBlob]]:
        """Every picture and held document."""
        return blobs_named(self.connection)

    def keys(self, now: datetime) -> Iterator[UsedKey]:
        """Of the newest version of seals that are not cancelled, of the newest authority, of pending requests."""
        seals = (
            select(SealCredentialRow.key_reference, SealRow.code)
            .join(SealRow, SealRow.code == SealCredentialRow.seal_code)
            .where(
                SealCredentialRow.version == SealRow.version,
                SealCredentialRow.custody == Custody.SERVER.value,
                SealCredentialRow.not_after > now,
                SealRow.state != SealState.CANCELLED.value,
            )
        )
        newest = select(AuthorityCredentialRow.role, func.max(AuthorityCredentialRow.version).label("version"))
        latest = newest.group_by(AuthorityCredentialRow.role).subquery()
        authority = select(AuthorityCredentialRow.key_reference, AuthorityCredentialRow.role).join(
            latest,
            (latest.c.role == AuthorityCredentialRow.role) & (latest.c.version == AuthorityCredentialRow.version),
        )
        requests = select(CertificateRequestRow.key_reference, CertificateRequestRow.seal_code).where(
            CertificateRequestRow.state == CertificateRequestState.PENDING.value
        )
        for wanted in (seals, authority, requests):
            for reference, owner in self.connection.execute(wanted).all():
                yield UsedKey(reference=reference, owner=owner)

    def _page(self, after: str) -> Sequence[Row[Any]]:
        row = SignLogRow
        wanted = select(row.__table__).where(row.entry_id > after).order_by(row.entry_id).limit(_PAGE)
        return self.connection.execute(wanted).all()

    def _private(self, entry_ids: Sequence[str]) -> dict[str, tuple[PrivateField, ...]]:
        wanted = select(PrivateFieldRow.__table__).where(PrivateFieldRow.entry_id.in_(entry_ids))
        found: dict[str, tuple[PrivateField, ...]] = {}
        for one in self.connection.execute(wanted.order_by(PrivateFieldRow.entry_id, PrivateFieldRow.name)):
            field = PrivateField(name=one.name, ciphertext=one.ciphertext)
            found[one.entry_id] = (*found.get(one.entry_id, ()), field)
        return found

    def _leaf_hashes(self, entry_ids: Sequence[str]) -> dict[str | None, bytes]:
        wanted = select(SignLogRow.entry_id, SignLogRow.leaf_hash).where(SignLogRow.entry_id.in_(entry_ids))
        return {row.entry_id: row.leaf_hash for row in self.connection.execute(wanted)}


@dataclass(frozen=True, slots=True)
class SqlScans:
    """The database as checks read it."""

    database: Database
    own: Callable[[int], Sequence[Finding]]
    """The engine's own check."""

    @contextmanager
    def open(self) -> Iterator[SqlScan]:
        """One state, for as long as it is read."""
        reader = self.database.reader
        one = reader.begin() if reader.dialect.name == "sqlite" else one_state(reader)
        with database_failures(), one as connection:
            yield SqlScan(connection)

    def own_faults(self, limit: int) -> Sequence[Finding]:
        """What the engine itself finds."""
        with database_failures():
            return self.own(limit)


def _entry(row: Row[Any], private: tuple[PrivateField, ...], intent_leaf_hash: bytes | None) -> StoredEntry:
    return StoredEntry(
        entry_id=row.entry_id,
        columns={"id": row.entry_id, **{name: getattr(row, name) for name in _PROJECTED}},
        canon=row.canon,
        leaf_hash=row.leaf_hash,
        operator_ref=row.operator_ref,
        private=private,
        intent_leaf_hash=intent_leaf_hash,
    )
