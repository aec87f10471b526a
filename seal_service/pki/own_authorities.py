"""本机构证书: the instance's own credentials as records hold them, in all their generations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from asn1crypto import x509

from seal_service.domain import authority
from seal_service.domain.errors import InstanceNotReady
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.formats.der import known_certificate
from seal_service.ports.records import Transaction

_CHAIN_ROLES = (AuthorityRole.CROSS, AuthorityRole.ISSUING, AuthorityRole.ROOT)


def current(transaction: Transaction, role: AuthorityRole, now: datetime) -> AuthorityCredential:
    """The credential that signs for a role; InstanceNotReady before the instance is founded."""
    credential = authority.current(generations(transaction, role), now)
    if credential is None:
        raise InstanceNotReady(
            f"This instance has no {role.value} credential: see `seal init`; "
            f"an instance of an older version gets it by `seal keys rotate {role.value}`"
        )
    return credential


def generations(transaction: Transaction, role: AuthorityRole) -> list[AuthorityCredential]:
    """All of a role, oldest first."""
    return [one for one in transaction.authorities.all() if one.role is role]


def certificate_of(credential: AuthorityCredential) -> x509.Certificate:
    """Its certificate, parsed."""
    certificate: x509.Certificate = known_certificate(credential.certificate)
    return certificate


def own_issuers(transaction: Transaction, now: datetime) -> Sequence[bytes]:
    """Our certificates that may stand in a chain, DER, in the order in which a chain takes them.

    A cross certificate comes before the root whose key it certifies, while it is valid: so a chain leads to the
    oldest root, and who trusts any root on the way finds his own.
    """
    own = transaction.authorities.all()
    return [
        one.certificate
        for role in _CHAIN_ROLES
        for one in own
        if one.role is role and (role is not AuthorityRole.CROSS or one.not_before <= now < one.not_after)
    ]


def authority_with(transaction: Transaction, issuer: x509.Certificate) -> AuthorityCredential | None:
    """The root or issuing CA that has an issuer's name and key, also where that is a cross certificate; or None."""
    wanted = issuer.subject.dump(), issuer.public_key.dump()
    for one in transaction.authorities.all():
        if one.role in (AuthorityRole.ISSUING, AuthorityRole.ROOT):
            certificate = certificate_of(one)
            if (certificate.subject.dump(), certificate.public_key.dump()) == wanted:
                return one
    return None
