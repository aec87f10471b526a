"""状态公示名单: the signed list of every seal whose history is not simply active, for anyone (article 23)."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.issuance import AuthorityRole, CertificateStatus
from seal_service.domain.lifecycle import suspensions
from seal_service.domain.seal import Seal
from seal_service.domain.status_list import ListedCertificate, ListedSeal, StatusList
from seal_service.ports.records import Records, Transaction
from seal_service.ports.status_list import StatusListSigner
from seal_service.ports.system import Clock

RENEWED_AFTER = timedelta(hours=1)
VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchStatusList:
    """The list, as it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedStatusList:
    """状态公示名单 as published."""

    content: bytes
    etag: str
    issued_at: datetime
    next_update: datetime


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    changes: int = -1
    published: PublishedStatusList | None = None


@dataclass(frozen=True)
class FetchStatusListUseCase:
    """状态公示名单: it shows every change committed before the call, and is signed anew every hour.

    Only what the regulation makes public: codes, states and their times, certificates' numbers. InstanceNotReady
    without a key for it (`seal keys rotate status`).
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    signer: StatusListSigner
    clock: Clock
    issuer: str
    lifetime: timedelta
    kept: _Kept = field(default_factory=_Kept)

    def __call__(self, _caller: Caller, _command: FetchStatusList) -> PublishedStatusList:
        """The list."""
        with self.kept.lock:
            now = self.clock.now()
            with self.records.read() as transaction:
                # The log only grows: the number of its entries that change a status tells one state from another.
                changes = transaction.log.status_changes_counted()
                before = self.kept.published
                fresh = before is not None and timedelta(0) <= now - before.issued_at < min(
                    RENEWED_AFTER, self.lifetime / 2
                )
                if before is not None and fresh and changes == self.kept.changes:
                    return before
                content = self._content(transaction, now)
            signed = self.signer.sign(content)
            self.kept.published = PublishedStatusList(
                content=signed,
                etag=hashlib.sha256(signed).hexdigest()[:32],
                issued_at=content.issued_at,
                next_update=content.next_update,
            )
            self.kept.changes = changes
            return self.kept.published

    def _content(self, transaction: Transaction, now: datetime) -> StatusList:
        codes = transaction.log.seals_stopped()
        seals = [seal for seal in (transaction.seals.find(code) for code in codes) if seal is not None]
        own = transaction.authorities.all()
        return StatusList(
            version=VERSION,
            issuer=self.issuer,
            sequence=(now - _EPOCH) // timedelta(microseconds=1),
            issued_at=now,
            next_update=now + self.lifetime,
            issuers=tuple(one.certificate for one in own if one.role is AuthorityRole.ISSUING),
            seals=tuple(_listed(transaction, seal) for seal in seals),
        )


def _listed(transaction: Transaction, seal: Seal) -> ListedSeal:
    changes = transaction.log.status_changes(seal.code)
    certificates = []
    for one in seal.credentials:
        issued = transaction.certificates.find(one.serial)
        superseded = issued is not None and issued.status is CertificateStatus.REVOKED and issued.reason == "superseded"
        certificates.append(
            ListedCertificate(
                serial=one.serial,
                sha256=hashlib.sha256(one.certificate).hexdigest(),
                superseded_at=issued.status_since if issued is not None and superseded else None,
            )
        )
    return ListedSeal(
        seal_code=seal.code,
        status=seal.state,
        since=max((one.at for one in changes), default=seal.made_at),
        intervals=suspensions(changes),
        invalid_from=seal.invalid_from,
        certificates=tuple(certificates),
    )
