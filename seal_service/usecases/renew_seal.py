"""印章续期: within the last 90 days of the certificate a new version is made (article 16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.seal import Seal
from seal_service.ports.crypto import CertificateAuthority, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.certified_seal import credential_of, renewed_seal, require_renewable, subject_of
from seal_service.usecases.certify_outside import CertifyOutside
from seal_service.usecases.facts import lock_own_seal
from seal_service.usecases.fresh_key import fresh_key
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewSeal:
    """续期 as asked for."""

    seal_code: str
    suite: Suite | None = None
    """None: that of the version before."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RenewSealUseCase:
    """续期: new key and certificate under the same code; the old certificate is not revoked.

    Raises SealNotFound, RenewalNotPossible with the window, TransitionRefused, Conflict for a key that is not here.
    Where an outside authority certifies seals: CertificatePending with the request's id, AuthorityUnavailable,
    CertificateRefused.
    """

    permission: ClassVar[Permission] = Permission.RENEW_SEAL
    records: Records
    log: SigningLog
    keys: KeyStore
    authority: CertificateAuthority
    clock: Clock
    entropy: Entropy
    outside: CertifyOutside | None = None
    """Where an outside authority certifies seals."""

    def __call__(self, caller: Caller, command: RenewSeal) -> Seal:
        """The seal in its new version."""
        with self.records.read() as transaction:
            seal = lock_own_seal(transaction, caller, command.seal_code)
            if _is_done(transaction, caller, command):
                return seal
        if self.outside is not None:
            asked = RequestCertificate(seal_code=command.seal_code, suite=command.suite)
            return self.outside(caller, asked, command)
        require_renewable(seal, self.clock.now())
        before = seal.signing_credential()
        suite = command.suite or (before.suite if before else Suite.ECDSA_P256)
        key_reference = f"seal-{identifiers.uuid7(self.clock.now(), self.entropy.token(10))}"
        with fresh_key(self.records, self.keys, key_reference, suite) as public, self.records.write() as transaction:
            seal = lock_own_seal(transaction, caller, command.seal_code)
            if _is_done(transaction, caller, command):
                return seal
            now = self.clock.now()
            require_renewable(seal, now)
            unit = transaction.units.get(seal.unit_id)
            issued = self.authority.issue(transaction, subject_of(unit, seal.code), public, now)
            credential = credential_of(issued, key_reference, suite, seal.version + 1)
            renewed = renewed_seal(transaction, self.log, caller, seal, credential, now)
            remember(transaction, caller, command, seal.code, now)
            transaction.commit()
        return renewed


def _is_done(transaction: Transaction, caller: Caller, command: RenewSeal) -> bool:
    """Whether the same request renewed the seal; not when it made a certificate request, which goes on."""
    return made_earlier(transaction, caller, command) == command.seal_code
