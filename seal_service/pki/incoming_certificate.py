"""外部证书检查: whether a certificate of an outside authority may be a seal's (articles 9, 16; RFC 5280)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from asn1crypto import crl, ocsp, x509

from seal_service.domain.algorithms import Suite
from seal_service.domain.certification import CheckedCertificate, ExpectedCertificate, ReceivedCertificate
from seal_service.domain.errors import CertificateRefused, InvalidInput, RevocationUnavailable
from seal_service.domain.issuance import IssuedCertificate
from seal_service.formats.der import read_certificate, reading
from seal_service.formats.pkcs10 import name_values
from seal_service.pki.authority_certificates import readable_name
from seal_service.pki.certificates import read_public_key, serial_text
from seal_service.pki.certification_path import NoPath, path_to_anchor
from seal_service.ports.crypto import RevocationEvidence, RevocationSource, TrustStore
from seal_service.ports.system import Clock

_LONGEST_SERIAL = 20
"""Octets (RFC 5280, 4.1.2.2)."""
_MAY_SIGN = frozenset({"digital_signature", "non_repudiation"})


class OutsideCertificateCheck:
    """Judges certificates by this instance's trust anchors for signatures, its clock and allowed revocation data."""

    def __init__(self, trust: TrustStore, revocation: RevocationSource, clock: Clock) -> None:
        self._trust = trust
        self._revocation = revocation
        self._clock = clock

    def check(self, received: ReceivedCertificate, expected: ExpectedCertificate) -> CheckedCertificate:
        """The certificate with its chain; CertificateRefused with every reason, InvalidInput for no certificate."""
        now = self._clock.now()
        certificate = read_certificate(received.certificate)
        with reading("X.509 certificate"):
            reasons = [*_reasons(certificate, expected, now)]
        path: list[x509.Certificate] = []
        try:
            path = self._path(certificate, received.further, now)
        except NoPath as error:
            reasons.append(f"its chain does not hold: {error}{_unknown_roots(received.further)}")
        known, revoked = self._revocation_of([certificate, *path])
        reasons.extend(f"{readable_name(one.subject)} is revoked, says its issuer" for one in revoked)
        if reasons:
            raise CertificateRefused(f"The certificate is not taken: {'; '.join(reasons)}", reasons=reasons)
        return CheckedCertificate(
            issued=IssuedCertificate(
                serial=serial_text(certificate.serial_number),
                certificate=received.certificate,
                not_before=certificate.not_valid_before,
                not_after=certificate.not_valid_after,
            ),
            suite=_suite(certificate),
            chain=tuple(one.dump() for one in path),
            subject=readable_name(certificate.subject),
            issuer=readable_name(certificate.issuer),
            subject_as_asked=_is_as_asked(certificate, expected),
            revocation_known=known,
        )

    def describe(self, certificate: bytes) -> tuple[str, str]:
        """Subject and issuer, as a person reads them."""
        found = read_certificate(certificate)
        return readable_name(found.subject), readable_name(found.issuer)

    def is_revoked(self, certificate: bytes) -> bool | None:
        """What its authority publishes now; None when its issuer is not known or nothing can be fetched."""
        found = read_certificate(certificate)
        try:
            issuer = self._path(found, (), max(found.not_valid_before, min(self._clock.now(), found.not_valid_after)))
        except NoPath:
            return None
        known, revoked = self._revocation_of([found, issuer[0]])
        return bool(revoked) if known else None

    def _path(self, certificate: x509.Certificate, further: Sequence[bytes], at: datetime) -> list[x509.Certificate]:
        anchors = [read_certificate(one.certificate) for one in self._trust.anchors() if one.for_signatures]
        between = [read_certificate(one) for one in dict.fromkeys([*further, *self._trust.intermediates()])]
        return path_to_anchor(certificate, anchors, between, at)

    def _revocation_of(self, path: Sequence[x509.Certificate]) -> tuple[bool, list[x509.Certificate]]:
        """Whether all could be asked for, and those that are revoked; the last is the anchor, which nobody revokes."""
        known, revoked = len(path) > 1, []
        for certificate, issuer in pairwise(path):
            try:
                evidence = self._revocation.evidence(certificate.dump(), issuer.dump(), None)
            except RevocationUnavailable:
                known = False
                continue
            if is_revoked_by(evidence, certificate):
                revoked.append(certificate)
        return known, revoked


