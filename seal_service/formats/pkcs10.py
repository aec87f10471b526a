"""证书申请 (PKCS#10, RFC 2986): what a request asks for, read from its bytes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from asn1crypto import csr, x509

from seal_service.formats.der import read, reading

LARGEST_REQUEST = 1 << 14
"""Bytes."""
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


def name_values(name: x509.Name, attribute: str) -> list[str]:
    """Every value that a name has for an attribute, in its order."""
    found: list[Any] = [one["value"].native for part in name.chosen for one in part if one["type"].native == attribute]
    return [one for one in found if isinstance(one, str)]


def request_as_pem(der: bytes) -> str:
    """The request as PEM (RFC 7468, 7)."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join(["-----BEGIN CERTIFICATE REQUEST-----", *lines, "-----END CERTIFICATE REQUEST-----", ""])
