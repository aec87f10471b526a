"""用印."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update

from seal_service.domain.errors import IdempotencyKeyReused
from seal_service.domain.use import SealUse, UseState
from seal_service.storage.mapping import use_of, use_values
from seal_service.storage.refusals import unique
from seal_service.storage.tables import SealUseRow

_COUNTED = (UseState.RESERVED.value, UseState.COMPLETED.value)


@dataclass(frozen=True, slots=True)
class SqlUses:
    """Seal uses."""

    connection: Connection

    def add(self, use: SealUse) -> None:
        """Insert; IdempotencyKeyReused."""
        with unique(IdempotencyKeyReused):
            self.connection.execute(insert(SealUseRow), use_values(use))

    def find(self, use_id: str) -> SealUse | None:
        """Read, or None."""
        return self._one(SealUseRow.id == use_id)

    def by_key(self, account_id: str, idempotency_key: str) -> SealUse | None:
        """Read by account and idempotency key, or None."""
        return self._one((SealUseRow.account_id == account_id) & (SealUseRow.idempotency_key == idempotency_key))

    def counted(self, grant_id: str) -> int:
        """How many uses count against a grant."""
        counted = SealUseRow.state.in_(_COUNTED)
        wanted = select(func.count()).select_from(SealUseRow).where(SealUseRow.grant_id == grant_id, counted)
        return self.connection.scalar(wanted) or 0

    def end(self, use: SealUse) -> bool:
        """Compare-and-set reserved → the use's state."""
        still_reserved = SealUseRow.state == UseState.RESERVED.value
        ended = update(SealUseRow).where(SealUseRow.id == use.id, still_reserved)
        return self.connection.execute(ended, use_values(use)).rowcount == 1

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

    def _one(self, condition: ColumnElement[bool]) -> SealUse | None:
        row = self.connection.execute(select(SealUseRow).where(condition)).one_or_none()
        return None if row is None else use_of(row)
