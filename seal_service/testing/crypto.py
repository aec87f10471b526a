"""Fakes of keys and of certificate authorities, our own and outside ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from asn1crypto import csr, x509
from asn1crypto import keys as x509_keys

from seal_service.domain.algorithms import Suite
from seal_service.domain.certification import CheckedCertificate, ExpectedCertificate, ReceivedCertificate
from seal_service.domain.errors import (
    AlreadyRegistered,
    AuthorityUnavailable,
    CertificateRefused,
    KeyNotFound,
    SealServiceError,
    SignatureRefused,
)
from seal_service.domain.issuance import CertificateStatus, CertificateSubject, IssuedCertificate
from seal_service.domain.operation import KeyPlace
from seal_service.ports.crypto import KeyFacts, MasterKeyPlan, MasterKeyRotated
from seal_service.ports.records import Transaction
from seal_service.ports.system import Clock


@dataclass(frozen=True)
class MemoryKey:
    """A "signature" is a digest: it proves which key was asked, nothing more."""

    reference: str
    suite: Suite

    @property
    def public_key_info(self) -> bytes:
        """Stands for the public key."""
        return self.reference.encode()

    def sign(self, message: bytes) -> bytes:
        """A digest over reference and message."""
        return hashlib.sha256(self.reference.encode() + message).digest()


@dataclass
class MemoryKeys:
    """Keys by reference."""

    kept: dict[str, MemoryKey] = field(default_factory=dict)

    def create(self, reference: str, suite: Suite) -> MemoryKey:
        """A new key; AlreadyRegistered."""
        if reference in self.kept:
            raise AlreadyRegistered
        self.kept[reference] = MemoryKey(reference, suite)
        return self.kept[reference]

    def open(self, reference: str) -> MemoryKey:
        """The key; SignatureRefused."""
        if reference not in self.kept:
            raise SignatureRefused(f"There is no key {reference}")
        return self.kept[reference]

    def adopt(self, reference: str, private_key: bytes) -> MemoryKey:
        """A key, whatever was given."""
        del private_key
        return self.create(reference, Suite.ECDSA_P256)

    def held(self) -> Sequence[KeyFacts]:
        """All."""
        return [KeyFacts(reference=one, place=KeyPlace.FILE) for one in sorted(self.kept)]

    def place(self, reference: str) -> KeyPlace:
        """Here."""
        if reference not in self.kept:
            raise KeyNotFound
        return KeyPlace.FILE

    def require_destroyable(self, reference: str) -> None:
        """Each can be."""

    def destroy(self, reference: str) -> None:
        """Remove."""
        self.kept.pop(reference, None)


@dataclass
class MemoryMasterKey:
    """A master key that is a number; the port MasterKeyRotation."""

    number: int = 1

    def plan(self) -> MasterKeyPlan:
        """The number now."""
        return MasterKeyPlan(
            from_environment=False,
            active=str(self.number),
            others=(),
            key_files=0,
            key_files_to_wrap=0,
            kept_files=0,
        )

    def rotate(self) -> MasterKeyRotated:
        """The next number."""
        self.number += 1
        return MasterKeyRotated(
            active=str(self.number),
            retired=(str(self.number - 1),),
            from_environment=False,
            data_key=self.number,
            key_files=0,
            kept_files=0,
            kept_files_damaged=0,
        )


@dataclass
class MemoryTokenKey:
    """A token key that is a number; the port TokenKeyRotation."""

    number: int = 1

    def rotate(self) -> None:
        """The next number."""
        self.number += 1


@dataclass
class MemoryAuthority:
    """Issues "certificates" that are text, valid for `days`."""

    days: int = 1095
    issued: int = 0

    def issue(
        self, transaction: Transaction, subject: CertificateSubject, public_key_info: bytes, now: datetime
    ) -> IssuedCertificate:
        """A certificate, recorded."""
        self.issued += 1
        certificate = IssuedCertificate(
            serial=f"{self.issued:040x}",
            certificate=f"{subject.common_name}:{public_key_info.hex()}:{self.issued}".encode(),
            not_before=now.replace(microsecond=0),
            not_after=now.replace(microsecond=0) + timedelta(days=self.days),
        )
        transaction.certificates.add(certificate)
        return certificate

    def chain(self, certificate: bytes) -> Sequence[bytes]:
        """None."""
        del certificate
        return ()

    def hold(self, transaction: Transaction, serial: str, at: datetime) -> None:
        """Put on hold."""
        transaction.certificates.set_status(serial, CertificateStatus.ON_HOLD, at, "certificate_hold")

    def release(self, transaction: Transaction, serial: str, at: datetime) -> None:
        """Lift a hold."""
        transaction.certificates.set_status(serial, CertificateStatus.GOOD, at, None)

    def revoke(
        self, transaction: Transaction, serial: str, at: datetime, reason: str, invalid_from: datetime | None = None
    ) -> None:
        """Revoke."""
        if invalid_from is not None:
            transaction.certificates.set_invalidity(serial, invalid_from)
        transaction.certificates.set_status(serial, CertificateStatus.REVOKED, at, reason)

    def has_issued(self, transaction: Transaction, certificate: bytes) -> bool:
        """Whether it is one of these texts."""
        del transaction
        return certificate.count(b":") == 2 and not certificate.startswith(b"outside:")


class PaperRequests:
    """Writes requests that nobody signed, for a key that nobody has."""

    def write(self, key_reference: str, subject: CertificateSubject, renewed: bytes | None) -> bytes:
        """The request's structure; its "public key" is the reference."""
        del renewed
        body = {
            "version": "v1",
            "subject": x509.Name.build({"organization_name": subject.organization, "common_name": subject.common_name}),
            "subject_pk_info": {
                "algorithm": {"algorithm": "ec", "parameters": x509_keys.ECDomainParameters("named", "secp256r1")},
                "public_key": b"\x04" + hashlib.sha512(key_reference.encode()).digest(),
            },
            "attributes": [],
        }
        request = {
            "certification_request_info": body,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": b"",
        }
        return bytes(csr.CertificationRequest(request).dump())


