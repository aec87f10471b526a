"""An instance's own authorities, founded once a suite and copied for each test."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from asn1crypto import x509

from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import succession
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateSubject, IssuedCertificate
from seal_service.pki.chains import KnownChains
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.foundation import InternalAuthorityFoundation
from seal_service.pki.internal_ca import InternalCertificateAuthority
from seal_service.pki.key_hierarchy import KeyHierarchy, create_ring
from seal_service.pki.master_key import GivenMasterKeys
from seal_service.pki.ocsp import OcspResponder
from seal_service.pki.revocation_lists import RevocationLists
from seal_service.pki.revocation_source import OwnRevocation
from seal_service.pki.services import InternalPublicKeyServices
from seal_service.pki.timestamp_unit import TimestampUnit
from seal_service.pki.trust import InstanceTrustStore
from seal_service.ports.crypto import SigningKey
from seal_service.testing import ChangeableClock, MemoryRecords

PUBLIC_URL = "http://seal.example:8000"
CITY = "示例市"
ORGANIZATION = "示例市政务服务管理办公室"
SUBJECT = CertificateSubject(organization="11999900000000018R示例市样章局", common_name="99990000000001")


class SystemEntropy:
    """The system's own randomness."""

    def token(self, length: int) -> bytes:
        return os.urandom(length)


def key_hierarchy(directory: Path, master_keys: str = "ab" * 32) -> KeyHierarchy:
    """The keys of an instance in the directory, made when there are none."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = GivenMasterKeys(master_keys)
    create_ring(directory, source, SystemEntropy())
    return KeyHierarchy(directory, source, SystemEntropy())


@dataclass(frozen=True)
class Founded:
    """What is made once: keys and records just after the founding."""

    keys: FileKeyStore
    records: MemoryRecords


class Instance:
    """The room, wired, on its own copy of the records."""

    def __init__(self, founded: Founded) -> None:
        self.keys = founded.keys
        self.records = MemoryRecords(founded.records.state.copy())
        self.entropy = SystemEntropy()
        self.clock = ChangeableClock(datetime.now(UTC))  # the authority may be minutes old; OpenSSL goes by the machine
        self.trust = InstanceTrustStore(self.records)
        self.chains = KnownChains(self.records, self.trust, self.clock)
        self.authority = InternalCertificateAuthority(self.chains, self.keys, self.entropy, PUBLIC_URL, 1095)
        self.lists = RevocationLists(self.records, self.keys, self.clock)
        self.responder = OcspResponder(self.records, self.keys, self.clock)
        self.unit = TimestampUnit(self.records, self.keys, self.clock, self.entropy)
        self.foundation = InternalAuthorityFoundation(self.keys, self.entropy, PUBLIC_URL, CITY, ORGANIZATION)
        self.revocation = OwnRevocation(self.records, self.responder, self.lists, self.clock)
        self.services = InternalPublicKeyServices(self.records, self.lists, self.responder, self.unit)

    def rotate(self, role: AuthorityRole, suite: Suite = Suite.ECDSA_P256) -> Sequence[AuthorityCredential]:
        """The next generation of a role."""
        now = self.clock.now()
        with self.records.write() as transaction:
            made = []
            for planned in succession(role, transaction.authorities.all(), now):
                reference = f"{planned.role}-{planned.version}-{self.entropy.token(8).hex()}"
                self.keys.create(reference, suite)
                made.append(self.foundation.certify(transaction, planned, reference, now))
            transaction.commit()
        return made

    def certificate(self, role: AuthorityRole, version: int | None = None) -> x509.Certificate:
        return x509.Certificate.load(self.services.certificate(role, version))

    def issuers(self) -> tuple[bytes, bytes]:
        """The issuing CA's and the root's newest certificates, DER."""
        return self.services.certificate("issuing"), self.services.certificate("root")

    def key(self, role: AuthorityRole) -> SigningKey:
        with self.records.read() as transaction:
            credential = transaction.authorities.newest(role)
        assert credential is not None
        return self.keys.open(credential.key_reference)

    def issue(self, key: SigningKey | None = None) -> IssuedCertificate:
        """A seal's certificate; for a key of the same suite when none is given."""
        public_key_info = (key or self.key(AuthorityRole.OCSP)).public_key_info
        with self.records.write() as transaction:
            issued = self.authority.issue(transaction, SUBJECT, public_key_info, self.clock.now())
            transaction.commit()
        return issued

    def hold(self, serial: str) -> None:
        with self.records.write() as transaction:
            self.authority.hold(transaction, serial, self.clock.now())
            transaction.commit()

    def release(self, serial: str) -> None:
        with self.records.write() as transaction:
            self.authority.release(transaction, serial, self.clock.now())
            transaction.commit()

    def revoke(self, serial: str, reason: str = "cessation_of_operation") -> None:
        with self.records.write() as transaction:
            self.authority.revoke(transaction, serial, self.clock.now(), reason)
            transaction.commit()


@cache
def _founded(suite: Suite) -> Founded:
    home = Path(tempfile.mkdtemp(prefix="pki-"))
    atexit.register(shutil.rmtree, home)
    entropy = SystemEntropy()
    keys = FileKeyStore(key_hierarchy(home / "keys"), entropy)
    records = MemoryRecords()
    at = datetime.now(UTC)
    foundation = InternalAuthorityFoundation(keys, entropy, PUBLIC_URL, CITY, ORGANIZATION)
    with records.write() as transaction:
        foundation.found(transaction, suite, at)
        transaction.commit()
    return Founded(keys, records)


def instance_of(suite: Suite = Suite.ECDSA_P256) -> Instance:
    """A new instance of a suite."""
    return Instance(_founded(suite))
