"""本机构证书: the instance's own credentials as records hold them, with their keys."""

from __future__ import annotations

from asn1crypto import x509

from seal_service.domain.errors import InstanceNotReady
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.ports.records import Transaction


def newest(transaction: Transaction, role: AuthorityRole) -> AuthorityCredential:
    """The credential that signs for a role; InstanceNotReady before the instance is founded."""
    credential = transaction.authorities.newest(role)
    if credential is None:
        raise InstanceNotReady(f"This instance has no {role.value} credential: see `seal init`")
    return credential


def certificate_of(credential: AuthorityCredential) -> x509.Certificate:
    """Its certificate, parsed."""
    return x509.Certificate.load(credential.certificate)
