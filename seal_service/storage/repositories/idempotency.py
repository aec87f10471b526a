"""Idempotency keys of requests other than seal uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from seal_service.domain.errors import IdempotencyKeyReused
from seal_service.storage.locking import holding
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Statement, together
from seal_service.storage.tables import IdempotencyRow

_BY_KEY = Statement(
    select(IdempotencyRow.request_digest, IdempotencyRow.made).where(
        IdempotencyRow.account_id == bindparam("account_id"), IdempotencyRow.key == bindparam("key")
    )
)


@dataclass(frozen=True, slots=True)
class SqlIdempotency:
    """Which request an account's key stood for."""

    connection: Connection

    def find(self, account_id: str, key: str) -> tuple[str, str] | None:
        """(request digest, id of what the request made) or None; the key is held until the transaction ends.

        So the same request, made twice at once, is made once and answered twice.
        """
        held = holding(self.connection, f"idempotency {account_id} {key}")
        found = together(self.connection, *held, (_BY_KEY, {"account_id": account_id, "key": key}))[-1]
        return (found[0].request_digest, found[0].made) if found else None

    def add(self, account_id: str, key: str, request_digest: str, made: str, at: datetime) -> None:
        """Insert; IdempotencyKeyReused."""
        values = {"account_id": account_id, "key": key, "request_digest": request_digest, "made": made, "at": at}
        with unique(IdempotencyKeyReused):
            self.connection.execute(insert(IdempotencyRow), values)
