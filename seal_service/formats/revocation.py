"""吊销信息: when revocation data was produced, and which certificates may have issued another (RFC 5280, RFC 6960)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from asn1crypto import crl, ocsp

from seal_service.domain.errors import InvalidInput
from seal_service.formats.der import load, read_certificate, reading
from seal_service.ports.crypto import RevocationEvidence

_LARGEST = 32 << 20


def list_produced_at(content: bytes) -> datetime:
    """thisUpdate of a CertificateList (DER); InvalidInput when it is none."""
    found = load(crl.CertificateList, content, _LARGEST)
    with reading("CertificateList"):
        at: datetime = found["tbs_cert_list"]["this_update"].native
        return at


def produced_at(evidence: RevocationEvidence) -> datetime:
    """When the oldest part of some evidence was produced (thisUpdate); InvalidInput without any."""
    moments = [list_produced_at(one) for one in evidence.crls]
    for answer in evidence.ocsp_responses:
        with reading("OCSPResponse"):
            basic = ocsp.OCSPResponse.load(answer)["response_bytes"]["response"].parsed
            moments += [one["this_update"].native for one in basic["tbs_response_data"]["responses"]]
    if not moments:
        raise InvalidInput("There is no revocation data")
    return min(moments)


def issuers_among(certificate: bytes, candidates: Iterable[bytes]) -> list[bytes]:
    """The candidates that the certificate names as its issuer; whether one signed it is not checked here.

    By name and, where both state one, by key identifier (RFC 5280, 4.2.1.1): two authorities may have one name.
    """
    subject = read_certificate(certificate)
    with reading("X.509 certificate"):
        issuer, key = subject.issuer.dump(), subject.authority_key_identifier
    found = []
    for one in dict.fromkeys(candidates):
        candidate = read_certificate(one)
        with reading("X.509 certificate"):
            its_key = candidate.key_identifier
        if candidate.subject.dump() == issuer and (None in (key, its_key) or key == its_key):
            found.append(one)
    return found


def subject_of(certificate: bytes) -> str:
    """The subject as a person reads it."""
    with reading("X.509 certificate"):
        text = str(read_certificate(certificate).subject.human_friendly)
    return "".join(one for one in text if one.isprintable())[:200]
