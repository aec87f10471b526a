"""智能密码钥匙: a person's UKey signs, by its vendor's PKCS#11 module, what a sign-in asks (RSA, ECDSA; SM2 later)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11 import exceptions as refused

from seal_service.domain.errors import InvalidInput

_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of RFC 8017, 9.2, note 1, up to the digest."""
_PIN_WRONG = (refused.PinIncorrect, refused.PinInvalid, refused.PinLenRange)
_PIN_USELESS = (refused.PinLocked, refused.PinExpired, refused.UserPinNotInitialized)


def signed_by_ukey(module: Path, token: str, key: str | None, pin: str, message: bytes) -> bytes:
    """The signature over a message with SHA-256: RSA PKCS #1 v1.5, or ECDSA as DER.

    `key`: the private key's label; None: the token's one key that signs. InvalidInput says what is wrong with module,
    token, PIN or key. A PIN is tried once: UKeys lock themselves after a few wrong ones.
    """
    digest = hashlib.sha256(message).digest()
    with _told(token), _opened(module, token).open(user_pin=pin) as session:
        private = _private_key(session, token, key)
        kind = private.key_type
        if kind is KeyType.RSA:
            return bytes(private.sign(_SHA256_DIGEST_INFO + digest, mechanism=Mechanism.RSA_PKCS))
        if kind is KeyType.EC:
            raw = bytes(private.sign(digest, mechanism=Mechanism.ECDSA))
            half = len(raw) // 2
            return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    raise InvalidInput(f"The UKey {token} has a key of a kind that nobody signs in with yet", field="--ukey-key")


def _opened(module: Path, token: str) -> Any:
    try:
        library = pkcs11.lib(str(module.resolve()))
    except refused.PKCS11Error as error:
        raise InvalidInput(f"The PKCS#11 module {module} cannot be used: {_said(error)}", field="module") from None
    try:
        try:
            return library.get_token(token_label=token)
        except refused.NoSuchToken:
            library.reinitialize()  # modules learn of new tokens when they are initialised
            return library.get_token(token_label=token)
    except refused.NoSuchToken:
        told = f"The module {module} shows no UKey {token}: is it plugged in, and this its label?"
        raise InvalidInput(told, field="--ukey-token") from None
    except refused.MultipleTokensReturned:
        raise InvalidInput(f"Several UKeys are called {token}: plug in one of them", field="--ukey-token") from None


def _private_key(session: pkcs11.Session, token: str, label: str | None) -> Any:
    template: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.SIGN: True}
    found: list[Any] = list(session.get_objects(template if label is None else {**template, Attribute.LABEL: label}))
    if len(found) == 1:
        return found[0]
    if found:
        labels = ", ".join(sorted(str(one.label) for one in found))
        told = f"The UKey {token} has {len(found)} keys that sign ({labels}): name one by its label"
    else:
        told = f"The UKey {token} has no key that signs" + ("" if label is None else f" with the label {label}")
    raise InvalidInput(told, field="--ukey-key")


@contextmanager
def _told(token: str) -> Iterator[None]:
    """What the token refuses, in words; never with the PIN."""
    try:
        yield
    except _PIN_WRONG as error:
        told = f"The UKey {token} refuses the PIN ({_said(error)}): after a few wrong ones it locks itself"
        raise InvalidInput(told, field="PIN") from None
    except _PIN_USELESS as error:
        told = f"The PIN of the UKey {token} cannot be used ({_said(error)}): whoever issued the UKey sets a new one"
        raise InvalidInput(told, field="PIN") from None
    except refused.PKCS11Error as error:
        raise InvalidInput(f"The UKey {token} did not sign ({_said(error)})", field="UKey") from None


def _said(error: refused.PKCS11Error) -> str:
    return type(error).__name__ if type(error) is not refused.PKCS11Error else str(error)
