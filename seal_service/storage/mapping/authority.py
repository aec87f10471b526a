"""Certificates as rows, and back."""

from __future__ import annotations

from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateStatus, IssuedCertificate
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def certificate_values(issued: IssuedCertificate) -> Values:
    """Columns of `issued_certificate`."""
    return {
        "serial": issued.serial,
        "certificate": issued.certificate,
        "not_before": issued.not_before,
        "not_after": issued.not_after,
        "status": issued.status.value,
        "status_since": issued.status_since,
        "reason": issued.reason,
        "invalidity_date": issued.invalidity_date,
    }


def certificate_of(row: Row) -> IssuedCertificate:
    """证书 of a row."""
    return IssuedCertificate(
        serial=row.serial,
        certificate=row.certificate,
        not_before=row.not_before,
        not_after=row.not_after,
        status=CertificateStatus(row.status),
        status_since=row.status_since,
        reason=row.reason,
        invalidity_date=row.invalidity_date,
    )


def authority_values(credential: AuthorityCredential) -> Values:
    """Columns of `authority_credential`."""
    return {
        "role": credential.role.value,
        "version": credential.version,
        "key_reference": credential.key_reference,
        "certificate": credential.certificate,
        "not_before": credential.not_before,
        "not_after": credential.not_after,
    }


def authority_of(row: Row) -> AuthorityCredential:
    """The service's own credential of a row."""
    return AuthorityCredential(
        role=AuthorityRole(row.role),
        version=row.version,
        key_reference=row.key_reference,
        certificate=row.certificate,
        not_before=row.not_before,
        not_after=row.not_after,
    )
