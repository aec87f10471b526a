"""证书信息: what reports say of a signer's certificate and of the seal whose certificate it is."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from seal_service.domain.verdict import SealFacts, SignerFacts

_SHORT = {
    "country_name": "C",
    "state_or_province_name": "ST",
    "locality_name": "L",
    "organization_name": "O",
    "organizational_unit_name": "OU",
    "common_name": "CN",
    "serial_number": "SERIALNUMBER",
    "email_address": "E",
}
_SEAL_CODE = re.compile(r"[0-9]{14}")
_READ_ERRORS = (ValueError, TypeError, KeyError, AttributeError)


def signer_facts(certificate: Any) -> SignerFacts:
    """The certificate as read; names as `C=CN,O=…,CN=…`, bytes that are not what they say replaced."""
    key = certificate.public_key
    algorithm = key.algorithm
    try:
        detail = str(key["algorithm"]["parameters"].native) if algorithm == "ec" else str(key.bit_size)
    except _READ_ERRORS:
        detail = "?"
    return SignerFacts(
        subject=_text(certificate.subject),
        issuer=_text(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before,
        not_after=certificate.not_valid_after,
        algorithm=f"{algorithm} {detail}",
        certificate_sha256=hashlib.sha256(certificate.dump()).hexdigest(),
        issuer_key_id=(certificate.authority_key_identifier or b"").hex(),
    )


def seal_facts(certificate: Any) -> SealFacts | None:
    """印章: of a certificate by the convention CN = 印章编码, O = 统一社会信用代码 + 单位名称; None of any other."""
    parts = dict(_parts(certificate.subject))
    code = parts.get("CN", "")
    if not _SEAL_CODE.fullmatch(code):
        return None
    return SealFacts(code=code, holder=parts.get("O"))


def _parts(name: Any) -> list[tuple[str, str]]:
    parts = []
    for relative in name.chosen:
        for pair in relative:
            try:
                value = str(pair["value"].native)
            except _READ_ERRORS:
                value = pair["value"].contents.decode("utf-8", "replace")
            label = pair["type"].native
            parts.append((_SHORT.get(label, label), value))
    return parts


def _text(name: Any) -> str:
    return ",".join(f"{label}={value}" for label, value in _parts(name))[:1000]
