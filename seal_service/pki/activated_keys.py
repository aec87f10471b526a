"""启用的密钥: keys that their keepers activate, as the service's other processes see them."""

from __future__ import annotations

import base64
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from seal_service.domain.activation import Activation, KeyProcessCondition
from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import (
    ActivationSecretWrong,
    Conflict,
    IntegrityFailed,
    KeyProcessUnavailable,
    KeyStoreUnavailable,
    SealNotActivated,
    SignatureRefused,
    TokenPinLocked,
    Unavailable,
)
from seal_service.pki.file_keys import FileKeyStore, LockedKey, SoftwareKey
from seal_service.pki.key_process import SOCKET, is_own_user, receive_frame, send_frame
from seal_service.pki.key_stores import has_key
from seal_service.pki.seal_token_keys import SealTokenKey, SealTokenKeyStore
from seal_service.ports.crypto import KeyStore, SigningKey

_SECONDS = 10.0
_SECONDS_TO_ACTIVATE = 8.0
"""Less than other writers of the database wait for the transaction that this is in."""
_SECONDS_TO_ANSWER = 1.0
"""From the last moment at which the key process takes a key to that at which its answer is waited for no more."""
_SECONDS_TO_TELL = 1.0
"""For a mere look, which may be under a seal's lock."""


