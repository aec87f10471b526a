"""用印."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from seal_service.domain.errors import IdempotencyKeyReused
from seal_service.domain.use import SealUse, UseState
from seal_service.storage.mapping import use_of, use_values
from seal_service.storage.refusals import unique
from seal_service.storage.repositories.grants import counting
from seal_service.storage.statement import Row, Statement, together
from seal_service.storage.tables import GrantRow, SealUseRow

_BY_ID = Statement(select(SealUseRow).where(SealUseRow.id == bindparam("use_id")))
_BY_KEY = Statement(
    select(SealUseRow).where(
        SealUseRow.account_id == bindparam("account_id"), SealUseRow.idempotency_key == bindparam("key")
    )
)
_BY_INTENT = Statement(select(SealUseRow).where(SealUseRow.intent_leaf_hash == bindparam("leaf_hash")))
_COUNTED = Statement(select(GrantRow.uses_counted).where(GrantRow.id == bindparam("grant_id")))
_INSERT = Statement(insert(SealUseRow))
_FIXED_BY_THE_RESERVATION = frozenset(
    {
        "id",
        "account_id",
        "idempotency_key",
        "request_digest",
        "seal_code",
        "seal_epoch",
        "grant_id",
        "grant_epoch",
        "scenario",
        "document_sha256",
        "document_sm3",
        "intent_entry_id",
        "intent_leaf_hash",
        "reserved_at",
        "level_asked",
        "approval_id",
        "approval_epoch",
    }
)
_WRITTEN_AT_THE_END = [one.name for one in SealUseRow.__table__.columns if one.name not in _FIXED_BY_THE_RESERVATION]
"""Only these: a column that is written again has its indexes written again."""
_END = Statement(
    update(SealUseRow)
    .where(SealUseRow.id == bindparam("use_id"), SealUseRow.state == UseState.RESERVED.value)
    .values({name: bindparam(name) for name in _WRITTEN_AT_THE_END})
)


@dataclass(frozen=True, slots=True)
class SqlUses:
    """Seal uses."""

    connection: Connection

    def add(self, use: SealUse) -> None:
        """Insert; IdempotencyKeyReused."""
        with unique(IdempotencyKeyReused):
            together(self.connection, (_INSERT, use_values(use)), counting(use.grant_id, 1))

    def find(self, use_id: str) -> SealUse | None:
        """Read, or None."""
        return _one(_BY_ID.one(self.connection, use_id=use_id))

    def by_key(self, account_id: str, idempotency_key: str) -> SealUse | None:
        """Read by account and idempotency key, or None."""
        return _one(_BY_KEY.one(self.connection, account_id=account_id, key=idempotency_key))

    def by_intent(self, leaf_hash: bytes) -> SealUse | None:
        """Read by the leaf hash of its intent, or None."""
        return _one(_BY_INTENT.one(self.connection, leaf_hash=leaf_hash))

    def counted(self, grant_id: str) -> int:
        """How many uses count against a grant."""
        found = _COUNTED.one(self.connection, grant_id=grant_id)
        return 0 if found is None else int(found[0])

    def end(self, use: SealUse) -> bool:
        """Compare-and-set reserved → the use's state."""
        values = use_values(use)
        written = {name: values[name] for name in _WRITTEN_AT_THE_END}
        ended = _END.run(self.connection, {"use_id": use.id, **written}) == 1
        if ended and not use.counts:
            together(self.connection, counting(use.grant_id, -1))
        return ended

    def release_document(self, use_id: str) -> None:
        """Note that the sealed document is no longer held."""
        self.connection.execute(update(SealUseRow).where(SealUseRow.id == use_id).values(document_kept_until=None))

    def reserved_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Reserved before a moment and not ended, oldest first."""
        wanted = (
            select(SealUseRow)
            .where(SealUseRow.state == UseState.RESERVED.value, SealUseRow.reserved_at < moment)
            .order_by(SealUseRow.reserved_at, SealUseRow.id)
            .limit(limit)
        )
        return [use_of(row) for row in self.connection.execute(wanted)]

    def held_until_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Completed uses whose document's time has passed, longest past first."""
        wanted = (
            select(SealUseRow)
            .where(SealUseRow.state == UseState.COMPLETED.value, SealUseRow.document_kept_until < moment)
            .order_by(SealUseRow.document_kept_until, SealUseRow.id)
            .limit(limit)
        )
        return [use_of(row) for row in self.connection.execute(wanted)]

    def holds(self, sealed_sha256: str) -> bool:
        """Whether any use still holds the document with this digest."""
        held = exists().where(SealUseRow.sealed_sha256 == sealed_sha256, SealUseRow.document_kept_until.is_not(None))
        return bool(self.connection.scalar(select(held)))


def _one(row: Row | None) -> SealUse | None:
    return None if row is None else use_of(row)
