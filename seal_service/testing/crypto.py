"""Fakes of keys and of the certificate authority."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered, KeyNotFound, SignatureRefused
from seal_service.domain.issuance import CertificateStatus, CertificateSubject, IssuedCertificate
from seal_service.domain.operation import KeyPlace
from seal_service.ports.crypto import KeyFacts, MasterKeyPlan, MasterKeyRotated
from seal_service.ports.records import Transaction


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

    def chain(self) -> Sequence[bytes]:
        """None."""
        return ()

    def hold(self, transaction: Transaction, serial: str, at: datetime) -> None:
        """Put on hold."""
        transaction.certificates.set_status(serial, CertificateStatus.ON_HOLD, at, "certificate_hold")

    def release(self, transaction: Transaction, serial: str, at: datetime) -> None:
        """Lift a hold."""
        transaction.certificates.set_status(serial, CertificateStatus.GOOD, at, None)

    def revoke(self, transaction: Transaction, serial: str, at: datetime, reason: str) -> None:
        """Revoke."""
        transaction.certificates.set_status(serial, CertificateStatus.REVOKED, at, reason)

    def has_issued(self, transaction: Transaction, certificate: bytes) -> bool:
        """Whether it is one of these texts."""
        del transaction
        return certificate.count(b":") == 2 and not certificate.startswith(b"outside:")
