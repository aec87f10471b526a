"""建立内部认证机构: the keys and certificates of a new instance.

root (20 years) ─┬─ issuing CA (10 years, issues no further CA) ─┬─ seals
                 │                                               └─ OCSP responder (3 years, ocsp-nocheck)
                 └─ time-stamping unit (10 years)

The time-stamping unit stands under the root, beside the issuing CA: were that CA ever revoked, the time-stamps that
prove which seals were applied before it must still be believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateSubject, IssuedCertificate
from seal_service.formats.der import to_the_second
from seal_service.pki.certificates import (
    ISSUING,
    OCSP_RESPONDER,
    ROOT,
    TIMESTAMP_UNIT,
    Issuer,
    IssuerAddresses,
    Profile,
    certificate_serial,
    issued,
    self_signed,
    serial_text,
)
from seal_service.ports.crypto import KeyStore, SigningKey
from seal_service.ports.records import Transaction
from seal_service.ports.system import Entropy

_YEARS = {
    AuthorityRole.ROOT: 20,
    AuthorityRole.ISSUING: 10,
    AuthorityRole.OCSP: 3,
    AuthorityRole.TIMESTAMP: 10,
}
_NAMES = {
    AuthorityRole.ROOT: "电子印章根证书",
    AuthorityRole.ISSUING: "电子印章签发机构",
    AuthorityRole.OCSP: "电子印章证书状态查询",
    AuthorityRole.TIMESTAMP: "电子印章时间戳",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    credential: AuthorityCredential
    certificate: x509.Certificate
    key: SigningKey


class InternalAuthorityFoundation:
    """Founds the embedded public-key infrastructure, once for an instance."""

    def __init__(self, keys: KeyStore, entropy: Entropy, public_url: str, city_name: str, organization: str) -> None:
        self._keys = keys
        self._entropy = entropy
        self._city_name = city_name
        self._organization = organization
        self._root_addresses = IssuerAddresses.of_root(public_url)
        self._issuing_addresses = IssuerAddresses.of_issuing(public_url)

    def found(self, transaction: Transaction, suite: Suite, now: datetime) -> Sequence[AuthorityCredential]:
        """Root, issuing CA, OCSP responder and time-stamping unit; AlreadyRegistered when there is a root.

        All but the root are recorded as issued certificates too, so that they have a status of their own.
        """
        if transaction.authorities.newest(AuthorityRole.ROOT) is not None:
            raise AlreadyRegistered("This instance has its certificate authority already")
        start = to_the_second(now)
        root = self._make(ROOT, AuthorityRole.ROOT, suite, start, None)
        under_root = Issuer(certificate=root.certificate, key=root.key, addresses=self._root_addresses)
        issuing = self._make(ISSUING, AuthorityRole.ISSUING, suite, start, under_root)
        under_issuing = Issuer(certificate=issuing.certificate, key=issuing.key, addresses=self._issuing_addresses)
        responder = self._make(OCSP_RESPONDER, AuthorityRole.OCSP, suite, start, under_issuing)
        unit = self._make(TIMESTAMP_UNIT, AuthorityRole.TIMESTAMP, suite, start, under_root)
        for made in (issuing, responder, unit):
            transaction.certificates.add(
                IssuedCertificate(
                    serial=serial_text(made.certificate.serial_number),
                    certificate=made.credential.certificate,
                    not_before=made.credential.not_before,
                    not_after=made.credential.not_after,
                )
            )
        credentials = [made.credential for made in (root, issuing, responder, unit)]
        for credential in credentials:
            transaction.authorities.add(credential)
        return credentials

    def _make(
        self, profile: Profile, role: AuthorityRole, suite: Suite, start: datetime, issuer: Issuer | None
    ) -> _Made:
        # A founding that is rolled back leaves its keys; a random part in the name lets the next one succeed.
        reference = f"{role.value}-1-{self._entropy.token(4).hex()}"
        key = self._keys.create(reference, suite)
        subject = CertificateSubject(organization=self._organization, common_name=f"{self._city_name}{_NAMES[role]}")
        end = _years_after(start, _YEARS[role])
        serial = certificate_serial(self._entropy)
        if issuer is None:
            certificate = self_signed(profile, subject, key, start, end, serial)
        else:
            certificate = issued(profile, subject, key.public_key_info, start, end, serial, issuer)
        credential = AuthorityCredential(
            role=role,
            version=1,
            key_reference=reference,
            certificate=certificate.dump(),
            not_before=certificate.not_valid_before,
            not_after=certificate.not_valid_after,
        )
        return _Made(credential=credential, certificate=certificate, key=key)


def _years_after(moment: datetime, years: int) -> datetime:
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return moment.replace(year=moment.year + years, day=day)
