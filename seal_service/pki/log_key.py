"""日志密钥: the Ed25519 key of the published log, in files or in the HSM, under the rule for all keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Protocol

from seal_service.domain.errors import InstanceNotReady, IntegrityFailed, NoteRefused, SignatureRefused
from seal_service.domain.key_custody import CustodyRule
from seal_service.domain.log_keys import LogKeyPeriod, log_key_reference, period_of
from seal_service.domain.operation import KeyPlace
from seal_service.domain.publication import SignedTree
from seal_service.formats.checkpoint import open_checkpoint, read_checkpoint
from seal_service.formats.note import (
    NoteSignature,
    SignatureType,
    VerifierKey,
    checked_text,
    read_note,
    verifier_key,
    write_note,
)


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
    """日志密钥 under the log's name, each held ready after its first use. Safe for threads.

    A file is looked for first, so that a key that is there needs no HSM; a new one is made where new keys go. Which of
    the keys is in force is what the log says.
    """

    def __init__(
        self,
        name: str,
        files: Ed25519Keys,
        hsm: Ed25519Keys | None,
        new_keys: KeyPlace,
        rule: CustodyRule,
        periods: Callable[[], Sequence[LogKeyPeriod]],
    ) -> None:
        """`periods`: the log's keys by its entries, the first one first, the last one in force."""
        self._name = name
        self._stores: dict[KeyPlace, Ed25519Keys] = {KeyPlace.FILE: files}
        if hsm is not None:
            self._stores[KeyPlace.PKCS11] = hsm
        self._new_keys = new_keys
        self._rule = rule
        self._periods = periods
        self._held: dict[int, Ed25519Key] = {}
        self._lock = Lock()

    @property
    def verifier_key(self) -> str:
        """name+id+key (C2SP vkey); InstanceNotReady without a key, SoftwareKeysRefused for one that may not be."""
        return self._public(self._periods()[-1]).text

    @property
    def verifier_keys(self) -> tuple[str, ...]:
        """Of all periods, the one in force first."""
        return tuple(self._public(one).text for one in reversed(self._periods()))

    def sign(self, text: str, size: int | None = None) -> bytes:
        """The signed note, by the key in force or by that of a tree's size.

        Raises InstanceNotReady without that key, SoftwareKeysRefused, KeyStoreUnavailable.

        Raises IntegrityFailed when the key that is here is not the one that the log names.
        """
        periods = self._periods()
        period = periods[-1] if size is None else period_of(periods, size)
        key = self._key(period.number)
        verifier = self._verifier(key)
        if period.verifier_key not in (None, verifier.text):
            raise IntegrityFailed(
                f"The key {period.reference} is not the one that the log names ({period.verifier_key}): put that back"
            )
        signature = NoteSignature(name=self._name, key_id=verifier.key_id, value=key.sign(checked_text(text)))
        return write_note(text, [signature])

    def open(self, content: bytes) -> SignedTree:
        """By the key of the checkpoint's size; NoteRefused.

        A key that is here and that the log does not name yet holds too for what none that it names could have signed: a
        database restored from a backup is behind its guard, also in this.
        """
        periods = self._periods()
        size = read_checkpoint(read_note(content).text).size
        period = period_of(periods, size)
        try:
            checkpoint = open_checkpoint(content, self._public(period)).checkpoint
        except NoteRefused:
            number = period.number + 1
            if period is not periods[-1] or not self.is_there(number):
                raise
            checkpoint = open_checkpoint(content, self._verifier(self._key(number))).checkpoint
        return SignedTree(size=checkpoint.size, root=checkpoint.root)

    def is_there(self, number: int = 1) -> bool:
        """Whether there is that key."""
        return self._found(number) is not None

    def create(self, number: int = 1) -> None:
        """Make it; AlreadyRegistered, SoftwareKeysRefused."""
        reference = log_key_reference(number)
        self._rule.require_permitted(reference, self._new_keys)
        self._stores[self._new_keys].create(reference)

    def verifier_key_of(self, number: int) -> str:
        """name+id+key; InstanceNotReady without that key, SoftwareKeysRefused."""
        return self._verifier(self._key(number)).text

    def _public(self, period: LogKeyPeriod) -> VerifierKey:
        """A key that the log names may be gone by now, but for the one in force."""
        if period.verifier_key is not None:
            return verifier_key(period.verifier_key)
        return self._verifier(self._key(period.number))

    def _key(self, number: int) -> Ed25519Key:
        with self._lock:
            if number not in self._held:
                found = self._found(number)
                if found is None:
                    if number > 1:
                        raise InstanceNotReady(
                            f"The signing log's key {log_key_reference(number)} is not here: put it back from a backup"
                        )
                    raise InstanceNotReady(
                        "The signing log has no key: run `seal log init`; where it had one, put that back from a backup"
                    )
                key, place = found
                self._rule.require_permitted(log_key_reference(number), place)
                self._held[number] = key
            return self._held[number]

    def _found(self, number: int) -> tuple[Ed25519Key, KeyPlace] | None:
        for place, store in self._stores.items():
            try:
                return store.open(log_key_reference(number)), place
            except SignatureRefused:
                continue
        return None

    def _verifier(self, key: Ed25519Key) -> VerifierKey:
        return VerifierKey(name=self._name, type=SignatureType.ED25519, public_key=key.public_key)
