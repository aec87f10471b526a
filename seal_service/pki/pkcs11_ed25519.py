"""Ed25519 keys that are made in an HSM (PKCS#11 v3.0: CKK_EC_EDWARDS, CKM_EDDSA) and never leave it."""

from __future__ import annotations

from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11 import exceptions as refused

from seal_service.domain.errors import AlreadyRegistered, IntegrityFailed, SignatureRefused
from seal_service.pki import pkcs11_objects as objects
from seal_service.pki.pkcs11_token import Pkcs11Token

_EDWARDS25519 = bytes.fromhex("130c656477617264733235353139")
"""The curve's name as CKA_EC_PARAMS has it (PrintableString, DER)."""
_KEY_BYTES = 32


class Pkcs11Ed25519Key:
    """A private key in a token. Safe for threads; it is looked for at each signature, which are few."""

    def __init__(self, token: Pkcs11Token, reference: str, public_key: bytes) -> None:
        self.public_key = public_key
        self._token = token
        self._reference = reference

    def sign(self, message: bytes) -> bytes:
        """PureEdDSA over the message: 64 bytes. SignatureRefused when the key is gone, KeyStoreUnavailable."""

        def sign(session: pkcs11.Session) -> bytes:
            private: Any = objects.private_key(session, self._reference)
            return bytes(private.sign(message, mechanism=Mechanism.EDDSA))

        try:
            return self._token.run(sign)
        except refused.NoSuchKey:
            raise SignatureRefused(f"The token {self._token.label} has no key {self._reference} any more") from None


class Pkcs11Ed25519Keys:
    """Keys as token objects whose label and identifier are the reference: sensitive, not extractable."""

    def __init__(self, token: Pkcs11Token) -> None:
        self._token = token

    def create(self, reference: str) -> Pkcs11Ed25519Key:
        """A new key, made in the token; AlreadyRegistered, KeyStoreUnavailable (also of a token without Ed25519)."""

        def make(session: pkcs11.Session) -> bytes:
            if objects.private_keys(session, reference):
                raise AlreadyRegistered(f"There is a key {reference} already")
            made = objects.generate_edwards(session, reference, _EDWARDS25519)
            if len(objects.private_keys(session, reference)) > 1:  # whoever finds a second one gives way
                for one in made:
                    one.destroy()
                raise AlreadyRegistered(f"Another process is making a key {reference}")
            return _public_key(made[0], reference)

        return Pkcs11Ed25519Key(self._token, reference, self._token.run(make, repeatable=False))

    def open(self, reference: str) -> Pkcs11Ed25519Key:
        """The key; SignatureRefused when there is none, IntegrityFailed for another kind, KeyStoreUnavailable."""

        def find(session: pkcs11.Session) -> bytes:
            objects.private_key(session, reference)
            found = objects.of_reference(session, ObjectClass.PUBLIC_KEY, reference)
            if len(found) != 1:
                raise IntegrityFailed(f"The token holds {len(found)} public keys {reference}, not one")
            return _public_key(found[0], reference)

        try:
            return Pkcs11Ed25519Key(self._token, reference, self._token.run(find))
        except refused.NoSuchKey:
            raise SignatureRefused(f"There is no key {reference} in the token {self._token.label}") from None


def _public_key(public: Any, reference: str) -> bytes:
    """From CKA_EC_POINT: a DER OCTET STRING by the first standard, in later ones and some tokens the point itself."""
    point = bytes(public[Attribute.EC_POINT]) if public.key_type is KeyType.EC_EDWARDS else b""
    if len(point) not in (_KEY_BYTES, _KEY_BYTES + 2):
        raise IntegrityFailed(f"The key {reference} in the token is no Ed25519 key")
    return point[-_KEY_BYTES:]
