"""日志密钥: the Ed25519 key of the published log, in files or in the HSM, under the rule for all keys."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Protocol

from seal_service.domain.errors import InstanceNotReady, IntegrityFailed, NoteRefused, SignatureRefused
from seal_service.domain.key_custody import CustodyRule
from seal_service.domain.log_keys import LogKeyPeriod, log_key_reference, period_of
from seal_service.domain.operation import KeyPlace
from seal_service.domain.publication import SignedTree
from seal_service.formats.checkpoint import SignedCheckpoint, open_checkpoint, read_checkpoint
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


_LOOKED_FOR = 16
"""Keys after the last one that the log names: it was rotated less often since any backup that is still restored."""


class NamedKeys(Protocol):
    """日志密钥更替 by the log's entries: the first key first, the last one in force."""

    def __call__(self) -> Sequence[LogKeyPeriod]:
        """As they were a moment ago."""

    def anew(self) -> Sequence[LogKeyPeriod]:
        """As they are."""


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
        periods: NamedKeys,
    ) -> None:
        self._name = name
        self._stores: dict[KeyPlace, Ed25519Keys] = {KeyPlace.FILE: files}
        if hsm is not None:
            self._stores[KeyPlace.PKCS11] = hsm
        self._new_keys = new_keys
        self._rule = rule
        self._periods = periods
        self._held: dict[int, Ed25519Key] = {}
        self._here: dict[int, VerifierKey | None] = {}
        self._lock = Lock()

    @property
    def verifier_key(self) -> str:
        """name+id+key (C2SP vkey); InstanceNotReady without the key in force, SoftwareKeysRefused for one that may not
        be, IntegrityFailed for one that the log does not name."""
        period = self._periods()[-1]
        return self._named(period, self._verifier(self._key(period.number))).text

    @property
    def verifier_keys(self) -> tuple[str, ...]:
        """Of all periods, the one in force first; their private halves may be gone."""
        return tuple(self._public(one).text for one in reversed(self._periods.anew()))

    def sign(self, text: str, size: int | None = None, periods: Sequence[LogKeyPeriod] | None = None) -> bytes:
        """The signed note, by the key in force or by that of a tree's size.

        Raises InstanceNotReady without that key, SoftwareKeysRefused, KeyStoreUnavailable, IntegrityFailed.
        """
        periods = periods or self._periods()
        period = periods[-1] if size is None else period_of(periods, size)
        key = self._key(period.number)
        verifier = self._named(period, self._verifier(key))
        signature = NoteSignature(name=self._name, key_id=verifier.key_id, value=key.sign(checked_text(text)))
        return write_note(text, [signature])

    def open(
        self, content: bytes, *, periods: Sequence[LogKeyPeriod] | None = None, beyond: int | None = None
    ) -> SignedTree:
        """By the key of the checkpoint's size; beyond a size also by a later one that is here. NoteRefused."""
        size = read_checkpoint(read_note(content).text).size
        known = periods or self._periods()
        try:
            return self._opened(content, size, known)
        except (NoteRefused, InstanceNotReady):
            now = periods or self._periods.anew()
            if now != known:  # another process changed it a moment ago
                return self._opened(content, size, now)
            later = None if beyond is None or size <= beyond else self._later(content, now[-1].number)
            if later is None:
                raise
            return later

    def _opened(self, content: bytes, size: int, periods: Sequence[LogKeyPeriod]) -> SignedTree:
        return _tree(open_checkpoint(content, self._public(period_of(periods, size))))

    def is_there(self, number: int = 1) -> bool:
        """Whether there is that key."""
        return self._found(number) is not None

    def require_permitted(self, number: int = 1) -> None:
        """SoftwareKeysRefused when it may not be made where new keys go."""
        self._rule.require_permitted(log_key_reference(number), self._new_keys)

    def create(self, number: int = 1) -> None:
        """Make it; AlreadyRegistered, SoftwareKeysRefused."""
        self.require_permitted(number)
        self._stores[self._new_keys].create(log_key_reference(number))

    def verifier_key_of(self, number: int) -> str:
        """name+id+key; InstanceNotReady without that key, SoftwareKeysRefused."""
        return self._verifier(self._key(number)).text

    def _public(self, period: LogKeyPeriod) -> VerifierKey:
        """A key that the log names may be gone. What names it is in a database, so that a key that is here and can be
        read has the last word."""
        if period.verifier_key is None:
            return self._verifier(self._key(period.number))
        with self._lock:
            if period.number not in self._here:
                self._here[period.number] = self._readable(period.number)
            here = self._here[period.number]
        return self._named(period, here or verifier_key(period.verifier_key))

    def _readable(self, number: int) -> VerifierKey | None:
        try:
            found = self._found(number)
        except IntegrityFailed:
            return None
        return None if found is None else self._verifier(found[0])

    @staticmethod
    def _named(period: LogKeyPeriod, found: VerifierKey) -> VerifierKey:
        if period.verifier_key not in (None, found.text):
            raise IntegrityFailed(
                f"The key {period.reference} is not the one that the log names ({period.verifier_key}): put that in "
                "its place, or move this one away"
            )
        return found

    def _later(self, content: bytes, last: int) -> SignedTree | None:
        """A checkpoint that a key signed which is here and follows the last one that the log names."""
        for number in range(last + 1, last + 1 + _LOOKED_FOR):
            try:
                if self.is_there(number):
                    return _tree(open_checkpoint(content, self._verifier(self._key(number))))
            except NoteRefused:
                continue
        return None

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


def _tree(opened: SignedCheckpoint) -> SignedTree:
    return SignedTree(size=opened.checkpoint.size, root=opened.checkpoint.root)
