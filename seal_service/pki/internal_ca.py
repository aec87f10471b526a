"""内部认证机构: the embedded certificate authority; its whole state lies in the records of the acting transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from seal_service.domain.authority import ended
from seal_service.domain.errors import CertificateNotFound, Conflict, InstanceNotReady, InvalidInput
from seal_service.domain.issuance import AuthorityRole, CertificateStatus, CertificateSubject, IssuedCertificate
from seal_service.formats.der import read_certificate, to_the_second
from seal_service.pki.certificates import SEAL, Issuer, IssuerAddresses, certificate_serial, issued, serial_text
from seal_service.pki.chains import KnownChains
from seal_service.pki.own_authorities import certificate_of, current
from seal_service.pki.signatures import is_signed_by
from seal_service.ports.crypto import KeyStore
from seal_service.ports.records import Transaction
from seal_service.ports.system import Entropy

REVOCATION_REASONS = frozenset(
    {
        "unspecified",
        "key_compromise",
        "ca_compromise",
        "affiliation_changed",
        "superseded",
        "cessation_of_operation",
        "privilege_withdrawn",
    }
)
"""RFC 5280, 5.3.1, as far as they revoke for good and concern us."""


class InternalCertificateAuthority:
    """电子认证服务 of the instance itself (article 9). Safe for threads and processes: it keeps nothing of its own."""

    def __init__(
        self, chains: KnownChains, keys: KeyStore, entropy: Entropy, public_url: str, certificate_days: int
    ) -> None:
        """Take the address under which /pki is reached; InvalidInput for one that cannot stand in a certificate."""
        IssuerAddresses.of(AuthorityRole.ISSUING, 1, public_url)
        self._chains = chains
        self._keys = keys
        self._entropy = entropy
        self._public_url = public_url
        self._validity = timedelta(days=certificate_days)

    def issue(
        self, transaction: Transaction, subject: CertificateSubject, public_key_info: bytes, now: datetime
    ) -> IssuedCertificate:
        """A seal's certificate, from now (to the second) for the set days or until its issuer's ends, if sooner.

        Raises InvalidInput for a subject or key that cannot be certified, InstanceNotReady when the issuer's own
        certificate is missing or over.
        """
        credential = current(transaction, AuthorityRole.ISSUING, now)
        if ended(credential, now):
            raise InstanceNotReady("The issuing authority's certificate has expired: see `seal keys rotate`")
        issuer = Issuer(
            certificate=certificate_of(credential),
            key=self._keys.open(credential.key_reference),
            addresses=IssuerAddresses.of(AuthorityRole.ISSUING, credential.version, self._public_url),
        )
        start = to_the_second(now)
        serial = certificate_serial(self._entropy)
        certificate = issued(SEAL, subject, public_key_info, start, start + self._validity, serial, issuer)
        kept = IssuedCertificate(
            serial=serial_text(serial),
            certificate=certificate.dump(),
            not_before=certificate.not_valid_before,
            not_after=certificate.not_valid_after,
        )
        transaction.certificates.add(kept)
        return kept

    def chain(self, certificate: bytes) -> Sequence[bytes]:
        """DER, from the issuer of this certificate to its root, of whatever generation or authority that is."""
        return self._chains.of(certificate)

    def hold(self, transaction: Transaction, serial: str, at: datetime) -> None:
        """Put on hold; nothing when it is on hold already. Conflict when it is revoked, CertificateNotFound."""
        certificate = _found(transaction, serial)
        if certificate.status is CertificateStatus.REVOKED:
            raise Conflict("The certificate is revoked for good", serial=serial)
        if certificate.status is CertificateStatus.GOOD:
            transaction.certificates.set_status(serial, CertificateStatus.ON_HOLD, at, "certificate_hold")

    def release(self, transaction: Transaction, serial: str, at: datetime) -> None:
        """Lift a hold; nothing when there is none. Conflict when it is revoked, CertificateNotFound."""
        certificate = _found(transaction, serial)
        if certificate.status is CertificateStatus.REVOKED:
            raise Conflict("The certificate is revoked for good", serial=serial)
        if certificate.status is CertificateStatus.ON_HOLD:
            transaction.certificates.set_status(serial, CertificateStatus.GOOD, at, None)

    def revoke(
        self, transaction: Transaction, serial: str, at: datetime, reason: str, invalid_from: datetime | None = None
    ) -> None:
        """Revoke for good; revoked already it stays as it is. InvalidInput for a reason that does not revoke.

        A certificate on hold counts as revoked from the hold on (X.509, reason code extension, certificateHold b).
        """
        if reason not in REVOCATION_REASONS:
            raise InvalidInput(f"{reason!r} is no reason to revoke (RFC 5280, 5.3.1)", field="reason")
        certificate = _found(transaction, serial)
        if invalid_from is not None:
            transaction.certificates.set_invalidity(serial, invalid_from)
        if certificate.status is CertificateStatus.REVOKED:
            return
        since = certificate.status_since if certificate.status is CertificateStatus.ON_HOLD else None
        transaction.certificates.set_status(serial, CertificateStatus.REVOKED, since or at, reason)

    def has_issued(self, transaction: Transaction, certificate: bytes) -> bool:
        """Whether a root or issuing certificate of ours, of any version, signed it."""
        found = read_certificate(certificate)
        return any(
            found.issuer.dump() == issuer.subject.dump()
            and is_signed_by(
                issuer.public_key.dump(),
                found["signature_algorithm"],
                found["tbs_certificate"].dump(),
                found.signature,
            )
            for issuer in (certificate_of(one) for one in transaction.authorities.all())
            if issuer.ca
        )


def _found(transaction: Transaction, serial: str) -> IssuedCertificate:
    certificate = transaction.certificates.find(serial)
    if certificate is None:
        raise CertificateNotFound(serial=serial)
    return certificate
