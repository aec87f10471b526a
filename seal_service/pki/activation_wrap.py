"""激活封装: a private key under a secret that only its unit's keeper knows, within what the master key wraps.

The master key's wrapping is the outer one, so that a rotation of the master key needs no keeper. Both are needed.
"""

from __future__ import annotations

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from seal_service.domain.errors import ActivationSecretWrong, IntegrityFailed

_FORM = b"activated1\n"
_SALT, _NONCE, _TAG, _LENGTH = 16, 12, 16, 2
RANDOM_BYTES = _SALT + _NONCE
_PASSES, _KIBIBYTES, _LANES, _KEY = 3, 64 * 1024, 4, 32
"""argon2id as RFC 9106, 4, recommends for little memory: guessing is what it has to make slow."""


def is_wrapped(plaintext: bytes) -> bool:
    """Whether this is a key under a secret; a key without begins as DER does."""
    return plaintext.startswith(_FORM)


def wrapped(private_key: bytes, public_key_info: bytes, secret: str, reference: str, random: bytes) -> bytes:
    """A private key (PKCS#8, DER) under a secret; its public half stays readable. `random`: RANDOM_BYTES of it."""
    salt, nonce = random[:_SALT], random[_SALT:RANDOM_BYTES]
    header = _FORM + salt + nonce + len(public_key_info).to_bytes(_LENGTH, "big") + public_key_info
    return header + AESGCM(_derived(secret, salt)).encrypt(nonce, private_key, header + reference.encode())


def public_half(content: bytes) -> bytes:
    """SubjectPublicKeyInfo, DER; IntegrityFailed."""
    return _parts(content)[2]


def unwrapped(content: bytes, secret: str, reference: str) -> bytes:
    """The private key; ActivationSecretWrong, which is also what a changed content looks like."""
    salt, nonce, _, header = _parts(content)
    try:
        sealed = content[len(header) :]
        return AESGCM(_derived(secret, salt)).decrypt(nonce, sealed, header + reference.encode())
    except InvalidTag:
        raise ActivationSecretWrong from None


def _parts(content: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    start = len(_FORM) + _SALT + _NONCE
    length = int.from_bytes(content[start : start + _LENGTH], "big")
    end = start + _LENGTH + length
    if not is_wrapped(content) or len(content) < end + _TAG:
        raise IntegrityFailed
    salt, nonce = content[len(_FORM) : len(_FORM) + _SALT], content[len(_FORM) + _SALT : start]
    return salt, nonce, content[start + _LENGTH : end], content[:end]


def _derived(secret: str, salt: bytes) -> bytes:
    return hash_secret_raw(secret.encode(), salt, _PASSES, _KIBIBYTES, _LANES, _KEY, Type.ID)
