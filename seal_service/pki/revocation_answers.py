"""The check of revocation data from outside, before it is used as evidence (RFC 5280, 6.3; RFC 6960, 3.2)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import crl, ocsp, x509

from seal_service.domain.errors import InvalidInput, RevocationUnavailable
from seal_service.formats.der import load, read_certificate, reading, to_the_second
from seal_service.pki.ocsp import identifies_issuer
from seal_service.pki.signatures import is_signed_by

LIST_BYTES = 20 << 20
"""Largest list read."""
_OCSP_BYTES = 1 << 17
_CLOCK_TOLERANCE = timedelta(minutes=5)
_KNOWN_CRITICAL = frozenset({"issuing_distribution_point", "authority_key_identifier", "crl_number"})


def check_ocsp_answer(
    answer: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    nonce: bytes | None,
    produced_after: datetime | None,
    now: datetime,
) -> bytes:
    """The responder's certificate, DER (the issuer's own, when it answers itself).

    Raises RevocationUnavailable unless the answer is on this certificate, good or revoked, of now, and signed by the
    issuer or a responder to whom it delegated. A nonce may be left out by the responder, but not be another.
    """
    try:
        response = load(ocsp.OCSPResponse, answer, _OCSP_BYTES)
        with reading("OCSPResponse"):
            status = response["response_status"].native
            if status != "successful":
                raise RevocationUnavailable(f"The responder answered {status}")
            basic = response["response_bytes"]["response"].parsed
            responder = _responder(basic, issuer, now)
            _check_single(basic, certificate, issuer, produced_after, now)
            echoed = response.nonce_value
            if nonce is not None and echoed is not None and echoed.native != nonce:
                raise RevocationUnavailable("The answer is to another request: its nonce differs")
    except InvalidInput as error:
        raise RevocationUnavailable(error.message) from error
    return bytes(responder.dump())


def check_revocation_list(
    content: bytes, issuer: x509.Certificate, produced_after: datetime | None, now: datetime
) -> None:
    """Raise RevocationUnavailable unless the list is the issuer's own, complete, of now, and signed by it."""
    try:
        found = load(crl.CertificateList, content, LIST_BYTES)
        with reading("CertificateList"):
            body = found["tbs_cert_list"]
            if body["issuer"].dump() != issuer.subject.dump():
                raise RevocationUnavailable("The list is of another issuer")
            extensions = {one["extn_id"].native: one for one in body["crl_extensions"]}
            critical = {name for name, one in extensions.items() if one["critical"].native}
            point = extensions.get("issuing_distribution_point")
            if critical - _KNOWN_CRITICAL or (point is not None and _is_partial(point["extn_value"].parsed)):
                raise RevocationUnavailable("The list is not a complete one of its issuer")
            _check_time(body["this_update"].native, body["next_update"].native, produced_after, now)
            signature = found["signature"].native
            key, algorithm = issuer.public_key.dump(), found["signature_algorithm"]
            if not is_signed_by(key, algorithm, body.dump(), signature):
                raise RevocationUnavailable("The list is not signed by its issuer, or by an algorithm not taken here")
    except InvalidInput as error:
        raise RevocationUnavailable(error.message) from error


def _is_partial(point: Any) -> bool:
    return bool(
        point["indirect_crl"].native
        or point["only_some_reasons"].native
        or point["only_contains_attribute_certs"].native
    )


def _responder(basic: Any, issuer: x509.Certificate, now: datetime) -> x509.Certificate:
    """Whoever signed the answer: the issuer, or one of the enclosed certificates with the right to."""
    identifier = basic["tbs_response_data"]["responder_id"]
    enclosed = [read_certificate(one.dump()) for one in list(basic["certs"] or ())[:8]]
    for candidate in [issuer, *enclosed]:
        if not _is_named(identifier, candidate):
            continue
        own = candidate.dump() == issuer.dump()
        if not own and not _is_delegated(candidate, issuer, now):
            continue
        message, signature = basic["tbs_response_data"].dump(), basic["signature"].native
        if is_signed_by(candidate.public_key.dump(), basic["signature_algorithm"], message, signature):
            return candidate
    raise RevocationUnavailable("The answer is signed by neither the issuer nor a responder of its own")


def _is_named(identifier: Any, certificate: x509.Certificate) -> bool:
    if identifier.name == "by_name":
        return bool(identifier.chosen.dump() == certificate.subject.dump())
    public_key = bytes(certificate.public_key["public_key"])
    return bool(identifier.native == hashlib.sha1(public_key, usedforsecurity=False).digest())


def _is_delegated(responder: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    """RFC 6960, 4.2.2.2: issued directly by the issuer, for OCSPSigning, and valid."""
    purposes = responder.extended_key_usage_value
    return (
        purposes is not None
        and "ocsp_signing" in purposes.native
        and responder.issuer.dump() == issuer.subject.dump()
        and responder.not_valid_before <= now <= responder.not_valid_after
        and is_signed_by(
            issuer.public_key.dump(),
            responder["signature_algorithm"],
            responder["tbs_certificate"].dump(),
            responder.signature,
        )
    )


def _check_single(
    basic: Any,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    produced_after: datetime | None,
    now: datetime,
) -> None:
    for single in basic["tbs_response_data"]["responses"]:
        identifier = single["cert_id"]
        if identifier["serial_number"].native == certificate.serial_number and identifies_issuer(identifier, issuer):
            if single["cert_status"].name == "unknown":
                raise RevocationUnavailable("The issuer does not know the certificate")
            _check_time(single["this_update"].native, single["next_update"].native, produced_after, now)
            return
    raise RevocationUnavailable("The answer is on another certificate")


def _check_time(
    this_update: datetime, next_update: datetime | None, produced_after: datetime | None, now: datetime
) -> None:
    if this_update > now + _CLOCK_TOLERANCE:
        raise RevocationUnavailable("The revocation information is dated in the future")
    if next_update is not None and next_update < now - _CLOCK_TOLERANCE:
        raise RevocationUnavailable("The revocation information is out of date")
    if produced_after is not None and this_update < to_the_second(produced_after):
        raise RevocationUnavailable("The revocation information is older than what it is to prove")
