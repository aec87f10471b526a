"""信任锚管理: which authorities of other systems are trusted, for what, and since when (articles 7, 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import AlreadyRegistered, CertificateRefused, InvalidInput, TrustAnchorNotFound
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.trust import (
    LONGEST_ADDRESS,
    MOST_ADDRESSES,
    AuthorityCertificate,
    TrustedCertificate,
    checked_note,
    reasons_against,
)
from seal_service.ports.crypto import AuthorityCertificateReader
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTrust:
    """A certificate to be trusted; for neither purpose, it is an intermediate that only helps to build chains."""

    certificate: bytes
    """DER."""
    for_signatures: bool
    for_timestamps: bool
    note: str
    revocation_addresses: tuple[str, ...] = ()
    ends_chains_below_root: bool = False
    """Whether it may be an anchor although it is not self-signed."""
    only_examine: bool = False
    """Check everything and write nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmTrust:
    """Someone compared a trusted certificate again with what its owner publishes."""

    id: str
    note: str | None = None
    """How; in the place of the note that stands there."""
    only_examine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTrust:
    """A certificate that is no longer to be trusted."""

    id: str
    only_examine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTrust:
    """All that is trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustView:
    """A trusted certificate, and what it says of itself."""

    trusted: TrustedCertificate
    certificate: AuthorityCertificate


@dataclass(frozen=True)
class AddTrustUseCase:
    """信任锚登记, seen by every process from the commit on.

    Raises CertificateRefused with every reason against the certificate, InvalidInput, AlreadyRegistered.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_TRUST
    records: Records
    log: SigningLog
    reader: AuthorityCertificateReader
    clock: Clock

    def __call__(self, caller: Caller, command: AddTrust) -> TrustView:
        """The certificate as it is trusted, or would be."""
        now = self.clock.now()
        found = self.reader.read(command.certificate)
        trusted = TrustedCertificate(
            id=found.sha256,
            certificate=command.certificate,
            for_signatures=command.for_signatures,
            for_timestamps=command.for_timestamps,
            note=checked_note(command.note),
            revocation_addresses=self._addresses(command.revocation_addresses),
            added_by=caller.identity,
            added_at=now,
            confirmed_at=now,
        )
        root_expected = trusted.is_anchor and not command.ends_chains_below_root
        with self.records.write() as transaction:
            reasons = list(reasons_against(found, now, root_expected=root_expected))
            if command.certificate in [one.certificate for one in transaction.authorities.all()]:
                reasons.append("it is this instance's own, which is trusted anyway")
            if reasons:
                raise CertificateRefused(f"The certificate is not taken: {'; '.join(reasons)}", reasons=reasons)
            if trusted.id in [one.id for one in transaction.trust.all()]:
                raise AlreadyRegistered(
                    "This certificate is trusted already: `seal trust confirm` notes that it was compared again; "
                    "to trust it otherwise, remove it first"
                )
            transaction.trust.add(trusted)
            self.log.append(transaction, act_of(caller, _event(EventKind.TRUST_ADDED, trusted, found)))
            if not command.only_examine:
                transaction.commit()
        return TrustView(trusted=trusted, certificate=found)

    def _addresses(self, given: Sequence[str]) -> tuple[str, ...]:
        addresses = tuple(dict.fromkeys(given))
        if len(addresses) > MOST_ADDRESSES:
            raise InvalidInput(f"At most {MOST_ADDRESSES} revocation addresses", field="revocation_addresses")
        for address in addresses:
            if len(address) > LONGEST_ADDRESS:
                told = f"A revocation address has at most {LONGEST_ADDRESS} characters"
                raise InvalidInput(told, field="revocation_addresses")
            self.reader.check_address(address)
        return addresses


@dataclass(frozen=True)
class ConfirmTrustUseCase:
    """信任锚复核: compared again. Raises TrustAnchorNotFound."""

    permission: ClassVar[Permission] = Permission.MANAGE_TRUST
    records: Records
    log: SigningLog
    reader: AuthorityCertificateReader
    clock: Clock

    def __call__(self, caller: Caller, command: ConfirmTrust) -> TrustView:
        """The certificate, confirmed now."""
        with self.records.write() as transaction:
            there = _there(transaction, command.id)
            note = there.note if command.note is None else checked_note(command.note)
            confirmed = replace(there, note=note, confirmed_at=self.clock.now())
            found = self.reader.read(confirmed.certificate)
            transaction.trust.replace(confirmed)
            self.log.append(transaction, act_of(caller, _event(EventKind.TRUST_CONFIRMED, confirmed, found)))
            if not command.only_examine:
                transaction.commit()
        return TrustView(trusted=confirmed, certificate=found)


@dataclass(frozen=True)
class RemoveTrustUseCase:
    """信任锚撤销: no chain ends there from the commit on. Raises TrustAnchorNotFound."""

    permission: ClassVar[Permission] = Permission.MANAGE_TRUST
    records: Records
    log: SigningLog
    reader: AuthorityCertificateReader
    clock: Clock

    def __call__(self, caller: Caller, command: RemoveTrust) -> TrustView:
        """The certificate as it was trusted until now."""
        with self.records.write() as transaction:
            removed = replace(_there(transaction, command.id), removed_at=self.clock.now())
            found = self.reader.read(removed.certificate)
            transaction.trust.replace(removed)
            self.log.append(transaction, act_of(caller, _event(EventKind.TRUST_REMOVED, removed, found)))
            if not command.only_examine:
                transaction.commit()
        return TrustView(trusted=removed, certificate=found)


@dataclass(frozen=True)
class ListTrustUseCase:
    """信任锚列表."""

    permission: ClassVar[Permission] = Permission.READ_TRUST
    records: Records
    reader: AuthorityCertificateReader

    def __call__(self, _caller: Caller, _command: ListTrust) -> tuple[TrustView, ...]:
        """All that are trusted now, in the order in which they were entered."""
        with self.records.read() as transaction:
            there = transaction.trust.all()
        return tuple(TrustView(trusted=one, certificate=self.reader.read(one.certificate)) for one in there)


def _there(transaction: Transaction, trusted_id: str) -> TrustedCertificate:
    trusted = transaction.trust.lock(trusted_id)
    if trusted.removed_at is not None:
        raise TrustAnchorNotFound(trusted_id=trusted_id)
    return trusted


def _event(kind: EventKind, trusted: TrustedCertificate, found: AuthorityCertificate) -> Event:
    facts: dict[str, Scalar] = {
        "certificate_sha256": trusted.id,
        "certificate_subject": found.subject,
        "for_signatures": trusted.for_signatures,
        "for_timestamps": trusted.for_timestamps,
        "revocation_addresses": trusted.revocation_addresses,
        "note": trusted.note,
    }
    return Event(kind=kind, facts=facts)
