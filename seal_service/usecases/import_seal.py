"""印章迁入: a seal that was made elsewhere comes in with its certificate, its code and a note on its history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.application import Application
from seal_service.domain.certification import CheckedCertificate, ExpectedCertificate
from seal_service.domain.errors import AlreadyRegistered, InvalidInput, KeyInUse
from seal_service.domain.events import EventKind
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Custody, Seal
from seal_service.formats.der import read_certificate
from seal_service.formats.received import chosen, received_certificate
from seal_service.ports.crypto import CertificateAuthority, CertificateCheck, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.certified_seal import (
    credential_of,
    made_seal,
    require_approved,
    require_no_request,
    seal_code_for,
    subject_of,
)
from seal_service.usecases.fresh_key import adopted_key
from seal_service.usecases.outside_certificate import outside_facts, record_outside

LONGEST_NOTE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSeal:
    """印章迁入: an approved application, and the seal that exists for it already."""

    application_id: str
    seal_code: str
    certificates: tuple[bytes, ...]
    """Files as they were handed over (PEM, DER, PKCS#7): the seal's certificate and its chain."""
    history_note: str
    """Where it was made and how it was used. It is public and stays in the log for good: no personal data."""
    private_key: bytes | None = field(default=None, repr=False)
    """PKCS#8, DER, to be taken into the key store."""
    key_reference: str | None = None
    """Of a key that is in the key store already. With neither, the unit keeps the key (分散式)."""
    accept_subject: bool = False
    """The maker looked at the certificate's subject and it is right, though it is not ours by convention."""


@dataclass(frozen=True, slots=True)
class _Key:
    public_key_info: bytes | None
    """None: it is not here, and the certificate alone says what it is."""
    reference: str
    custody: Custody


@dataclass(frozen=True)
class ImportSealUseCase:
    """印章迁入 by the making office, on the machine: private keys never come over HTTP.

    Nothing is half done: a key that was taken in is destroyed when the seal does not come to be. Raises
    ApplicationNotFound, AlreadyDecided, InvalidSealCode, AlreadyRegistered (code taken), CertificateRefused with every
    reason, InvalidInput, KeyInUse, SignatureRefused (no such key).
    """

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    records: Records
    log: SigningLog
    keys: KeyStore
    authority: CertificateAuthority
    check: CertificateCheck
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: ImportSeal) -> Seal:
        """The seal, active."""
        note = _checked_note(command.history_note)
        with self.records.read() as transaction:
            application = transaction.applications.lock(command.application_id)
            unit = self._require_ready(transaction, application, command)
        with self._key(command) as key:
            # Asks the network, so it holds no lock.
            checked = self._checked(command, key, unit)
            with self.records.write() as transaction:
                now = self.clock.now()
                application = transaction.applications.lock(command.application_id)
                self._require_ready(transaction, application, command)
                record_outside(transaction, self.log, caller, self.authority, self.check, checked, now)
                credential = credential_of(checked.issued, key.reference, checked.suite, 1, key.custody)
                seal = made_seal(
                    transaction,
                    self.log,
                    caller,
                    application,
                    command.seal_code,
                    credential,
                    now,
                    history_note=note,
                    further_facts=outside_facts(checked),
                    first=EventKind.SEAL_IMPORTED,
                )
                transaction.commit()
        return seal

    def _require_ready(self, transaction: Transaction, application: Application, command: ImportSeal) -> Unit:
        require_approved(application)
        require_no_request(transaction, application)
        unit = transaction.units.get(application.unit_id)
        code = seal_code_for(transaction, unit, command.seal_code)
        if transaction.seals.find(code) is not None:
            raise AlreadyRegistered("There is a seal with this code already", seal_code=code)
        reference = command.key_reference
        if reference is not None and (
            transaction.seals.names_key(reference)
            or transaction.certificate_requests.names_key(reference)
            or reference in [one.key_reference for one in transaction.authorities.all()]
        ):
            raise KeyInUse("This key belongs to something else already", key_reference=reference)
        return unit

    @contextmanager
    def _key(self, command: ImportSeal) -> Iterator[_Key]:
        if command.private_key is not None and command.key_reference is not None:
            raise InvalidInput("Give a key or the reference of one, not both", field="key")
        reference = f"seal-{identifiers.uuid7(self.clock.now(), self.entropy.token(10))}"
        if command.private_key is not None:
            with adopted_key(self.records, self.keys, reference, command.private_key) as public_key_info:
                yield _Key(public_key_info, reference, Custody.SERVER)
        elif command.key_reference is not None:
            found = self.keys.open(command.key_reference)
            yield _Key(found.public_key_info, command.key_reference, Custody.SERVER)
        else:
            yield _Key(None, f"token-{reference}", Custody.TOKEN)

    def _checked(self, command: ImportSeal, key: _Key, unit: Unit) -> CheckedCertificate:
        public_key_info = key.public_key_info or b""
        received = [received_certificate(one, public_key_info) for one in command.certificates]
        certificates = [each for one in received for each in (one.certificate, *one.further)]
        certificate = chosen(certificates, public_key_info)
        subject = subject_of(unit, command.seal_code)
        return self.check.check(
            certificate,
            ExpectedCertificate(
                public_key_info=key.public_key_info or read_certificate(certificate.certificate).public_key.dump(),
                organizations=frozenset({subject.organization}),
                common_name=subject.common_name,
                mentioned=frozenset({unit.name, unit.credit_code, command.seal_code}),
                any_subject=command.accept_subject,
            ),
        )


def _checked_note(note: str) -> str:
    text = note.strip()
    if not 1 <= len(text) <= LONGEST_NOTE or not text.replace("\n", "").isprintable():
        raise InvalidInput(f"The history note is 1 to {LONGEST_NOTE} characters", field="history_note")
    return text
