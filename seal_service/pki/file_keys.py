"""密钥库: private keys in files, each wrapped under the master key."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import (
    ActivationSecretWrong,
    AlreadyRegistered,
    Conflict,
    IntegrityFailed,
    InvalidInput,
    KeyNotFound,
    SealNotActivated,
    SignatureRefused,
)
from seal_service.domain.operation import KeyPlace
from seal_service.pki.activation_wrap import RANDOM_BYTES, is_wrapped, public_half, unwrapped, wrapped
from seal_service.pki.durable_files import create_file, replace_file, sync_directory
from seal_service.pki.key_hierarchy import MASTER, KeyHierarchy, key_context
from seal_service.ports.crypto import KeyFacts
from seal_service.ports.system import Entropy

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_RSA_BITS = {Suite.RSA_3072: 3072, Suite.RSA_2048: 2048}
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_SAME_KEY = 16
"""Bytes by which a key's file may grow and still be as it is held: a rotation of the master key adds at most an id, a
keeper who takes the key adds its public half, 91 at least. It is told by the size, since a process that was not given
the new master key cannot tell by the content and goes on with what it holds."""


class SoftwareKey:
    """A private key held in this process; RSASSA-PKCS1-v1_5 or ECDSA (DER), with SHA-256. Safe for threads."""

    def __init__(self, private_key: _PrivateKey) -> None:
        self.suite = _suite_of(private_key)
        self.public_key_info = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._private_key = private_key

    def sign(self, message: bytes) -> bytes:
        """Hash the message with SHA-256 and sign it."""
        if isinstance(self._private_key, rsa.RSAPrivateKey):
            return self._private_key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self._private_key.sign(message, ec.ECDSA(hashes.SHA256()))


class LockedKey:
    """A key whose keeper has taken it into custody: it signs nowhere but in the key process, once activated there."""

    def __init__(self, reference: str, wrapped: bytes) -> None:
        self.reference = reference
        self.wrapped = wrapped
        """Under the keeper's secret; what is left when the master key has opened the file."""
        self.public_key_info = public_half(wrapped)
        self.suite = _suite_of_public(load_der_public_key(self.public_key_info))

    def sign(self, message: bytes) -> bytes:
        """Never; SealNotActivated."""
        del message
        raise SealNotActivated


