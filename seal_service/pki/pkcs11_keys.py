"""密码设备密钥库: private keys that are made in an HSM (PKCS#11) and never leave it."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, Mechanism
from pkcs11 import exceptions as refused

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered, InvalidInput, KeyNotFound, SignatureRefused
from seal_service.domain.operation import KeyPlace
from seal_service.pki import pkcs11_objects as objects
from seal_service.pki.pkcs11_token import Pkcs11Token
from seal_service.ports.crypto import KeyFacts

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of RFC 8017, 9.2, note 1, up to the digest."""


class Pkcs11Key:
    """A private key in a token; RSASSA-PKCS1-v1_5 or ECDSA (DER), with SHA-256. Safe for threads.

    The message is hashed here and only its digest goes to the token, so that large messages cost no more.
    """

    def __init__(self, token: Pkcs11Token, reference: str, found: objects.FoundKey) -> None:
        self.suite = found.suite
        self.public_key_info = found.public_key_info
        self._token = token
        self._reference = reference
        self._handle: Any = found.private
        """Of one session; touched by acts of the token alone."""

    def sign(self, message: bytes) -> bytes:
        """Hash the message with SHA-256 and sign it; SignatureRefused when the key is gone, KeyStoreUnavailable."""
        digest = hashlib.sha256(message).digest()
        try:
            if self.suite.is_rsa:
                return self._token.run(lambda session: self._sign(session, _SHA256_DIGEST_INFO + digest))
            raw = self._token.run(lambda session: self._sign(session, digest))
        except refused.NoSuchKey:
            raise SignatureRefused(f"The token {self._token.label} has no key {self._reference} any more") from None
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    def prove(self, session: pkcs11.Session) -> None:
        """Have the token show that it still has the key; NoSuchKey."""
        self._use(session, lambda private: private[Attribute.LABEL])

    def _sign(self, session: pkcs11.Session, prepared: bytes) -> bytes:
        mechanism = Mechanism.RSA_PKCS if self.suite.is_rsa else Mechanism.ECDSA
        return bytes(self._use(session, lambda private: private.sign(prepared, mechanism=mechanism)))

    def _use(self, session: pkcs11.Session, act: Callable[[Any], Any]) -> Any:
        if self._handle is None or self._handle.session is not session:
            found = objects.find(session, self._reference)
            if found.public_key_info != self.public_key_info:
                raise refused.NoSuchKey  # destroyed, and made anew under the same name: another key
            self._handle = found.private
        try:
            return act(self._handle)
        except (refused.KeyHandleInvalid, refused.ObjectHandleInvalid):
            self._handle = None
            raise refused.NoSuchKey from None


