"""证书: what our authority issued, and the service's own credentials."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from seal_service.domain.errors import AlreadyRegistered, CertificateNotFound
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateStatus, IssuedCertificate
from seal_service.storage.mapping import authority_of, authority_values, certificate_of, certificate_values
from seal_service.storage.refusals import unique
from seal_service.storage.tables import AuthorityCredentialRow, IssuedCertificateRow


@dataclass(frozen=True, slots=True)
class SqlCertificates:
    """Issued certificates and the numbers of revocation lists."""

    connection: Connection

    def add(self, issued: IssuedCertificate) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(IssuedCertificateRow), certificate_values(issued))

    def find(self, serial: str) -> IssuedCertificate | None:
        """Read by serial number, or None."""
        wanted = select(IssuedCertificateRow).where(IssuedCertificateRow.serial == serial)
        row = self.connection.execute(wanted).one_or_none()
        return None if row is None else certificate_of(row)

    def set_status(self, serial: str, status: CertificateStatus, at: datetime, reason: str | None) -> None:
        """Write a status; CertificateNotFound."""
        changed = update(IssuedCertificateRow).where(IssuedCertificateRow.serial == serial)
        values = {"status": status.value, "status_since": at, "reason": reason}
        if self.connection.execute(changed, values).rowcount == 0:
            raise CertificateNotFound(serial=serial)

    def set_invalidity(self, serial: str, since: datetime) -> None:
        """Write the date; CertificateNotFound."""
        changed = update(IssuedCertificateRow).where(IssuedCertificateRow.serial == serial)
        if self.connection.execute(changed, {"invalidity_date": since}).rowcount == 0:
            raise CertificateNotFound(serial=serial)

    def not_good(self) -> Sequence[IssuedCertificate]:
        """All that are on hold or revoked, by serial."""
        row = IssuedCertificateRow
        not_good = row.status.in_([CertificateStatus.ON_HOLD.value, CertificateStatus.REVOKED.value])
        return [
            certificate_of(one) for one in self.connection.execute(select(row).where(not_good).order_by(row.serial))
        ]

    def unexpired(self, now: datetime) -> Generator[IssuedCertificate, None, None]:
        """All whose time has not ended, fetched a thousand at a time; closing it early closes the cursor too."""
        wanted = select(IssuedCertificateRow).where(IssuedCertificateRow.not_after > now)
        with self.connection.execute(wanted, execution_options={"yield_per": 1000}) as rows:
            for row in rows:
                yield certificate_of(row)


@dataclass(frozen=True, slots=True)
class SqlAuthorities:
    """The service's own credentials."""

    connection: Connection

    def add(self, credential: AuthorityCredential) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(AuthorityCredentialRow), authority_values(credential))

    def newest(self, role: AuthorityRole) -> AuthorityCredential | None:
        """The newest version for a role, or None."""
        row = AuthorityCredentialRow
        wanted = select(row).where(row.role == role.value).order_by(row.version.desc()).limit(1)
        found = self.connection.execute(wanted).one_or_none()
        return None if found is None else authority_of(found)

    def all(self) -> Sequence[AuthorityCredential]:
        """Every version of every role, by role and version."""
        row = AuthorityCredentialRow
        return [authority_of(one) for one in self.connection.execute(select(row).order_by(row.role, row.version))]