def is_revoked_by(evidence: RevocationEvidence, certificate: x509.Certificate) -> bool:
    """Whether evidence on a certificate, which its source has checked, says that it is revoked or on hold."""
    serial = certificate.serial_number
    for der in evidence.ocsp_responses:
        for single in ocsp.OCSPResponse.load(der)["response_bytes"]["response"].parsed["tbs_response_data"][
            "responses"
        ]:
            if single["cert_id"]["serial_number"].native == serial and single["cert_status"].name == "revoked":
                return True
    for der in evidence.crls:
        for entry in crl.CertificateList.load(der)["tbs_cert_list"]["revoked_certificates"]:
            if entry["user_certificate"].native == serial:
                reasons = [one["extn_value"].parsed.native for one in entry["crl_entry_extensions"]
                           if one["extn_id"].native == "crl_reason"]  # fmt: skip
                if reasons != ["remove_from_crl"]:
                    return True
    return False


def _reasons(certificate: x509.Certificate, expected: ExpectedCertificate, now: datetime) -> Iterator[str]:
    if certificate.public_key.dump() != expected.public_key_info:
        yield "its public key is not the one that the certificate was asked for"
    try:
        _suite(certificate)
    except InvalidInput as error:
        yield error.message
    if not _is_as_asked(certificate, expected):
        yield from _reasons_of_subject(certificate, expected)
    if certificate.ca:
        yield "it is a certificate authority's"
    usage = certificate.key_usage_value
    if usage is None or not _MAY_SIGN & usage.native:
        yield "its key usage is neither digitalSignature nor nonRepudiation"
    if now < certificate.not_valid_before:
        yield f"it is valid only from {certificate.not_valid_before.isoformat()}"
    if now >= certificate.not_valid_after:
        yield f"it expired at {certificate.not_valid_after.isoformat()}"
    if not 0 < certificate.serial_number < 1 << (8 * _LONGEST_SERIAL):
        yield "its serial number is not positive or has more than 20 octets (RFC 5280, 4.1.2.2)"


def _is_as_asked(certificate: x509.Certificate, expected: ExpectedCertificate) -> bool:
    """One CN and one O, as asked for; what else a name says is its authority's matter."""
    common_names = name_values(certificate.subject, "common_name")
    organizations = name_values(certificate.subject, "organization_name")
    return (
        common_names == [expected.common_name]
        and len(organizations) == 1
        and (organizations[0] in expected.organizations)
    )


def _reasons_of_subject(certificate: x509.Certificate, expected: ExpectedCertificate) -> Iterator[str]:
    values = [part["value"].native for one in certificate.subject.chosen for part in one]
    stands = any(word in value for word in expected.mentioned for value in values if isinstance(value, str))
    if not expected.any_subject:
        organizations = " or ".join(sorted(expected.organizations))
        yield (
            f"its subject is {readable_name(certificate.subject)}, asked for was CN={expected.common_name}, "
            f"O={organizations}: have it issued so, or confirm that this subject is right"
        )
    elif not stands:
        yield f"its subject {readable_name(certificate.subject)} names neither the seal nor its unit"


def _suite(certificate: x509.Certificate) -> Suite:
    key = read_public_key(certificate.public_key.dump())
    if key.algorithm == "ec":
        return Suite.ECDSA_P256
    return Suite.RSA_3072 if key.bit_size == 3072 else Suite.RSA_2048


def _unknown_roots(further: Sequence[bytes]) -> str:
    """What came along and issued itself: the operator may want to look at it, but it is never trusted for coming."""
    for one in further:
        found = read_certificate(one)
        if found.subject.dump() == found.issuer.dump():
            return f" (a root {readable_name(found.subject)}, SHA-256 {hashlib.sha256(one).hexdigest()}, came along)"
    return ""
