"""CMS 签名数据: the SignedData of a PAdES signature, and RFC 3161 tokens (RFC 5652, ETSI EN 319 122-1, 319 142-1).

Written as DER by hand: the structure never varies but for five values, and building it through a general ASN.1
library costs twenty times the signature. The tests read it back with asn1crypto and OpenSSL's reader.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from asn1crypto import cms, tsp, x509
from asn1crypto.core import ObjectIdentifier
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import load_der_x509_certificate

from seal_service.domain.algorithms import Suite

INTENT_LEAF_HASH_OID = "2.25.43019652157674408974680982253736946088"
"""用印意向杂凑值: signed attribute whose one value is an OCTET STRING of 32 bytes: the leaf hash (RFC 6962) of the log
entry that announced the seal. Under 2.25 (Rec. ITU-T X.667): the UUID 205d489b-e4f3-4bdb-8f09-01a74bcde9a8."""

_SEQUENCE, _SET, _OCTETS = 0x30, 0x31, 0x04
_ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
_RSA_WITH_SHA256 = "1.2.840.113549.1.1.11"


_CERTIFICATES = 1024
"""Of which what does not change is kept ready."""


def tlv(tag: int, *contents: bytes) -> bytes:
    """One DER element with a tag of one byte (X.690, 8.1)."""
    value = b"".join(contents)
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value


def _oid(dotted: str) -> bytes:
    encoded: bytes = ObjectIdentifier(dotted).dump()
    return encoded


_SHA256 = tlv(_SEQUENCE, _oid("2.16.840.1.101.3.4.2.1"))
_DATA = _oid("1.2.840.113549.1.7.1")
_SIGNED_DATA = _oid("1.2.840.113549.1.7.2")
_CONTENT_TYPE = _oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = _oid("1.2.840.113549.1.9.4")
_SIGNATURE_TIME_STAMP = _oid("1.2.840.113549.1.9.16.2.14")
_SIGNING_CERTIFICATE_V2 = _oid("1.2.840.113549.1.9.16.2.47")
_INTENT_LEAF_HASH = _oid(INTENT_LEAF_HASH_OID)
_VERSION_1 = bytes.fromhex("020101")


def signature_algorithm(suite: Suite) -> str:
    """签名算法: the dotted object identifier of what a suite signs with."""
    return _RSA_WITH_SHA256 if suite.is_rsa else _ECDSA_WITH_SHA256


def longest_signature(suite: Suite) -> int:
    """The most bytes a signature value of this suite takes."""
    return {Suite.ECDSA_P256: 72, Suite.RSA_2048: 256, Suite.RSA_3072: 384}[suite]


def signed_attributes(message_digest: bytes, certificate: bytes, intent_leaf_hash: bytes | None) -> bytes:
    """签名属性: the DER SET OF that is signed (RFC 5652, 5.4; baseline attributes of EN 319 142-1, 6.3).

    content-type, message-digest, ESS signing-certificate-v2 (RFC 5035, SHA-256 by default) and, of a seal, its intent's
    leaf hash; no signing-time, which PAdES keeps in the signature dictionary's /M.
    """
    signing_certificate = tlv(
        _SEQUENCE, tlv(_SEQUENCE, tlv(_SEQUENCE, tlv(_OCTETS, hashlib.sha256(certificate).digest())))
    )
    attributes = [
        _attribute(_CONTENT_TYPE, _DATA),
        _attribute(_MESSAGE_DIGEST, tlv(_OCTETS, message_digest)),
        _attribute(_SIGNING_CERTIFICATE_V2, signing_certificate),
    ]
    if intent_leaf_hash is not None:
        attributes.append(_attribute(_INTENT_LEAF_HASH, tlv(_OCTETS, intent_leaf_hash)))
    return tlv(_SET, *sorted(attributes))


def signed_data(
    attributes: bytes,
    signature: bytes,
    suite: Suite,
    certificate: bytes,
    further_certificates: tuple[bytes, ...],
    timestamp_token: bytes | None,
) -> bytes:
    """签名数据: ContentInfo with a detached SignedData of one signer, DER.

    `attributes` is what `signed_attributes` made; the token becomes the signature-time-stamp (RFC 3161, appendix A).
    """
    parameters = bytes.fromhex("0500") if suite.is_rsa else b""
    signer = tlv(
        _SEQUENCE,
        _VERSION_1,
        _issuer_and_serial_number(certificate),
        _SHA256,
        b"\xa0" + attributes[1:],
        tlv(_SEQUENCE, _oid(signature_algorithm(suite)), parameters),
        tlv(_OCTETS, signature),
        tlv(0xA1, _attribute(_SIGNATURE_TIME_STAMP, timestamp_token)) if timestamp_token is not None else b"",
    )
    body = tlv(
        _SEQUENCE,
        _VERSION_1,
        tlv(_SET, _SHA256),
        tlv(_SEQUENCE, _DATA),
        tlv(0xA0, *sorted({certificate, *further_certificates})),
        tlv(_SET, signer),
    )
    return tlv(_SEQUENCE, _SIGNED_DATA, tlv(0xA0, body))


def signature_is_valid(certificate: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature value (SHA-256; RSASSA-PKCS1-v1_5, or ECDSA in DER) is by a certificate's key (DER)."""
    try:
        key = _public_key(certificate)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


@lru_cache(maxsize=_CERTIFICATES)
def _public_key(certificate: bytes) -> Any:
    return load_der_x509_certificate(certificate).public_key()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToken:
    """时间戳: what a TimeStampToken says (RFC 3161, 2.4.2)."""

    generated_at: datetime
    imprint: bytes
    """The hashed message."""
    certificates: tuple[bytes, ...]
    """Every certificate within, DER."""
    signer_certificate: bytes | None
    """The one that signed it, if it is within."""


def read_timestamp_token(token: bytes) -> TimestampToken:
    """A token's contents; ValueError when it is not one. Nothing is verified here."""
    try:
        content = cms.ContentInfo.load(token)["content"]
        info = tsp.TSTInfo.load(bytes(content["encap_content_info"]["content"].parsed.dump()))
        certificates = [one.chosen for one in content["certificates"] or () if one.name == "certificate"]
        signer = content["signer_infos"][0]["sid"]
        return TimestampToken(
            generated_at=info["gen_time"].native,
            imprint=info["message_imprint"]["hashed_message"].native,
            certificates=tuple(one.dump() for one in certificates),
            signer_certificate=next((one.dump() for one in certificates if _identifies(signer, one)), None),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError("this is not a time-stamp token") from error


def _identifies(signer: cms.SignerIdentifier, certificate: x509.Certificate) -> bool:
    if signer.name == "issuer_and_serial_number":
        issuer, serial = signer.chosen["issuer"], signer.chosen["serial_number"]
        return bool(issuer.dump() == certificate.issuer.dump() and serial.native == certificate.serial_number)
    return bool(signer.chosen.native == certificate.key_identifier)


@lru_cache(maxsize=_CERTIFICATES)
def _issuer_and_serial_number(certificate: bytes) -> bytes:
    body = x509.Certificate.load(certificate)["tbs_certificate"]
    return tlv(_SEQUENCE, body["issuer"].dump(), body["serial_number"].dump())


def _attribute(identifier: bytes, value: bytes) -> bytes:
    return tlv(_SEQUENCE, identifier, tlv(_SET, value))