class FileKeyStore:
    """Keys as `<reference>.key` (PKCS#8, wrapped for the reference) of mode 0600 in the hierarchy's directory.

    Create-only and durable, so several processes may share the directory. A key is held ready after its first use,
    up to `held_keys` of them; a key that was destroyed by another process is no longer given out. The master key may be
    rotated meanwhile: a key that is held stays as it is, one that is not is opened under either.
    """

    def __init__(self, hierarchy: KeyHierarchy, entropy: Entropy, held_keys: int = 4096) -> None:
        self._directory = hierarchy.directory
        self._hierarchy = hierarchy
        self._entropy = entropy
        self._held_keys = held_keys
        self._held: OrderedDict[str, tuple[int, SoftwareKey | LockedKey]] = OrderedDict()
        self._lock = Lock()

    def create(self, reference: str, suite: Suite) -> SoftwareKey:
        """A new key; AlreadyRegistered for a reference that exists, InvalidInput for one that is malformed."""
        self._require_new(reference)
        return self._keep(reference, _generate(suite))

    def adopt(self, reference: str, private_key: bytes) -> SoftwareKey:
        """Take in a private key made elsewhere (PKCS#8, DER); AlreadyRegistered, InvalidInput for an unknown kind."""
        self._require_new(reference)
        try:
            loaded = load_der_private_key(private_key, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise InvalidInput("The private key cannot be read: it is PKCS#8 (DER)", field="private_key") from None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) or not _is_supported(loaded):
            raise InvalidInput(f"The private key is of none of the suites {', '.join(Suite)}", field="private_key")
        return self._keep(reference, loaded)

    def held(self) -> Sequence[KeyFacts]:
        """Every key that is here, by reference."""
        names = sorted(path.stem for path in self._directory.glob("*.key"))
        known = (name for name in names if name != MASTER and _REFERENCE.fullmatch(name))
        return [KeyFacts(reference=name, place=KeyPlace.FILE) for name in known]

    def place(self, reference: str) -> KeyPlace:
        """Here; KeyNotFound."""
        if not self._path(reference).exists():
            raise KeyNotFound(f"There is no key {reference}")
        return KeyPlace.FILE

    def _require_new(self, reference: str) -> None:
        if self._path(reference).exists():
            raise AlreadyRegistered(f"There is a key {reference} already")

    def _keep(self, reference: str, private_key: _PrivateKey) -> SoftwareKey:
        path = self._path(reference)
        plaintext = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        try:
            with self._hierarchy.creating() as master:
                content = master.wrap(plaintext, key_context(reference), self._entropy)
                create_file(path, content, self._entropy.token(8).hex())
        except FileExistsError:
            raise AlreadyRegistered(f"There is a key {reference} already") from None
        key = SoftwareKey(private_key)
        self._hold(reference, key, len(content))
        return key

    def open(self, reference: str) -> SoftwareKey | LockedKey:
        """The key; SignatureRefused when there is none, IntegrityFailed when its file was changed.

        Raises InstanceNotReady when it is wrapped under a master key that is not here.
        """
        path = self._path(reference)
        size = _size(path)
        if size is None:
            self._forget(reference)
            raise SignatureRefused(f"There is no key {reference}")
        with self._lock:
            held = self._held.get(reference)
            if held is not None and abs(held[0] - size) <= _SAME_KEY:
                self._held.move_to_end(reference)
                return held[1]
        return self._hold(reference, self._load(reference, path), size)

    def protect(self, reference: str, secret: str) -> None:
        """Wrap the key under its keeper's secret as well, for good; Conflict when it is under another already.

        Nothing is done where it is under this one: whoever was interrupted repeats it.
        The file before is overwritten, as far as the file system lets it be: copies and backups of it made until now
        open without the secret.
        """
        path = self._path(reference)
        if _size(path) is None:
            raise SignatureRefused(f"There is no key {reference}")
        with self._hierarchy.changing(exclusive=True):
            self._hierarchy.refresh()
            plaintext = self._hierarchy.unwrap(path)
            if is_wrapped(plaintext):
                _require_same(plaintext, secret, reference)
                return
            key = SoftwareKey(supported_key(load_der_private_key(plaintext, None)))
            random = self._entropy.token(RANDOM_BYTES)
            within = wrapped(plaintext, key.public_key_info, secret, reference, random)
            content = self._hierarchy.masters.active.wrap(within, key_context(reference), self._entropy)
            before = os.open(path, os.O_WRONLY)
            try:
                replace_file(path, content, self._entropy.token(8).hex())
                sync_directory(self._directory)
                os.pwrite(before, bytes(os.fstat(before).st_size), 0)
                os.fsync(before)
            finally:
                os.close(before)
        self._forget(reference)

    def require_destroyable(self, reference: str) -> None:
        """Each can be."""

    def destroy(self, reference: str) -> None:
        """Remove the key for good; nothing when it is gone."""
        path = self._path(reference)
        self._forget(reference)
        if path.exists():
            with self._hierarchy.changing(exclusive=False):
                path.unlink(missing_ok=True)
            sync_directory(self._directory)

    def _load(self, reference: str, path: Path) -> SoftwareKey | LockedKey:
        try:
            plaintext = self._hierarchy.unwrap(path)
        except OSError as error:
            raise SignatureRefused(f"The key {reference} cannot be read: {error.strerror}") from error
        if is_wrapped(plaintext):
            return LockedKey(reference, plaintext)
        # The tag authenticated what `create` made, so RSA's primes need no second, slow (54 ms) check.
        private_key = load_der_private_key(plaintext, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise IntegrityFailed(f"The key {reference} is of an unknown kind")
        return SoftwareKey(private_key)

    def _hold(self, reference: str, key: SoftwareKey | LockedKey, size: int) -> SoftwareKey | LockedKey:
        with self._lock:
            self._held[reference] = (size, key)
            while len(self._held) > self._held_keys:
                self._held.popitem(last=False)
        return key

    def _forget(self, reference: str) -> None:
        with self._lock:
            self._held.pop(reference, None)

    def _path(self, reference: str) -> Path:
        if not _REFERENCE.fullmatch(reference) or reference == MASTER:
            raise InvalidInput("A key reference is 1 to 120 letters, digits, dots, dashes and underscores", field="key")
        return self._directory / f"{reference}.key"


def _require_same(content: bytes, secret: str, reference: str) -> None:
    try:
        unwrapped(content, secret, reference)
    except ActivationSecretWrong:
        raise Conflict("The seal's keeper has taken its key into custody already") from None


def supported_key(private_key: object) -> _PrivateKey:
    """A private key of a suite; IntegrityFailed for any other."""
    if isinstance(private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) and _is_supported(private_key):
        return private_key
    raise IntegrityFailed("The key is of an unknown kind")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _suite_of_public(public_key: object) -> Suite:
    if isinstance(public_key, rsa.RSAPublicKey):
        return next(suite for suite, bits in _RSA_BITS.items() if bits == public_key.key_size)
    return Suite.ECDSA_P256


def _generate(suite: Suite) -> _PrivateKey:
    if suite is Suite.ECDSA_P256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, _RSA_BITS[suite])


def _is_supported(private_key: _PrivateKey) -> bool:
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return isinstance(private_key.curve, ec.SECP256R1)
    return private_key.key_size in _RSA_BITS.values()


def _suite_of(private_key: _PrivateKey) -> Suite:
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return Suite.ECDSA_P256
    return next(suite for suite, bits in _RSA_BITS.items() if bits == private_key.key_size)
