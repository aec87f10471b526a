"""令牌密钥轮换: access tokens are signed by a new key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.ports.crypto import TokenKeyRotation
from seal_service.ports.records import Records, SigningLog

TOKEN_KEY = "token_key"  # noqa: S105 - what the log calls the key that was rotated


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateTokenKey:
    """令牌密钥轮换 now."""


@dataclass(frozen=True)
class RotateTokenKeyUseCase:
    """令牌密钥轮换. Tokens that are out stay good until they end; a second rotation ends them at once.

    Raises Conflict when another rotation is under way.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    rotation: TokenKeyRotation

    def __call__(self, caller: Caller, _command: RotateTokenKey) -> None:
        """Rotate, inside the transaction that logs it: a rotation without entry could only be one that was cut off."""
        with self.records.write() as transaction:
            event = Event(kind=EventKind.KEY_ROTATED, facts={"key": TOKEN_KEY})
            self.log.append(transaction, act_of(caller, event))
            self.rotation.rotate()
            transaction.commit()
