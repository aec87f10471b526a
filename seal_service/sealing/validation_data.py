"""验证数据: the certificates and revocation data that a signature needs to be verified later (EN 319 142-1, 5.4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtensionOID

from seal_service.domain.errors import RevocationUnavailable
from seal_service.ports.crypto import RevocationSource

_MOST_CERTIFICATES = 50
"""Of all paths together; more exist only where chains are wrong."""


@dataclass(slots=True)
class ValidationData:
    """验证数据, DER, each value once and in the order found."""

    certificates: dict[bytes, None] = field(default_factory=dict)
    ocsp_responses: dict[bytes, None] = field(default_factory=dict)
    crls: dict[bytes, None] = field(default_factory=dict)


def collect(
    leaves: Iterable[bytes], known: Sequence[bytes], revocation: RevocationSource, produced_after: datetime
) -> ValidationData:
    """验证数据 of every certificate on the paths from these leaves to their roots, and of OCSP responders on the way.

    `known` are certificates (DER) that may be issuers. Raises RevocationUnavailable, also when an issuer is missing.
    """
    data = ValidationData()
    candidates = dict.fromkeys(known)
    waiting = list(leaves)
    while waiting:
        certificate = waiting.pop(0)
        if certificate in data.certificates:
            continue
        if len(data.certificates) >= _MOST_CERTIFICATES:
            raise RevocationUnavailable("The certificate chains do not end")
        data.certificates[certificate] = None
        loaded = _load(certificate)
        if loaded.subject == loaded.issuer:
            continue
        issuer = _issuer(loaded, candidates)
        evidence = revocation.evidence(certificate, issuer, produced_after)
        data.ocsp_responses.update(dict.fromkeys(evidence.ocsp_responses))
        data.crls.update(dict.fromkeys(evidence.crls))
        further = [*evidence.further_certificates]
        for response in evidence.ocsp_responses:
            further.extend(_certificates_of(response))
        candidates.update(dict.fromkeys(further))
        data.certificates.update({one: None for one in further if _is_exempt(one)})
        waiting.extend([issuer, *(one for one in further if not _is_exempt(one))])
    return data


def _load(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(certificate)
    except ValueError as error:
        raise RevocationUnavailable("A certificate of the chain cannot be read") from error


def _issuer(certificate: x509.Certificate, candidates: Iterable[bytes]) -> bytes:
    for candidate in candidates:
        try:
            certificate.verify_directly_issued_by(x509.load_der_x509_certificate(candidate))
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return candidate
    raise RevocationUnavailable(f"The issuer of {certificate.subject.rfc4514_string()} is not known")


def _certificates_of(response: bytes) -> list[bytes]:
    """Of the responder, as it sent them along."""
    try:
        loaded = ocsp.load_der_ocsp_response(response)
        return [one.public_bytes(Encoding.DER) for one in loaded.certificates]
    except ValueError as error:
        raise RevocationUnavailable("An OCSP response cannot be read") from error


def _is_exempt(certificate: bytes) -> bool:
    """Whether it says of itself that its status need not be asked (id-pkix-ocsp-nocheck, RFC 6960, 4.2.2.2.1)."""
    try:
        _load(certificate).extensions.get_extension_for_oid(ExtensionOID.OCSP_NO_CHECK)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return True
