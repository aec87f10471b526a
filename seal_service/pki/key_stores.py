"""密钥库: every private key of an instance, in files and in the HSM, under one rule of where it may be."""

from __future__ import annotations

from collections.abc import Sequence

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered, KeyNotFound, Unavailable
from seal_service.domain.key_custody import CustodyFinding, CustodyRule
from seal_service.domain.operation import KeyPlace
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.ports.crypto import KeyFacts, KeyStore, SigningKey


class KeyStores:
    """The KeyStore that an instance uses: new keys go where the settings say, and keys are found in files and HSM.

    It alone makes and gives out keys, so no software key comes into being or signs where the rule refuses it
    (SoftwareKeysRefused). Without an HSM it is the key directory.
    """

    def __init__(self, files: FileKeyStore, hsm: Pkcs11KeyStore | None, new_keys: KeyPlace, rule: CustodyRule) -> None:
        self._files = files
        self._hsm = hsm
        self._stores: dict[KeyPlace, KeyStore] = {KeyPlace.FILE: files}
        if hsm is not None:
            self._stores[KeyPlace.PKCS11] = hsm
        self._new_keys = new_keys
        self._rule = rule

    def create(self, reference: str, suite: Suite) -> SigningKey:
        """A new key; AlreadyRegistered for a reference that exists in either, SoftwareKeysRefused."""
        return self._store_for_new(reference).create(reference, suite)

    def adopt(self, reference: str, private_key: bytes) -> SigningKey:
        """Take in a private key made elsewhere (PKCS#8, DER), where new keys go; as `create`, and InvalidInput."""
        return self._store_for_new(reference).adopt(reference, private_key)

    def open(self, reference: str) -> SigningKey:
        """The key; SignatureRefused when there is none, SoftwareKeysRefused for one that may not be in a file."""
        store, place = self._holding(reference)
        self._rule.require_permitted(reference, place)
        return store.open(reference)

    def held(self) -> Sequence[KeyFacts]:
        """Every key in files and HSM, by reference; KeyStoreUnavailable when the HSM does not answer."""
        found = [one for store in self._stores.values() for one in store.held()]
        return sorted(found, key=lambda one: one.reference)

    def place(self, reference: str) -> KeyPlace:
        """Where a key is, the HSM itself asked; KeyNotFound, KeyStoreUnavailable."""
        return self._holding(reference)[0].place(reference)

    def destroy(self, reference: str) -> None:
        """Remove the key for good, wherever it is; nothing when it is gone."""
        self._holding(reference)[0].destroy(reference)

    def finding(self) -> CustodyFinding:
        """Whether the HSM answers and the rule is kept by the keys that are there."""
        kept = self._rule.finding([one.reference for one in self._files.held()])
        if self._hsm is None:
            return kept
        try:
            self._hsm.answer()
        except Unavailable as error:
            return CustodyFinding(ready=False, detail=error.message)
        return kept

    def _holding(self, reference: str) -> tuple[KeyStore, KeyPlace]:
        """The store that has the key, or would: a file is seen at once, so that its keys need no HSM."""
        if self._hsm is None or _has(self._files, reference):
            return self._files, KeyPlace.FILE
        return self._hsm, KeyPlace.PKCS11

    def _store_for_new(self, reference: str) -> KeyStore:
        self._rule.require_permitted(reference, self._new_keys)
        for place, store in self._stores.items():
            if place is not self._new_keys and _has(store, reference):
                raise AlreadyRegistered(f"There is a key {reference} already ({place.value})")
        return self._stores[self._new_keys]


def _has(store: KeyStore, reference: str) -> bool:
    try:
        store.place(reference)
    except KeyNotFound:
        return False
    return True
