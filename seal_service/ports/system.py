"""Ports to the machine: time, randomness, secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain.access import Account
from seal_service.domain.machine_login import Confirmation
from seal_service.domain.operation import Condition, UseStep
from seal_service.ports.documents import Content


class Clock(Protocol):
    """The time of day."""

    def now(self) -> datetime:
        """Now, in UTC, time-zone aware."""


class Entropy(Protocol):
    """A cryptographically secure source of random bytes; safe for threads."""

    def token(self, length: int) -> bytes:
        """`length` random bytes."""


class Vault(Protocol):
    """Encrypts what is kept at rest, under the instance's master key. Stateless; safe for threads."""

    def encrypt(self, plaintext: bytes, context: bytes) -> bytes:
        """Ciphertext that can be opened only with the same context (authenticated, nonce included)."""

    def encrypted(self, pieces: Iterable[Content], context: bytes) -> Iterator[bytes]:
        """The same for content in pieces, of which nothing is held whole: the ciphertext, part by part."""

    def decrypt(self, ciphertext: bytes, context: bytes) -> bytes:
        """The plaintext; IntegrityFailed when ciphertext or context is not the one that was encrypted."""

    def pseudonym(self, value: str, purpose: str) -> str:
        """A keyed pseudonym of a value, 32 hexadecimal characters: equal for equal values, useless without the key."""


class KeptFiles(Protocol):
    """What is kept encrypted in files, to be encrypted anew. Safe for processes; readers find it whole at any time."""

    def count(self) -> int:
        """How many there are."""

    def encrypt_anew(self, is_current: Callable[[bytes], bool]) -> tuple[int, int]:
        """Encrypt what `is_current` denies of the first 16 bytes of a file.

        How many were, and how many cannot be opened and stay as they are.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """What an access token says."""

    account_id: str
    confirmation: Confirmation | None = None
    """None: a bearer token."""
    credential_id: str | None = None
    """The registered credential by which it was given; None: the account's own client secret."""


class Credentials(Protocol):
    """Client secrets and access tokens. Stateless; safe for threads."""

    def new_secret(self) -> tuple[str, str]:
        """A fresh client secret and its hash (argon2id)."""

    def verify_secret(self, secret_hash: str | None, secret: str) -> bool:
        """Whether the secret is the hashed one; takes as long for None (an unknown account)."""

    def issue_token(
        self,
        account: Account,
        now: datetime,
        *,
        confirmation: Confirmation | None = None,
        credential_id: str | None = None,
    ) -> tuple[str, int]:
        """An access token, bound if a confirmation is given, and its lifetime in seconds."""

    def claims_of_token(self, token: str, now: datetime) -> TokenClaims:
        """What a valid token says; Unauthenticated otherwise. Whoever asks checks what it is bound to."""


class BlobStore(Protocol):
    """Documents and pictures by digest. `put` is durable when it returns; create-only; safe for processes."""

    def put(self, *pieces: Content) -> str:
        """Keep the content that the pieces make, encrypted; its SHA-256 (64 hex) is its name.

        The same content twice is one blob, in whatever pieces it comes.
        """

    def get(self, digest: str) -> bytes | None:
        """The content, checked against its digest, or None."""

    def delete(self, digest: str) -> None:
        """Remove the content; nothing when it is gone already."""


class Measurements(Protocol):
    """Where the time of seal uses goes, and how they end. Safe for threads; costs microseconds; never raises."""

    def timed(self, step: UseStep) -> AbstractContextManager[None]:
        """Time what is done inside as one step of a seal use, also when it fails."""

    def use_ended(self, result: str, level: str | None) -> None:
        """Count a use that ended: `completed`, `replayed`, `denied` or an error's code; the level that was reached."""


class RequestMeasurements(Protocol):
    """How requests are answered. Safe for threads; costs microseconds; never raises."""

    def request_began(self) -> None:
        """One more request is under way."""

    def request_ended(self, method: str, route: str, status: int | None, seconds: float) -> None:
        """It ended: its method, the route's template, the status (None: the client went away), how long it took."""


class Exposition(Protocol):
    """What was measured, by all processes of the service together. Safe for threads."""

    def text(self, condition: Callable[[], Condition]) -> bytes:
        """Everything, in Prometheus' text format; `condition` is asked at most every few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSpace:
    """剩余空间 of one of the instance's directories."""

    name: str
    """home, documents or keys."""
    free_bytes: int | None
    """None: the directory or its volume does not answer."""


class Volumes(Protocol):
    """The volumes on which the instance's directories lie. Safe for threads; never raises."""

    def free(self) -> Sequence[FreeSpace]:
        """What this process may still write, by directory."""
