"""Port to keys that their unit's keeper activates."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from seal_service.domain.activation import Activation, KeyProcessCondition
from seal_service.ports.crypto import SigningKey


class SealKeys(Protocol):
    """Keys of seals, to sign with."""

    def open(self, reference: str) -> SigningKey:
        """The key; SignatureRefused when there is none, SealNotActivated when its keeper has it locked."""


class LockedKeys(Protocol):
    """Which seals' keys are locked, asked before anything is reserved; what it finds may change until they sign."""

    def asked(self, reference: str) -> AbstractContextManager[Callable[[], None]]:
        """Ask about a key. What is done inside goes on meanwhile; what it gives raises SealNotActivated for a key that
        its keeper has locked, and nothing for any other."""


class KeyProcess(Protocol):
    """密钥进程, as those see it who watch over the service."""

    def condition(self) -> KeyProcessCondition:
        """How it is now; KeyProcessUnavailable when it does not answer."""


class KeyActivation(Protocol):
    """启用. What was activated is held by one process, in memory alone, and gone when that ends."""

    def find(self, reference: str, *, anew: bool) -> None:
        """Look for the key, which an HSM may take long for: before a transaction. As `protect` and `activate` raise.

        `anew`: and have the HSM tell what other processes have done to it, as `protect` needs.
        """

    def protect(self, reference: str, secret: str) -> None:
        """Put the key under the secret for good, so that it signs while it is activated and never else.

        Under this very secret already, nothing is done: so what was interrupted is repeated.
        Raises Conflict when it is under another, or is not a key in a file or in a token of its own; InvalidInput for a
        secret that the token does not take; SignatureRefused when there is none, KeyStoreUnavailable.
        """

    def activate(self, reference: str, secret: str, until: datetime, uses: int | None) -> None:
        """Let it sign until a moment, and so many times.

        Raises ActivationSecretWrong, KeyProcessUnavailable; KeyStoreUnavailable, of it TokenPinLocked.
        """

    def end(self, reference: str) -> bool:
        """Lock it again; whether it was activated. KeyProcessUnavailable."""

    def status(self, reference: str) -> Activation | None:
        """How far it is activated; None: it is not, or the process that would know is gone."""
