"""外部证书入册: what is written down of a certificate that an outside authority issued (article 9)."""

from __future__ import annotations

import hashlib
from datetime import datetime

from seal_service.domain.access import Caller
from seal_service.domain.certification import CertificateRequest, CheckedCertificate, ExpectedCertificate
from seal_service.domain.errors import CertificateRefused, TrustAnchorNotFound
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.organization import Unit
from seal_service.domain.trust import TrustedCertificate
from seal_service.formats.pkcs10 import read_request
from seal_service.ports.crypto import CertificateAuthority, CertificateCheck
from seal_service.ports.records import SigningLog, Transaction


def expected_by(request: CertificateRequest, unit: Unit, *, any_subject: bool) -> ExpectedCertificate:
    """What the certificate for a request has to say: the request's own key and subject."""
    asked = read_request(request.request)
    return ExpectedCertificate(
        public_key_info=asked.public_key_info,
        organizations=asked.organizations,
        common_name=asked.common_name,
        mentioned=frozenset({unit.name, unit.credit_code, request.seal_code}),
        any_subject=any_subject,
    )


def outside_facts(checked: CheckedCertificate) -> dict[str, Scalar]:
    """What the log keeps for good of a certificate from outside."""
    return {
        "certificate_authority": "outside",
        "certificate_subject": checked.subject,
        "certificate_issuer": checked.issuer,
        "subject_as_asked": checked.subject_as_asked,
        "revocation_known": checked.revocation_known,
    }


def record_outside(
    transaction: Transaction,
    log: SigningLog,
    caller: Caller,
    authority: CertificateAuthority,
    check: CertificateCheck,
    checked: CheckedCertificate,
    now: datetime,
) -> None:
    """Record the certificate, and the issuers between it and its anchor, so that chains can be built later.

    Those are trusted for nothing by themselves. Raises CertificateRefused for a certificate of this instance's own
    authority, a serial number that is known, or an issuer that an operator removed.
    """
    issued = checked.issued
    if authority.has_issued(transaction, issued.certificate):
        raise _refused("it is of this instance's own authority, not of an outside one")
    if transaction.certificates.find(issued.serial) is not None:
        raise _refused(f"a certificate with the serial number {issued.serial} is known here already")
    transaction.certificates.add(issued)
    entered = {one.id for one in transaction.trust.all()}
    for certificate in checked.chain[:-1]:
        digest = hashlib.sha256(certificate).hexdigest()
        if digest in entered:
            continue
        subject, issuer = check.describe(certificate)
        if _was_removed(transaction, digest):
            raise _refused(f"its issuer {subject} was removed from what is trusted here")
        note = f"came with the certificate {issued.serial}; its chain ends in a trust anchor; issued by {issuer}"
        transaction.trust.add(
            TrustedCertificate(
                id=digest,
                certificate=certificate,
                for_signatures=False,
                for_timestamps=False,
                note=note,
                revocation_addresses=(),
                added_by=caller.identity,
                added_at=now,
                confirmed_at=now,
            )
        )
        facts: dict[str, Scalar] = {
            "certificate_sha256": digest,
            "certificate_subject": subject,
            "for_signatures": False,
            "for_timestamps": False,
            "note": note,
        }
        log.append(transaction, act_of(caller, Event(kind=EventKind.TRUST_ADDED, facts=facts)))


def _was_removed(transaction: Transaction, digest: str) -> bool:
    try:
        return transaction.trust.lock(digest).removed_at is not None
    except TrustAnchorNotFound:
        return False


def _refused(reason: str) -> CertificateRefused:
    return CertificateRefused(f"The certificate is not taken: {reason}", reasons=[reason])
