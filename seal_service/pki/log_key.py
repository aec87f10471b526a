"""日志密钥: the Ed25519 key of the published log, in files or in the HSM, under the rule for all keys."""

from __future__ import annotations

from threading import Lock
from typing import Protocol

from seal_service.domain.errors import InstanceNotReady, SignatureRefused
from seal_service.domain.key_custody import CustodyRule
from seal_service.domain.operation import KeyPlace
from seal_service.domain.publication import LOG_KEY
from seal_service.formats.note import NoteSignature, SignatureType, VerifierKey, checked_text, write_note


class Ed25519Key(Protocol):
    """A private key of Ed25519 that signs and does nothing else."""

    @property
    def public_key(self) -> bytes:
        """32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""


class Ed25519Keys(Protocol):
    """Where such keys are, by reference."""

    def create(self, reference: str) -> Ed25519Key:
        """A new key; AlreadyRegistered."""

    def open(self, reference: str) -> Ed25519Key:
        """The key; SignatureRefused when there is none."""


class LogKey:
    """日志密钥 under the log's name; held ready after its first use. Safe for threads.

    A file is looked for first, so that a key that is there needs no HSM; a new one is made where new keys go.
    """

    def __init__(
        self, name: str, files: Ed25519Keys, hsm: Ed25519Keys | None, new_keys: KeyPlace, rule: CustodyRule
    ) -> None:
        self._name = name
        self._stores: dict[KeyPlace, Ed25519Keys] = {KeyPlace.FILE: files}
        if hsm is not None:
            self._stores[KeyPlace.PKCS11] = hsm
        self._new_keys = new_keys
        self._rule = rule
        self._held: Ed25519Key | None = None
        self._lock = Lock()

    @property
    def verifier_key(self) -> str:
        """name+id+key (C2SP vkey); InstanceNotReady without a key, SoftwareKeysRefused for one that may not be."""
        return self._verifier(self._key()).text

    def sign(self, text: str) -> bytes:
        """The signed note; InstanceNotReady without a key, SoftwareKeysRefused, KeyStoreUnavailable."""
        key = self._key()
        verifier = self._verifier(key)
        signature = NoteSignature(name=self._name, key_id=verifier.key_id, value=key.sign(checked_text(text)))
        return write_note(text, [signature])

    def is_there(self) -> bool:
        """Whether there is a key."""
        return self._found() is not None

    def create(self) -> None:
        """Make it; AlreadyRegistered, SoftwareKeysRefused."""
        self._rule.require_permitted(LOG_KEY, self._new_keys)
        self._stores[self._new_keys].create(LOG_KEY)

    def _key(self) -> Ed25519Key:
        with self._lock:
            if self._held is None:
                found = self._found()
                if found is None:
                    raise InstanceNotReady("The signing log has no key: run `seal log init`")
                key, place = found
                self._rule.require_permitted(LOG_KEY, place)
                self._held = key
            return self._held

    def _found(self) -> tuple[Ed25519Key, KeyPlace] | None:
        for place, store in self._stores.items():
            try:
                return store.open(LOG_KEY), place
            except SignatureRefused:
                continue
        return None

    def _verifier(self, key: Ed25519Key) -> VerifierKey:
        return VerifierKey(name=self._name, type=SignatureType.ED25519, public_key=key.public_key)