class KeyProcessClient:
    """Talks to the key process of a directory, over connections that are kept. Safe for threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()

    def ask(self, within: float = _SECONDS, **request: Any) -> dict[str, Any]:
        """The answer; KeyProcessUnavailable. Asked again on a new connection where a kept one has ended.

        A process that ended has forgotten everything, so that nothing can be done twice by that.
        """
        while (kept := self._kept()) is not None:
            answer = self._asked(kept, request, within)
            if answer is not None:
                return answer
        try:
            connection = self._connected()
        except OSError as error:
            raise KeyProcessUnavailable from error
        answer = self._asked(connection, request, within)
        if answer is None:
            raise KeyProcessUnavailable
        return answer

    @contextmanager
    def asking(self, within: float, **request: Any) -> Iterator[Callable[[], dict[str, Any]]]:
        """Ask what may be asked twice. What is done inside goes on meanwhile; what it gives waits for the answer."""
        connection = self._kept()
        if connection is not None:
            try:
                _send(connection, request, within)
            except OSError:
                connection.close()
                connection = None

        def answer() -> dict[str, Any]:
            nonlocal connection
            asked, connection = connection, None
            found = None if asked is None else self._received(asked)
            return self.ask(within, **request) if found is None else found

        try:
            yield answer
        finally:
            if connection is not None:  # nobody called for it: taken off, or it would answer the next
                with suppress(KeyProcessUnavailable):
                    self._received(connection)

    def close(self) -> None:
        """End the connections that are kept."""
        while (kept := self._kept()) is not None:
            kept.close()

    def _kept(self) -> socket.socket | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def condition(self) -> KeyProcessCondition:
        """Since when it runs and how many keys are activated; KeyProcessUnavailable."""
        answer = self.ask(_SECONDS_TO_TELL, do="condition")
        return KeyProcessCondition(
            since=datetime.fromtimestamp(answer["since"], UTC), activated=int(answer["activated"])
        )

    def _asked(self, connection: socket.socket, request: dict[str, Any], within: float) -> dict[str, Any] | None:
        """The answer; as `_received`."""
        try:
            _send(connection, request, within)
        except OSError:
            connection.close()
            return None
        return self._received(connection)

    def _received(self, connection: socket.socket) -> dict[str, Any] | None:
        """The answer, and the connection is kept; None when the other end is gone.

        KeyProcessUnavailable when it takes too long: what was asked may still be done, so that it is not asked again.
        """
        try:
            answer = receive_frame(connection)
        except TimeoutError as error:
            connection.close()
            raise KeyProcessUnavailable from error
        except (OSError, ValueError):
            answer = None
        if answer is None:
            connection.close()
            return None
        with self._lock:
            self._idle.append(connection)
        return answer

    def _connected(self) -> socket.socket:
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_SECONDS)
            connection.connect(f"/proc/self/fd/{directory}/{SOCKET}")  # its own name may be too long for an address
            if not is_own_user(connection):
                raise OSError("the key process runs as another user")
        except OSError:
            connection.close()
            raise
        finally:
            os.close(directory)
        return connection


def _send(connection: socket.socket, request: dict[str, Any], within: float) -> None:
    if connection.gettimeout() != within:
        connection.settimeout(within)
    send_frame(connection, request)


class ActivatedKey:
    """A key that signs in the key process, as long as it is activated there; the port SigningKey."""

    def __init__(self, locked: LockedKey | SealTokenKey, process: KeyProcessClient) -> None:
        self._locked = locked
        self._process = process

    @property
    def suite(self) -> Suite:
        """Key type with the digest it signs."""
        return self._locked.suite

    @property
    def public_key_info(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return self._locked.public_key_info

    @contextmanager
    def asked(self) -> Iterator[Callable[[], None]]:
        """Ask whether it would sign now; what this gives raises SealNotActivated unless so. Nothing is counted."""
        with self._process.asking(_SECONDS_TO_TELL, do="status", reference=self._locked.reference) as answer:

            def require_activated() -> None:
                try:
                    if "until" not in answer():
                        raise SealNotActivated
                except KeyProcessUnavailable as error:
                    raise SealNotActivated(error.message) from error

            yield require_activated

    def sign(self, message: bytes) -> bytes:
        """Sign it there, and be counted; SealNotActivated, KeyStoreUnavailable for a token that does not answer."""
        try:
            answer = self._process.ask(
                do="sign", reference=self._locked.reference, message=base64.b64encode(message).decode()
            )
        except KeyProcessUnavailable as error:
            raise SealNotActivated(error.message) from error
        if answer.get("error") == "not_activated":
            raise SealNotActivated
        if answer.get("error") == "unavailable":
            raise KeyStoreUnavailable(str(answer["told"]))
        signature = answer.get("signature")
        if not isinstance(signature, str):
            raise SignatureRefused("The key process gave no signature")
        return base64.b64decode(signature)


class ActivatedSealKeys:
    """Seals' keys for sealing: one that its keeper has taken into custody signs only while it is activated.

    One that has a token of its own signs in no other way. `required`: one in a file that no keeper has taken signs not
    at all. Keys in the service's own token have no PIN of a keeper: they sign.
    """

    def __init__(self, keys: KeyStore, process: KeyProcessClient, *, required: bool) -> None:
        self._keys = keys
        self._process = process
        self._required = required

    def open(self, reference: str) -> SigningKey:
        """The key; SignatureRefused, SealNotActivated when no keeper has taken it."""
        key = self._keys.open(reference)
        if isinstance(key, LockedKey | SealTokenKey):
            return ActivatedKey(key, self._process)
        if self._required and isinstance(key, SoftwareKey):
            raise SealNotActivated("The seal's keeper has not taken it into custody yet")
        return key

    def asked(self, reference: str) -> AbstractContextManager[Callable[[], None]]:
        """Whether a key that its keeper has locked would sign; whatever else is wrong its use will tell."""
        try:
            key = self.open(reference)
        except SealNotActivated as refusal:
            return nullcontext(partial(_refuse, refusal))
        except (SignatureRefused, IntegrityFailed, Unavailable):
            return nullcontext(_nothing)
        return key.asked() if isinstance(key, ActivatedKey) else nullcontext(_nothing)


def _refuse(refusal: SealNotActivated) -> None:
    raise refusal


def _nothing() -> None:
    """No keeper has locked it."""


class SealKeyActivation:
    """启用 of keys in files and of those that have tokens of their own; the port KeyActivation."""

    def __init__(self, files: FileKeyStore, tokens: SealTokenKeyStore | None, process: KeyProcessClient) -> None:
        self._files = files
        self._tokens = tokens
        self._process = process

    def find(self, reference: str, *, anew: bool) -> None:
        """Have it held ready."""
        if anew and self._tokens is not None and not has_key(self._files, reference):
            self._tokens.look_anew()
        self._found(reference)

    def protect(self, reference: str, secret: str) -> None:
        """Put the key under the secret, for good."""
        found = self._found(reference)
        if self._tokens is not None and isinstance(found, SealTokenKey):
            self._tokens.protect(reference, secret)
        else:
            self._files.protect(reference, secret)

    def activate(self, reference: str, secret: str, until: datetime, uses: int | None) -> None:
        """Let it sign."""
        opened_by: dict[str, Any]
        match self._found(reference):
            case SealTokenKey(label=label):
                opened_by = {"token": label}
            case LockedKey(wrapped=wrapped):
                opened_by = {"wrapped": base64.b64encode(wrapped).decode()}
            case _:
                raise SealNotActivated("The seal's keeper has not taken it into custody yet")
        answer = self._process.ask(
            _SECONDS_TO_ACTIVATE,
            do="activate",
            reference=reference,
            secret=secret,
            until=until.timestamp(),
            uses=uses,
            by=time.monotonic() + _SECONDS_TO_ACTIVATE - _SECONDS_TO_ANSWER,  # one clock for the whole machine
            **opened_by,
        )
        match answer.get("error"):
            case None:
                return
            case "wrong":
                raise ActivationSecretWrong
            case "token_locked":
                raise TokenPinLocked(str(answer["told"]))
            case "unavailable":
                raise KeyStoreUnavailable(str(answer["told"]))
        raise KeyProcessUnavailable("The key process did not take the key")

    def _found(self, reference: str) -> SoftwareKey | LockedKey | SealTokenKey:
        if has_key(self._files, reference):
            return self._files.open(reference)
        if self._tokens is not None and self._tokens.has(reference):
            return self._tokens.open(reference)
        raise Conflict(
            "The seal's key is in the service's own token of the HSM, whose PIN is not a keeper's: renew the seal once "
            "SEAL_PKCS11_SEAL_TOKENS names tokens for seals' keys"
        )

    def end(self, reference: str) -> bool:
        """Lock it again."""
        return bool(self._process.ask(do="end", reference=reference).get("was"))

    def status(self, reference: str) -> Activation | None:
        """How far it is activated."""
        with suppress(KeyProcessUnavailable):
            answer = self._process.ask(do="status", reference=reference)
            if "until" in answer:
                return Activation(until=datetime.fromtimestamp(answer["until"], UTC), uses_left=answer["left"])
        return None
