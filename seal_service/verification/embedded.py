"""What a CMS signature carries beside itself: revocation data (RFC 5652, 5.1; Adobe's attribute), time-stamps."""

from __future__ import annotations

from typing import Any

from asn1crypto import cms

from seal_service.formats.cms_reading import attribute_values
from seal_service.verification.revocation import Evidence

_ADOBE_REVOCATION_INFO = "1.2.840.113583.1.1.8"
_OCSP_FORMAT = "1.3.6.1.5.5.7.16.2"
_SIGNATURE_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
_MOST_TOKENS = 5
_READ_ERRORS = (ValueError, TypeError, KeyError, AttributeError, IndexError)


def embedded_evidence(data: Any) -> Evidence:
    """Lists and answers of a SignedData; what cannot be read is left out."""
    ocsp_responses: list[bytes] = []
    crls: list[bytes] = []
    try:
        for choice in data["crls"] or ():
            if choice.name == "certificate_list":
                crls.append(choice.chosen.dump())
            elif choice.chosen["other_rev_info_format"].dotted == _OCSP_FORMAT:
                ocsp_responses.append(choice.chosen["other_rev_info"].dump())
        for value in attribute_values(data["signer_infos"][0]["signed_attrs"], _ADOBE_REVOCATION_INFO) or ():
            crls.extend(one.dump() for one in value["crl"] or ())
            ocsp_responses.extend(one.dump() for one in value["ocsp"] or ())
    except _READ_ERRORS:
        pass
    return Evidence(ocsp_responses=tuple(ocsp_responses), crls=tuple(crls))


def embedded_certificates(data: Any) -> tuple[bytes, ...]:
    """X.509 certificates of a SignedData, DER; they help to build any chain of the document."""
    try:
        return tuple(one.chosen.untag().dump() for one in data["certificates"] or () if one.name == "certificate")
    except _READ_ERRORS:
        return ()


def signature_timestamps(data: Any) -> tuple[Any, ...]:
    """Time-stamp tokens (SignedData) over the signature value; a token that cannot be read is None."""
    tokens: list[Any] = []
    try:
        values = attribute_values(data["signer_infos"][0]["unsigned_attrs"], _SIGNATURE_TIMESTAMP) or ()
    except _READ_ERRORS:
        return (None,)
    for value in values[:_MOST_TOKENS]:
        try:
            content = cms.ContentInfo.load(value.dump())["content"]
            tokens.append(content if isinstance(content, cms.SignedData) else None)
        except _READ_ERRORS:
            tokens.append(None)
    return tuple(tokens)


def signing_time(data: Any) -> Any:
    """signing-time of the signed attributes, as the signer claims it; None without."""
    try:
        values = attribute_values(data["signer_infos"][0]["signed_attrs"], "1.2.840.113549.1.9.5")
        return values[0].native if values else None
    except _READ_ERRORS:
        return None