class Pkcs11KeyStore:
    """Keys as token objects whose label and identifier (CKA_ID) are the reference: sensitive, not extractable.

    Durable as the token is. Several processes may use one token. PKCS#11 has no "create only": processes that make
    the same reference in the same moment give way to each other, and a reference that stands for two keys all the same
    is refused (IntegrityFailed). Keys are held ready after their first use, up to `held_keys` of them. A key that
    another process destroyed is refused when it is asked to sign. What else is in the token is left alone.
    """

    def __init__(self, token: Pkcs11Token, held_keys: int = 4096) -> None:
        self._token = token
        self._held_keys = held_keys
        self._held: OrderedDict[str, Pkcs11Key] = OrderedDict()
        self._lock = Lock()

    def create(self, reference: str, suite: Suite) -> Pkcs11Key:
        """A new key, made in the token; AlreadyRegistered, InvalidInput, KeyStoreUnavailable."""
        require_well_formed(reference)

        def make(session: pkcs11.Session) -> objects.FoundKey:
            _require_new(session, reference)
            return _kept_alone(session, reference, objects.generate(session, reference, suite))

        return self._hold(reference, self._token.run(make, repeatable=False))

    def adopt(self, reference: str, private_key: bytes) -> Pkcs11Key:
        """Take a private key made elsewhere (PKCS#8, DER) into the token, if the token allows it.

        Raises AlreadyRegistered, InvalidInput for an unknown kind or a token that takes no keys, KeyStoreUnavailable.
        """
        require_well_formed(reference)
        components = objects.components_of(private_key)

        def take_in(session: pkcs11.Session) -> objects.FoundKey:
            _require_new(session, reference)
            return _kept_alone(session, reference, taken_in(session, reference, components))

        return self._hold(reference, self._token.run(take_in, repeatable=False))

    def open(self, reference: str) -> Pkcs11Key:
        """The key; SignatureRefused when there is none, KeyStoreUnavailable. One that is held is not looked for."""
        require_well_formed(reference)
        held = self._held_key(reference)
        if held is not None:
            return held
        try:
            found = self._token.run(lambda session: objects.find(session, reference))
        except refused.NoSuchKey:
            raise SignatureRefused(f"There is no key {reference} in the token {self._token.label}") from None
        return self._hold(reference, found)

    def holds(self, reference: str) -> bool:
        """Whether a key is held ready; the token is not asked."""
        return self._held_key(reference) is not None

    def held(self) -> Sequence[KeyFacts]:
        """Every key that is in the token under a reference, by reference; KeyStoreUnavailable."""
        try:
            references = self._token.run(objects.references)
        except refused.NoSuchKey:
            return []
        return [KeyFacts(reference=one, place=KeyPlace.PKCS11) for one in sorted(references)]

    def place(self, reference: str) -> KeyPlace:
        """In the token, which is asked; KeyNotFound, KeyStoreUnavailable."""
        require_well_formed(reference)
        held = self._held_key(reference)
        try:
            self._token.run(held.prove if held else lambda session: objects.private_key(session, reference))
        except refused.NoSuchKey:
            raise KeyNotFound(f"There is no key {reference} in the token {self._token.label}") from None
        return KeyPlace.PKCS11

    def require_destroyable(self, reference: str) -> None:
        """Each can be."""

    def destroy(self, reference: str) -> None:
        """Remove the key for good; nothing when it is gone. KeyStoreUnavailable."""
        require_well_formed(reference)
        with self._lock:
            self._held.pop(reference, None)
        try:
            self._token.run(lambda session: objects.destroy(session, reference))
        except refused.NoSuchKey:
            return

    def answer(self) -> None:
        """Have the token do something; KeyStoreUnavailable when it does not."""
        self._token.run(objects.ask)

    def _held_key(self, reference: str) -> Pkcs11Key | None:
        with self._lock:
            held = self._held.get(reference)
            if held is not None:
                self._held.move_to_end(reference)
            return held

    def _hold(self, reference: str, found: objects.FoundKey) -> Pkcs11Key:
        key = Pkcs11Key(self._token, reference, found)
        with self._lock:
            self._held[reference] = key
            while len(self._held) > self._held_keys:
                self._held.popitem(last=False)
        return key


def require_well_formed(reference: str) -> None:
    """Raise InvalidInput for what is no reference."""
    if not _REFERENCE.fullmatch(reference):
        raise InvalidInput("A key reference is 1 to 120 letters, digits, dots, dashes and underscores", field="key")


def taken_in(session: pkcs11.Session, reference: str, components: objects.Components) -> objects.KeyPair:
    """A pair made elsewhere, in the session's token; InvalidInput when that takes none."""
    try:
        return objects.take_in(session, reference, components)
    except objects.IMPORT_REFUSED as error:
        raise InvalidInput(
            f"The token {session.token.label} takes no key that was made elsewhere ({type(error).__name__}): "
            "have a new key made in it",
            field="private_key",
        ) from None


def _require_new(session: pkcs11.Session, reference: str) -> None:
    if objects.private_keys(session, reference):
        raise AlreadyRegistered(f"There is a key {reference} already")


def _kept_alone(session: pkcs11.Session, reference: str, made: objects.KeyPair) -> objects.FoundKey:
    # Whoever finds a second key beside the new one gives way.
    if len(objects.private_keys(session, reference)) > 1:
        for one in made:
            one.destroy()
        raise AlreadyRegistered(f"Another process is making a key {reference}")
    return objects.facts_of(made, reference)
