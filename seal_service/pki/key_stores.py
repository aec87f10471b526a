"""密钥库: every private key of an instance, in files and in the HSM, under one rule of where it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered, KeyNotFound, Unavailable
from seal_service.domain.key_custody import NO_KEEPERS, CustodyFinding, CustodyRule, is_of_seal
from seal_service.domain.operation import KeyPlace
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.pki.seal_token_keys import SealTokenKeyStore
from seal_service.ports.crypto import KeyFacts, KeyStore, SigningKey


class KeyStores:
    """The KeyStore that an instance uses: new keys go where the settings say, and keys are found in files and HSM.

    It alone makes and gives out keys, so no software key comes into being or signs where the rule refuses it
    (SoftwareKeysRefused). Without an HSM it is the key directory. Where there are `seal_tokens`, new keys of seals go
    into these when others go into the HSM.
    """

    def __init__(
        self,
        files: FileKeyStore,
        hsm: Pkcs11KeyStore | None,
        new_keys: KeyPlace,
        rule: CustodyRule,
        seal_tokens: SealTokenKeyStore | None = None,
    ) -> None:
        self._files = files
        self._hsm = hsm
        self._seal_tokens = seal_tokens
        self._stores: dict[KeyPlace, KeyStore] = {KeyPlace.FILE: files}
        if hsm is not None:
            self._stores[KeyPlace.PKCS11] = hsm
        if seal_tokens is not None:
            self._stores[KeyPlace.PARTITION] = seal_tokens
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

    def require_destroyable(self, reference: str) -> None:
        """Conflict for a seal's key under its keeper's secret; KeyStoreUnavailable."""
        self._holding(reference)[0].require_destroyable(reference)

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
        if self._rule.activation_required and self._new_keys is KeyPlace.PKCS11 and self._seal_tokens is None:
            return replace(kept, detail=f"{kept.detail}; {NO_KEEPERS}")
        return kept

    def _holding(self, reference: str) -> tuple[KeyStore, KeyPlace]:
        """The store that has the key, or would: a file is seen at once, so that its keys need no HSM. One that is held
        ready is looked for nowhere else, and the service's own token is asked before many others are."""
        if self._hsm is None or has_key(self._files, reference):
            return self._files, KeyPlace.FILE
        tokens = self._seal_tokens if is_of_seal(reference) else None
        if tokens is None:
            return self._hsm, KeyPlace.PKCS11
        is_own = not tokens.holds(reference) and (self._hsm.holds(reference) or has_key(self._hsm, reference))
        if not is_own and tokens.has(reference):
            return tokens, KeyPlace.PARTITION
        return self._hsm, KeyPlace.PKCS11

    def _store_for_new(self, reference: str) -> KeyStore:
        chosen = self._new_keys
        if chosen is KeyPlace.PKCS11 and self._seal_tokens is not None and is_of_seal(reference):
            chosen = KeyPlace.PARTITION
        self._rule.require_permitted(reference, chosen)
        for place, store in self._stores.items():
            if place is not chosen and has_key(store, reference):
                raise AlreadyRegistered(f"There is a key {reference} already ({place.value})")
        return self._stores[chosen]


def has_key(store: KeyStore, reference: str) -> bool:
    """Whether a store has a key, asked anew."""
    try:
        store.place(reference)
    except KeyNotFound:
        return False
    return True
