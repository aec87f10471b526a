"""日志公钥: by what whoever checks the log knows its signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.ports.transparency import NoteSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLogKey:
    """日志公钥."""


@dataclass(frozen=True)
class ReadLogKeyUseCase:
    """日志公钥. InstanceNotReady when there is no key yet."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    signer: NoteSigner

    def __call__(self, _caller: Caller, _command: ReadLogKey) -> str:
        """name+id+key (C2SP vkey)."""
        return self.signer.verifier_key
