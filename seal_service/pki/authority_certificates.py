"""其他电子认证服务机构的证书: what the certificates of other authorities say of themselves (RFC 5280)."""

from __future__ import annotations

import hashlib
from typing import Any

from asn1crypto import keys, x509

from seal_service.domain.trust import AuthorityCertificate
from seal_service.formats.der import read_certificate, reading
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.certificates import serial_text
from seal_service.pki.signatures import is_signed_by

_SHORTEST_RSA = 2048
"""Bits (SOG-IS Agreed Cryptographic Mechanisms, 4.1)."""
_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_DIGESTS = frozenset({"sha256", "sha384", "sha512"})
_LONGEST_NAME = 500


class AuthorityCertificates:
    """Reads certificates of other authorities. Stateless; safe for threads."""

    def read(self, certificate: bytes) -> AuthorityCertificate:
        """What it says of itself; InvalidInput when it is no certificate."""
        found = read_certificate(certificate)
        with reading("X.509 certificate"):
            usage = found.key_usage_value
            digest, scheme = _signature_of(found)
            key = found.public_key
            return AuthorityCertificate(
                sha256=hashlib.sha256(certificate).hexdigest(),
                subject=readable_name(found.subject),
                issuer=readable_name(found.issuer),
                serial=serial_text(found.serial_number),
                not_before=found.not_valid_before,
                not_after=found.not_valid_after,
                key=_key_in_words(key),
                signature=f"{scheme} with {digest}",
                is_authority=bool(found.ca),
                may_sign_certificates=usage is None or "key_cert_sign" in usage.native,
                is_self_signed=_is_self_signed(found),
                weakness=_weakness_of_key(key) or _weakness_of_signature(digest, scheme),
            )

    def check_address(self, address: str) -> None:
        """Raise InvalidInput for what is no plain http or https address."""
        parse_address(address)


def readable_name(name: x509.Name) -> str:
    """A name as a person reads it, without what a terminal would obey; by its bytes where it cannot be read."""
    try:
        text = str(name.human_friendly)
    except (ValueError, TypeError, KeyError, AttributeError):
        text = name.dump().hex()
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)[:_LONGEST_NAME]


def _signature_of(certificate: x509.Certificate) -> tuple[str, str]:
    """Digest and scheme, or the algorithm's identifier for one that is not known."""
    algorithm: Any = certificate["signature_algorithm"]
    try:
        return str(algorithm.hash_algo), str(algorithm.signature_algo)
    except ValueError:
        return "unknown", str(algorithm["algorithm"].native)


def _weakness_of_signature(digest: str, scheme: str) -> str | None:
    if digest in _DIGESTS and scheme in {"rsassa_pkcs1v15", "rsassa_pss", "ecdsa"}:
        return None
    return f"it is signed by an algorithm that is not taken here: {scheme} with {digest}"


def _weakness_of_key(key: keys.PublicKeyInfo) -> str | None:
    if key.algorithm in {"rsa", "rsassa_pss"}:
        return None if key.bit_size >= _SHORTEST_RSA else f"its RSA key has {key.bit_size} bits, fewer than 2048"
    if key.algorithm == "ec" and key.curve[0] == "named" and key.curve[1] in _CURVES:
        return None
    return f"its key is of a kind that is not taken here: {_key_in_words(key)}"


def _key_in_words(key: keys.PublicKeyInfo) -> str:
    if key.algorithm in {"rsa", "rsassa_pss"}:
        return f"RSA {key.bit_size}"
    if key.algorithm == "ec":
        kind, curve = key.curve
        return f"EC {curve if kind == 'named' else kind}"
    return str(key.algorithm)


def _is_self_signed(certificate: x509.Certificate) -> bool:
    return certificate.subject.dump() == certificate.issuer.dump() and is_signed_by(
        certificate.public_key.dump(),
        certificate["signature_algorithm"],
        certificate["tbs_certificate"].dump(),
        certificate.signature,
    )
