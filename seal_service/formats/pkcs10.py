"""证书申请 (PKCS#10, RFC 2986): what a request asks for, read from its bytes."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from asn1crypto import csr, x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_csr

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import InvalidInput
from seal_service.formats.der import read, reading

LARGEST_REQUEST = 1 << 14
"""Bytes."""
_FIELD = "certificate_request"
_PUBLIC_EXPONENT = 65537
_PEM = re.compile(
    r"\s*-----BEGIN ((?:NEW )?CERTIFICATE REQUEST)-----\s([A-Za-z0-9+/=\s]+?)-----END \1-----\s*", re.ASCII
)
_LINE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedCertificate:
    """What a request asks for."""

    public_key_info: bytes
    """SubjectPublicKeyInfo, DER."""
    organizations: frozenset[str]
    common_name: str


def read_request(der: bytes) -> RequestedCertificate:
    """What a CertificationRequest (DER) asks for; InvalidInput when it is none."""
    body = read(csr.CertificationRequest, der, LARGEST_REQUEST)["certification_request_info"]
    with reading("CertificationRequest"):
        common_names = name_values(body["subject"], "common_name")
        return RequestedCertificate(
            public_key_info=body["subject_pk_info"].dump(),
            organizations=frozenset(name_values(body["subject"], "organization_name")),
            common_name=common_names[-1] if common_names else "",
        )


def proven_key(der: bytes) -> tuple[bytes, Suite]:
    """The public key (SubjectPublicKeyInfo, DER) of a request, and its suite, once its owner has proven to have it.

    The proof is the request's own signature (RFC 2986, 3). InvalidInput for one that is wrong, or a key of no suite.
    """
    read(csr.CertificationRequest, der, LARGEST_REQUEST)
    try:
        request = load_der_x509_csr(der)
        key = request.public_key()
        proven = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput("The certificate request cannot be read: it is PKCS#10 (DER)", field=_FIELD) from None
    suite = _suite_of(key)
    if suite is None:
        raise InvalidInput(f"The request's key is of none of the suites {', '.join(Suite)}", field=_FIELD)
    if not proven:
        raise InvalidInput("The request is not signed by its own key: there is no proof of possession", field=_FIELD)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), suite


def _suite_of(key: object) -> Suite | None:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return Suite.ECDSA_P256 if isinstance(key.curve, ec.SECP256R1) else None
    if isinstance(key, rsa.RSAPublicKey) and key.public_numbers().e == _PUBLIC_EXPONENT:
        return {2048: Suite.RSA_2048, 3072: Suite.RSA_3072}.get(key.key_size)
    return None


def name_values(name: x509.Name, attribute: str) -> list[str]:
    """Every value that a name has for an attribute, in its order."""
    found: list[Any] = [one["value"].native for part in name.chosen for one in part if one["type"].native == attribute]
    return [one for one in found if isinstance(one, str)]


def request_der(content: str) -> bytes:
    """The request of its PEM form (RFC 7468, 7; also the older label), DER; InvalidInput when it is none."""
    found = _PEM.fullmatch(content)
    if found is None:
        raise InvalidInput("A certificate request is one PEM block CERTIFICATE REQUEST", field=_FIELD)
    try:
        return base64.b64decode("".join(found[2].split()), validate=True)
    except binascii.Error:
        raise InvalidInput("The PEM block is not Base64", field=_FIELD) from None


def request_as_pem(der: bytes) -> str:
    """The request as PEM (RFC 7468, 7)."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join(["-----BEGIN CERTIFICATE REQUEST-----", *lines, "-----END CERTIFICATE REQUEST-----", ""])
