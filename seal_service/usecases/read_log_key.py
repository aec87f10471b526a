"""日志公钥: by what whoever checks the log knows its signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.ports.transparency import NoteSigner
from seal_service.usecases.log_key_periods import LogKeyPeriods


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLogKey:
    """日志公钥."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLogKeys:
    """日志公钥, all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeyInTime:
    """A key of the log, and what it signs."""

    verifier_key: str
    key_reference: str
    above: int
    """Trees of more entries than this, up to those of the next key."""


@dataclass(frozen=True)
class ReadLogKeysUseCase:
    """日志公钥 of all keys, the first one first. InstanceNotReady when there is no key yet."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    signer: NoteSigner
    keys: LogKeyPeriods

    def __call__(self, _caller: Caller, _command: ReadLogKeys) -> tuple[LogKeyInTime, ...]:
        """The last one is in force."""
        return tuple(
            LogKeyInTime(verifier_key=key, key_reference=one.reference, above=max(0, one.above))
            for one, key in zip(
                self.keys.anew(), reversed(self.signer.verifier_keys), strict=False
            )  # a rotation may come in between
        )


@dataclass(frozen=True)
class ReadLogKeyUseCase:
    """日志公钥. InstanceNotReady when there is no key yet."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    signer: NoteSigner

    def __call__(self, _caller: Caller, _command: ReadLogKey) -> str:
        """name+id+key (C2SP vkey)."""
        return self.signer.verifier_key