@dataclass
class TrustingCheck:
    """Takes every certificate for right, valid for `days`, but those that begin with `bad`."""

    clock: Clock
    days: int = 1095
    taken: int = 0

    def check(self, received: ReceivedCertificate, expected: ExpectedCertificate) -> CheckedCertificate:
        """The certificate; CertificateRefused for a bad one."""
        if received.certificate.startswith(b"bad"):
            raise CertificateRefused("The certificate is not taken: it is bad", reasons=["it is bad"])
        self.taken += 1
        now = self.clock.now().replace(microsecond=0)
        return CheckedCertificate(
            issued=IssuedCertificate(
                serial=hashlib.sha256(received.certificate).hexdigest()[:40],
                certificate=received.certificate,
                not_before=now,
                not_after=now + timedelta(days=self.days),
            ),
            suite=Suite.ECDSA_P256,
            chain=(b"outside:issuing", b"outside:root"),
            subject=expected.common_name,
            issuer="outside",
            subject_as_asked=True,
            revocation_known=True,
        )

    def describe(self, certificate: bytes) -> tuple[str, str]:
        """Its text."""
        return certificate.decode("ascii", "replace"), "outside"

    def is_revoked(self, certificate: bytes) -> bool | None:
        """Unknown."""
        del certificate
        return None


@dataclass
class PaperEnrolment:
    """An authority over no network: gives what a test put there, in its order, and raises what is an error."""

    answers: list[Sequence[bytes] | SealServiceError] = field(default_factory=list)
    asked: list[bool] = field(default_factory=list)
    """Whether each request was a renewal."""

    def enrol(self, request: bytes, *, renewal: bool) -> Sequence[bytes]:
        """The next answer; AuthorityUnavailable when there is none."""
        del request
        self.asked.append(renewal)
        answer = self.answers.pop(0) if self.answers else AuthorityUnavailable()
        if isinstance(answer, SealServiceError):
            raise answer
        return answer
