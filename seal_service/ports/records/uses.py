"""Grants and uses, and whose request a key stood for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from seal_service.domain.grant import Grant
from seal_service.domain.use import SealUse


class GrantRecords(Protocol):
    """Grants."""

    def add(self, grant: Grant) -> None:
        """Insert."""

    def lock(self, grant_id: str) -> Grant:
        """Read, locked until the transaction ends; GrantNotFound."""

    def lock_candidates(
        self, seal_code: str, grantee_id: str, scenario: str, document_sha256: str, now: datetime
    ) -> Sequence[Grant]:
        """Grants that may allow the use of a document now, newest first, locked until the transaction ends.

        Neither revoked, used up, out of their time, nor for other documents; of very many those that last longest.
        Without any the newest grant alone, which says why not.
        """

    def replace(self, grant: Grant) -> None:
        """Write the grant's present form."""


class UseRecords(Protocol):
    """Seal uses."""

    def add(self, use: SealUse) -> None:
        """Insert; IdempotencyKeyReused when account and key are taken."""

    def find(self, use_id: str) -> SealUse | None:
        """Read, or None."""

    def by_key(self, account_id: str, idempotency_key: str) -> SealUse | None:
        """Read by account and idempotency key, or None."""

    def by_intent(self, leaf_hash: bytes) -> SealUse | None:
        """Read by the leaf hash of its intent, which the seal on a document carries, or None."""

    def counted(self, grant_id: str) -> int:
        """How many uses count against a grant: reserved and completed ones."""

    def end(self, use: SealUse) -> bool:
        """Compare-and-set: write a use that ends, only if it is still reserved; whether it was."""

    def release_document(self, use_id: str) -> None:
        """Note that the sealed document is no longer held."""

    def reserved_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Uses reserved before a moment and not ended, oldest first."""

    def held_until_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Completed uses whose document's time has passed."""

    def holds(self, sealed_sha256: str) -> bool:
        """Whether any use still holds the document with this digest."""


class IdempotencyRecords(Protocol):
    """Which request an account's idempotency key stood for (seal uses keep their own)."""

    def find(self, account_id: str, key: str) -> tuple[str, str] | None:
        """(request digest, id of what the request made) or None; the key is held until the transaction ends."""

    def add(self, account_id: str, key: str, request_digest: str, made: str, at: datetime) -> None:
        """Insert; IdempotencyKeyReused when another request came first."""
