"""建立内部认证机构: the keys and certificates of a new instance, and their later generations.

root (20 years) ─┬─ issuing CA (10 years, issues no further CA) ─┬─ seals
                 │                                               └─ OCSP responder (3 years, ocsp-nocheck)
                 ├─ time-stamping unit (10 years)
                 ├─ publisher of the status list (3 years)
                 └─ signer of reports on the log (3 years)

The time-stamping unit stands under the root, beside the issuing CA: were that CA ever revoked, the time-stamps that
prove which seals were applied before it must still be believed. Later generations stand side by side with the first;
a new root is certified by the one before it too, so that who trusts only that one verifies what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from asn1crypto import x509

from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import AUTHORITY_RULES, PlannedCredential, ended
from seal_service.domain.errors import AlreadyRegistered, InstanceNotReady, SignatureRefused
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateSubject, IssuedCertificate
from seal_service.formats.der import to_the_second
from seal_service.pki.certificates import (
    ISSUING,
    OCSP_RESPONDER,
    REPORT_SIGNER,
    ROOT,
    STATUS_PUBLISHER,
    TIMESTAMP_UNIT,
    Issuer,
    IssuerAddresses,
    certificate_serial,
    issued,
    self_signed,
    serial_text,
)
from seal_service.pki.own_authorities import certificate_of, generations
from seal_service.ports.crypto import KeyStore, SigningKey
from seal_service.ports.records import Transaction
from seal_service.ports.system import Entropy

_PROFILES = {
    AuthorityRole.ROOT: ROOT,
    AuthorityRole.ISSUING: ISSUING,
    AuthorityRole.OCSP: OCSP_RESPONDER,
    AuthorityRole.TIMESTAMP: TIMESTAMP_UNIT,
    AuthorityRole.STATUS: STATUS_PUBLISHER,
    AuthorityRole.REPORT: REPORT_SIGNER,
}


class InternalAuthorityFoundation:
    """Founds the embedded public-key infrastructure, once for an instance, and certifies what follows."""

    def __init__(self, keys: KeyStore, entropy: Entropy, public_url: str, city_name: str, organization: str) -> None:
        self._keys = keys
        self._entropy = entropy
        self._public_url = public_url
        self._city_name = city_name
        self._organization = organization

    def found(self, transaction: Transaction, suite: Suite, now: datetime) -> Sequence[AuthorityCredential]:
        """Root, issuing CA, OCSP responder and time-stamping unit; AlreadyRegistered when there is a root.

        All but the root are recorded as issued certificates too, so that they have a status of their own.
        """
        if transaction.authorities.newest(AuthorityRole.ROOT) is not None:
            raise AlreadyRegistered("This instance has its certificate authority already")
        made = []
        for role, rule in AUTHORITY_RULES.items():
            # A founding that is rolled back leaves its keys; a random part in the name lets the next one succeed.
            reference = f"{role.value}-1-{self._entropy.token(4).hex()}"
            self._keys.create(reference, suite)
            planned = PlannedCredential(role=role, version=1, issuer_version=1 if rule.issuer else None)
            made.append(self.certify(transaction, planned, reference, now))
        return made

    def certify(
        self, transaction: Transaction, planned: PlannedCredential, key_reference: str, now: datetime
    ) -> AuthorityCredential:
        """The credential of a key that is there, from now (to the second) on; recorded, also as an issued certificate.

        A new root gets a cross certificate by the root before it, unless that one has ended. Raises InstanceNotReady
        when the issuer's certificate has ended or its key is gone.
        """
        role, start = planned.role, to_the_second(now)
        rule, profile, key = AUTHORITY_RULES[role], _PROFILES[role], self._keys.open(key_reference)
        subject, end = self._subject(planned), _years_after(start, rule.years)
        if rule.issuer is None:
            certificate = self_signed(profile, subject, key, start, end, certificate_serial(self._entropy))
            made = _add(transaction, role, planned.version, key_reference, certificate)
            self._cross_certify(transaction, planned, key, made)
            return made
        issuer = self._issuer(transaction, rule.issuer, planned.issuer_version, now)
        serial = certificate_serial(self._entropy)
        certificate = issued(profile, subject, key.public_key_info, start, end, serial, issuer)
        return _add(transaction, role, planned.version, key_reference, certificate)

    def _cross_certify(
        self, transaction: Transaction, planned: PlannedCredential, key: SigningKey, root: AuthorityCredential
    ) -> None:
        """交叉证书: the new root's name and key, by the root before it (RFC 4210, 4.4: new with old)."""
        earlier = [one.version for one in generations(transaction, AuthorityRole.ROOT) if one.version < root.version]
        if not earlier:
            return
        try:
            issuer = self._issuer(transaction, AuthorityRole.ROOT, max(earlier), root.not_before)
        except InstanceNotReady:
            return  # what has ended vouches for nothing
        start, end, serial = root.not_before, root.not_after, certificate_serial(self._entropy)
        certificate = issued(ROOT, self._subject(planned), key.public_key_info, start, end, serial, issuer)
        _add(transaction, AuthorityRole.CROSS, root.version, root.key_reference, certificate)

    def _subject(self, planned: PlannedCredential) -> CertificateSubject:
        name = f"{self._city_name}{AUTHORITY_RULES[planned.role].name}"
        numbered = name if planned.version == 1 else f"{name} {planned.version}"
        return CertificateSubject(organization=self._organization, common_name=numbered)

    def _issuer(self, transaction: Transaction, role: AuthorityRole, version: int | None, now: datetime) -> Issuer:
        for one in generations(transaction, role):
            if one.version == version and not ended(one, now):
                try:
                    key = self._keys.open(one.key_reference)
                except SignatureRefused as error:
                    raise InstanceNotReady(f"The {role.value} key is missing: {error.message}") from error
                addresses = IssuerAddresses.of(role, one.version, self._public_url)
                return Issuer(certificate=certificate_of(one), key=key, addresses=addresses)
        raise InstanceNotReady(f"The {role.value} certificate has ended: see `seal keys rotate {role.value}`")


def _add(
    transaction: Transaction, role: AuthorityRole, version: int, key_reference: str, certificate: x509.Certificate
) -> AuthorityCredential:
    credential = AuthorityCredential(
        role=role,
        version=version,
        key_reference=key_reference,
        certificate=certificate.dump(),
        not_before=certificate.not_valid_before,
        not_after=certificate.not_valid_after,
    )
    transaction.authorities.add(credential)
    if role is not AuthorityRole.ROOT:
        transaction.certificates.add(
            IssuedCertificate(
                serial=serial_text(certificate.serial_number),
                certificate=credential.certificate,
                not_before=credential.not_before,
                not_after=credential.not_after,
            )
        )
    return credential


def _years_after(moment: datetime, years: int) -> datetime:
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return moment.replace(year=moment.year + years, day=day)
