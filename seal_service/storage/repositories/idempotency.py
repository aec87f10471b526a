"""Idempotency keys of requests other than seal uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from seal_service.domain.errors import IdempotencyKeyReused
from seal_service.storage.locking import hold_name
from seal_service.storage.refusals import unique
from seal_service.storage.tables import IdempotencyRow


@dataclass(frozen=True, slots=True)
class SqlIdempotency:
    """Which request an account's key stood for."""

    connection: Connection

    def find(self, account_id: str, key: str) -> tuple[str, str] | None:
        """(request digest, id of what the request made) or None; the key is held until the transaction ends.

        So the same request, made twice at once, is made once and answered twice.
        """
        hold_name(self.connection, f"idempotency {account_id} {key}")
        row = IdempotencyRow
        wanted = select(row.request_digest, row.made).where(row.account_id == account_id, row.key == key)
        found = self.connection.execute(wanted).one_or_none()
        return None if found is None else (found.request_digest, found.made)

    def add(self, account_id: str, key: str, request_digest: str, made: str, at: datetime) -> None:
        """Insert; IdempotencyKeyReused."""
        values = {"account_id": account_id, "key": key, "request_digest": request_digest, "made": made, "at": at}
        with unique(IdempotencyKeyReused):
            self.connection.execute(insert(IdempotencyRow), values)
