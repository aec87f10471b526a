"""Fakes of the machine, the blob store and the log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from seal_service.domain.access import Account
from seal_service.domain.errors import IntegrityFailed, Unauthenticated
from seal_service.domain.events import Event, LoggedEntry
from seal_service.domain.identifiers import uuid7
from seal_service.domain.machine_login import Binding, Confirmation
from seal_service.domain.operation import UseStep
from seal_service.ports.documents import Content
from seal_service.ports.records import LogRow, Transaction
from seal_service.ports.system import Clock, Entropy, TokenClaims

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class ChangeableClock:
    """A clock that stands still until it is moved."""

    moment: datetime = START

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.moment

    def forward(self, by: timedelta) -> None:
        """Move on."""
        self.moment += by


@dataclass
class CountedEntropy:
    """Bytes that are different at every call and the same in every run."""

    calls: int = 0

    def token(self, length: int) -> bytes:
        """`length` bytes."""
        self.calls += 1
        return hashlib.shake_256(self.calls.to_bytes(8, "big")).digest(length)


class PlainVault:
    """Authenticates the context and encrypts nothing."""

    def encrypt(self, plaintext: bytes, context: bytes) -> bytes:
        """The plaintext behind a digest of the context."""
        return hashlib.sha256(context).digest() + plaintext

    def encrypted(self, pieces: Iterable[Content], context: bytes) -> Iterator[bytes]:
        """The same, piece by piece."""
        yield hashlib.sha256(context).digest()
        yield from (bytes(one) for one in pieces)

    def decrypt(self, ciphertext: bytes, context: bytes) -> bytes:
        """The plaintext; IntegrityFailed for another context."""
        if ciphertext[:32] != hashlib.sha256(context).digest():
            raise IntegrityFailed
        return ciphertext[32:]

    def pseudonym(self, value: str, purpose: str) -> str:
        """A digest without key."""
        return hashlib.sha256(f"{purpose}:{value}".encode()).hexdigest()[:32]


@dataclass
class PlainCredentials:
    """Secrets that can be read and tokens that are account ids."""

    entropy: Entropy

    def new_secret(self) -> tuple[str, str]:
        """A secret that is its own hash."""
        secret = self.entropy.token(16).hex()
        return secret, secret

    def verify_secret(self, secret_hash: str | None, secret: str) -> bool:
        """Whether they are equal."""
        return secret_hash == secret

    def issue_token(
        self,
        account: Account,
        now: datetime,
        *,
        confirmation: Confirmation | None = None,
        credential_id: str | None = None,
    ) -> tuple[str, int]:
        """The account's id, the second it was issued in, the credential and what it is bound to."""
        bound = f"{confirmation.binding.value}:{confirmation.thumbprint}" if confirmation else ""
        return f"{account.id}@{int(now.timestamp())}@{credential_id or ''}@{bound}", 600

    def claims_of_token(self, token: str, now: datetime) -> TokenClaims:
        """What it says for ten minutes; Unauthenticated otherwise."""
        account_id, issued, credential_id, bound = (*token.split("@"), "", "", "")[:4]
        if not issued.isdigit() or int(now.timestamp()) - int(issued) > 600:
            raise Unauthenticated
        binding, _, thumbprint = bound.partition(":")
        return TokenClaims(
            account_id=account_id,
            confirmation=Confirmation(binding=Binding(binding), thumbprint=thumbprint) if bound else None,
            credential_id=credential_id or None,
        )


@dataclass
class MemoryBlobs:
    """Content by digest."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def put(self, *pieces: Content) -> str:
        """Keep."""
        content = b"".join(pieces)
        digest = hashlib.sha256(content).hexdigest()
        self.kept[digest] = content
        return digest

    def get(self, digest: str) -> bytes | None:
        """Read, or None."""
        return self.kept.get(digest)

    def delete(self, digest: str) -> None:
        """Remove."""
        self.kept.pop(digest, None)

    def count(self) -> int:
        """How many."""
        return len(self.kept)

    def encrypt_anew(self, is_current: Callable[[bytes], bool]) -> tuple[int, int]:
        """Nothing: they are not encrypted."""
        del is_current
        return 0, 0


@dataclass
class MemoryLog:
    """A log whose canonical bytes are sorted JSON and whose personal fields are kept in the clear."""

    clock: Clock
    entropy: Entropy
    origin: str = "seal.example/test"

    def append(self, transaction: Transaction, event: Event) -> LoggedEntry:
        """Write the entry."""
        now = self.clock.now()
        entry_id = uuid7(now, self.entropy.token(10))
        seq = transaction.log.next_seq(event.seal_code) if event.seal_code else None
        named = {"id": entry_id, "kind": event.kind.value, "seq": seq, "reason": event.reason, **event.facts}
        canon = json.dumps(named, sort_keys=True, ensure_ascii=False).encode()
        leaf_hash = hashlib.sha256(b"\x00" + canon).digest()
        operator_ref = self.operator_reference(event.operator_id) if event.operator_id else None
        transaction.log.insert(
            LogRow(
                entry_id=entry_id,
                kind=event.kind,
                at=now,
                seq=seq,
                result=event.result.value,
                canon=canon,
                leaf_hash=leaf_hash,
                account_id=event.account_id,
                unit_id=event.unit_id,
                seal_code=event.seal_code,
                scenario=event.scenario,
                operator_ref=operator_ref,
                document_sha256=event.document_sha256,
                use_id=event.use_id,
                intent_id=event.intent_id,
            )
        )
        return LoggedEntry(entry_id=entry_id, kind=event.kind, at=now, leaf_hash=leaf_hash)

    def operator_reference(self, operator_id: str) -> str:
        """A digest of the id."""
        return hashlib.sha256(operator_id.encode()).hexdigest()[:32]

    def private_fields(self, row: LogRow) -> dict[str, str]:
        """The fields as they were written."""
        return {one.name: one.ciphertext.decode() for one in row.private}


class NoMeasurements:
    """Measurements that nobody reads."""

    def timed(self, step: UseStep) -> AbstractContextManager[None]:
        """Nothing."""
        del step
        return nullcontext()

    def use_ended(self, result: str, level: str | None) -> None:
        """Nothing."""
        del result, level
