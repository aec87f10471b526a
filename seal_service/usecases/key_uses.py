"""密钥用途: what the records say that keys are needed for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from seal_service.domain.authority import ended
from seal_service.domain.certification import CertificateRequestState
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.domain.key_use import AuthorityUse, KeyUse, log_key_state
from seal_service.formats.der import read_certificate
from seal_service.formats.issuing import IssuerIdentity, identity_of, is_of, issuer_named_by
from seal_service.formats.log_keys import log_key_periods
from seal_service.ports.records import Transaction

_ISSUERS = (AuthorityRole.ROOT, AuthorityRole.ISSUING)


def uses_of_keys(transaction: Transaction, references: Sequence[str], now: datetime) -> dict[str, KeyUse]:
    """What names each of these keys."""
    own = authority_uses(transaction, now)
    seals = transaction.seals.of_keys(references)
    waiting = {
        one.key_reference: one for one in transaction.certificate_requests.chosen(CertificateRequestState.PENDING)
    }
    periods = log_key_periods(transaction.log.changes_of_key())
    found = {}
    for reference in references:
        seal = seals.get(reference)
        credentials = [] if seal is None else [one for one in seal.credentials if one.key_reference == reference]
        found[reference] = KeyUse(
            reference=reference,
            authority=own.get(reference),
            seal=seal,
            credential=max(credentials, key=lambda one: one.version, default=None),
            request=waiting.get(reference),
            log_key=log_key_state(reference, periods),
        )
    return found


def authority_uses(transaction: Transaction, now: datetime) -> dict[str, AuthorityUse]:
    """The service's own keys by reference, each with what took its place and what still needs it."""
    own = [one for one in transaction.authorities.all() if one.role is not AuthorityRole.CROSS]
    answering = _answering(transaction, own, now)
    return {
        one.key_reference: AuthorityUse(
            credential=one,
            superseded_at=_responder_superseded_at(one, own, answering)
            if one.role is AuthorityRole.OCSP
            else _after(one, own),
            answers_for_valid=one.key_reference in answering,
        )
        for one in own
    }


def _after(credential: AuthorityCredential, own: Sequence[AuthorityCredential]) -> datetime | None:
    """When the next generation of its role began; None: there is none."""
    later = [one for one in own if one.role is credential.role and one.version > credential.version]
    return min(later, key=lambda one: one.version).not_before if later else None


def _responder_superseded_at(
    responder: AuthorityCredential, own: Sequence[AuthorityCredential], answering: frozenset[str]
) -> datetime | None:
    """When another responder of the same issuer took its place, or its issuer was superseded and has nothing valid."""
    issuer = issuer_of(responder, own)
    if issuer is None:
        return responder.not_before
    fellows = [one for one in own if one.role is AuthorityRole.OCSP and issuer_of(one, [issuer]) is issuer]
    if issuer.key_reference in answering:
        return _after(responder, fellows)
    return _after(responder, fellows) or _after(issuer, own)


def issuer_of(credential: AuthorityCredential, issuers: Sequence[AuthorityCredential]) -> AuthorityCredential | None:
    """Who of these root and issuing CAs certified a credential, or None."""
    named = issuer_named_by(read_certificate(credential.certificate))
    return next((one for one in issuers if one.role in _ISSUERS and _identity(one) == named), None)


def _answering(transaction: Transaction, own: Sequence[AuthorityCredential], now: datetime) -> frozenset[str]:
    """The keys of superseded authorities that issued something whose time has not ended.

    Responders do not count: nobody asks for their status (RFC 6960, 4.2.2.2.1).
    """
    superseded = (one for one in own if one.role in _ISSUERS and not ended(one, now) and _after(one, own) is not None)
    sought = {_identity(one): one.key_reference for one in superseded}
    never_asked_for = {one.certificate for one in own if one.role is AuthorityRole.OCSP}
    found: set[str] = set()
    with closing(transaction.certificates.unexpired(now)) as certificates:
        while sought and (issued := next(certificates, None)) is not None:
            if issued.certificate in never_asked_for:
                continue
            issuer = next((identity for identity in sought if is_of(issued.certificate, identity)), None)
            if issuer is not None:
                found.add(sought.pop(issuer))
    return frozenset(found)


def _identity(authority: AuthorityCredential) -> IssuerIdentity:
    return identity_of(read_certificate(authority.certificate))
