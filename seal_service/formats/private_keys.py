"""私钥文件: a private key in the forms in which it is handed over (PKCS#8, RFC 5958; PKCS#12, RFC 7292)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from seal_service.domain.errors import InvalidInput

LARGEST_KEY_FILE = 1 << 20
_WRONG = "The key file cannot be read: it is PKCS#8 or PKCS#12, and its password must be right"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """What a key file holds."""

    private_key: bytes = field(repr=False)
    """PKCS#8, DER, no longer encrypted."""
    certificates: tuple[bytes, ...] = ()
    """DER; of a PKCS#12 file."""


def read_key_file(content: bytes, password: bytes | None) -> KeyFile:
    """The private key of a PKCS#12 or PKCS#8 file (PEM or DER); InvalidInput when it or the password is wrong."""
    if len(content) > LARGEST_KEY_FILE:
        raise InvalidInput(f"The key file has more than {LARGEST_KEY_FILE} bytes", limit=LARGEST_KEY_FILE)
    try:
        if b"-----BEGIN" in content:
            return _key_file(load_pem_private_key(content, password))
        return _pkcs12(content, password) or _key_file(load_der_private_key(content, password))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput(_WRONG, field="key") from None


def _pkcs12(content: bytes, password: bytes | None) -> KeyFile | None:
    try:
        with warnings.catch_warnings():  # some programs write PKCS#12 as BER; what counts is what is read
            warnings.simplefilter("ignore")
            key, own, further = pkcs12.load_key_and_certificates(content, password)
    except ValueError:
        return None
    if key is None:
        raise InvalidInput("The PKCS#12 file holds no private key", field="key")
    found = [*([own] if own is not None else []), *further]
    return _key_file(key, tuple(one.public_bytes(Encoding.DER) for one in found))


def _key_file(key: object, certificates: tuple[bytes, ...] = ()) -> KeyFile:
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise InvalidInput("The private key is of none of the supported kinds", field="key")
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return KeyFile(private_key=plain, certificates=certificates)
