"""Fakes of the records of grants and uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from seal_service.domain import errors
from seal_service.domain.grant import Grant
from seal_service.domain.use import SealUse, UseState
from seal_service.testing.state import State


@dataclass
class MemoryGrants:
    """Grants."""

    state: State

    def add(self, grant: Grant) -> None:
        """Insert."""
        self.state.grants[grant.id] = grant

    def lock(self, grant_id: str) -> Grant:
        """Read."""
        if grant_id not in self.state.grants:
            raise errors.GrantNotFound
        return self.state.grants[grant_id]

    def lock_candidates(
        self, seal_code: str, grantee_id: str, scenario: str, document_sha256: str, now: datetime
    ) -> Sequence[Grant]:
        """Newest first."""
        wanted = (seal_code, grantee_id, scenario)
        found = [
            one for one in self.state.grants.values() if (one.seal_code, one.grantee_id, one.scenario.code) == wanted
        ]
        newest_first = sorted(found, key=lambda one: (one.granted_at, one.id), reverse=True)
        allowing = [
            one
            for one in newest_first
            if one.revoked_at is None
            and one.valid_from <= now < one.valid_until
            and (not one.digests or document_sha256 in one.digests)
            and (one.maximum_uses is None or MemoryUses(self.state).counted(one.id) < one.maximum_uses)
        ]
        return allowing or newest_first[:1]

    replace = add


@dataclass
class MemoryUses:
    """Uses."""

    state: State

    def add(self, use: SealUse) -> None:
        """Insert."""
        if self.by_key(use.account_id, use.idempotency_key) is not None:
            raise errors.IdempotencyKeyReused
        self.state.uses[use.id] = use

    def find(self, use_id: str) -> SealUse | None:
        """Read."""
        return self.state.uses.get(use_id)

    def by_key(self, account_id: str, idempotency_key: str) -> SealUse | None:
        """Read by key."""
        wanted = (account_id, idempotency_key)
        return next((use for use in self.state.uses.values() if (use.account_id, use.idempotency_key) == wanted), None)

    def by_intent(self, leaf_hash: bytes) -> SealUse | None:
        """Read by the intent's leaf hash."""
        return next((use for use in self.state.uses.values() if use.intent.leaf_hash == leaf_hash), None)

    def counted(self, grant_id: str) -> int:
        """Count."""
        return sum(use.counts for use in self.state.uses.values() if use.grant_id == grant_id)

    def end(self, use: SealUse) -> bool:
        """Compare and set."""
        if self.state.uses[use.id].state is not UseState.RESERVED:
            return False
        self.state.uses[use.id] = use
        return True

    def release_document(self, use_id: str) -> None:
        """Hold no longer."""
        self.state.uses[use_id] = replace(self.state.uses[use_id], document_kept_until=None)

    def reserved_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Oldest first."""
        stale = [use for use in self.state.uses.values() if use.state is UseState.RESERVED and use.reserved_at < moment]
        return sorted(stale, key=lambda use: use.reserved_at)[:limit]

    def held_until_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Any order."""
        held = (use for use in self.state.uses.values() if use.document_kept_until is not None)
        return [use for use in held if use.document_kept_until and use.document_kept_until < moment][:limit]

    def holds(self, sealed_sha256: str) -> bool:
        """Whether any does."""
        return any(
            use.sealed_sha256 == sealed_sha256 and use.document_kept_until is not None
            for use in self.state.uses.values()
        )


@dataclass
class MemoryRequests:
    """Idempotency keys."""

    state: State

    def find(self, account_id: str, key: str) -> tuple[str, str] | None:
        """Read."""
        return self.state.requests.get((account_id, key))

    def add(self, account_id: str, key: str, request_digest: str, made: str, at: datetime) -> None:
        """Insert."""
        del at
        if (account_id, key) in self.state.requests:
            raise errors.IdempotencyKeyReused
        self.state.requests[account_id, key] = (request_digest, made)
