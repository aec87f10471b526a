"""到期提醒: whatever ends within some days, in one list; each is told of at 90, 30, 7 and 1 days, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.errors import InvalidCursor
from seal_service.domain.expiry import OF_UNITS, THRESHOLDS, Expiring, ExpiringKind, threshold
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.trust import TrustedCertificate
from seal_service.formats.der import known_certificate
from seal_service.ports.expiring import ExpiringFilter, ExpiringQueries, ExpiringSource
from seal_service.ports.records import Records, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.notify import NOBODY, Notify

ABOVE_UNITS = frozenset({Role.SEAL_MAKER, Role.AUDITOR, Role.SYSTEM_OPERATOR})
AT_ONCE = 500
_REVOCATION = "revocation:"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListExpiring:
    """到期事项 within so many days."""

    days: int = 90
    kind: ExpiringKind | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True)
class ExpiringStory:
    """What listing and telling have in common: the database, what operators entered, what was seen outside, files."""

    records: Records
    queries: ExpiringQueries
    sources: Sequence[ExpiringSource]
    clock: Clock
    trust_lasts: timedelta
    """After how long a trust anchor has to be confirmed."""
    crl_lasts: timedelta
    """After how long an outside authority's revocation data is too old."""

    def found(self, chosen: ExpiringFilter, limit: int) -> list[Expiring]:
        """What ends first stands first."""
        rows = list(self.queries.expiring(chosen, limit))
        if chosen.unit_id is None:
            rows += [one for one in self._others() if _fits(one, chosen)]
        return sorted(rows, key=lambda one: one.place)[:limit]

    def _others(self) -> list[Expiring]:
        with self.records.read() as transaction:
            found = [self._anchor(one) for one in transaction.trust.all()]
            found += self._lists(transaction)
        for source in self.sources:
            found += source()
        return found

    def _anchor(self, one: TrustedCertificate) -> Expiring:
        certificate = known_certificate(one.certificate)
        ends, confirm = certificate.not_valid_after, one.confirmed_at + self.trust_lasts
        return Expiring(
            kind=ExpiringKind.TRUST_ANCHOR,
            id=one.id,
            ends_at=min(ends, confirm),
            name=str(certificate.subject.human_friendly)[:200],
            what_to_do="seal trust add" if ends <= confirm else f"seal trust confirm {one.id}",
        )

    def _lists(self, transaction: Transaction) -> list[Expiring]:
        return [
            Expiring(
                kind=ExpiringKind.CRL,
                id=one.name,
                ends_at=one.at + self.crl_lasts,
                name=one.detail[:200],
                what_to_do="ask its authority for new revocation data",
            )
            for one in transaction.observations.all()
            if one.name.startswith(_REVOCATION) and one.well
        ]


def _fits(one: Expiring, chosen: ExpiringFilter) -> bool:
    return (
        chosen.after < one.ends_at <= chosen.until
        and chosen.kind in (None, one.kind)
        and (chosen.place is None or one.place > chosen.place)
    )


@dataclass(frozen=True)
class ListExpiringUseCase(ExpiringStory):
    """到期事项: everything for the making office, auditors and operators; a unit's staff see their own unit's."""

    permission: ClassVar[Permission] = Permission.READ_EXPIRING

    def __call__(self, caller: Caller, command: ListExpiring) -> Page[Expiring]:
        """A page, what ends first stands first."""
        now, limit = self.clock.now(), command.page.limit
        unit_id = None if caller.roles & ABOVE_UNITS else caller.unit_id or ""
        if unit_id is not None and command.kind is not None and command.kind not in OF_UNITS:
            return Page(items=())
        chosen = ExpiringFilter(
            after=now,
            until=now + timedelta(days=command.days),
            unit_id=unit_id,
            kind=command.kind,
            place=_place(command.page.cursor),
        )
        found = self.found(chosen, limit + 1)
        more = len(found) > limit
        return Page(items=tuple(found[:limit]), next_cursor=_cursor(found[limit - 1]) if more else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellExpiring:
    """到期提醒, once."""


@dataclass(frozen=True)
class TellExpiringUseCase(ExpiringStory):
    """到期提醒: a message for each thing and threshold that it has reached; repeated, it adds nothing."""

    permission: ClassVar[Permission] = Permission.RECONCILE
    notify: Notify = NOBODY

    def __call__(self, _caller: Caller, _command: TellExpiring) -> int:
        """How many things are near their end."""
        now, told, place = self.clock.now(), 0, None
        while self.notify.targets:
            until = now + timedelta(days=max(THRESHOLDS))
            found = self.found(ExpiringFilter(after=now, until=until, place=place), AT_ONCE)
            if not found:
                break
            with self.records.write() as transaction:
                for one in found:
                    self._tell(transaction, one, now)
                transaction.commit()
            told, place = told + len(found), found[-1].place
        return told

    def _tell(self, transaction: Transaction, one: Expiring, now: datetime) -> None:
        days = threshold(one.ends_at, now)
        if days is None or one.kind is ExpiringKind.CRL:  # whose age readiness watches by the hour
            return
        self.notify(
            transaction,
            event_id=f"expiring {one.kind.value} {one.id} {int(one.ends_at.timestamp())} {days}",
            kind="expiring",
            subject=f"{one.kind.value} {one.seal_code or one.id[:40]} {days}d",
            payload={
                "expiring_kind": one.kind.value,
                "id": one.id,
                "name": one.name,
                "seal_code": one.seal_code,
                "ends_at": one.ends_at.isoformat().replace("+00:00", "Z"),
                "within_days": days,
                "what_to_do": one.what_to_do,
            },
            now=now,
        )


def _cursor(one: Expiring) -> str:
    return f"{(one.ends_at - _EPOCH) // timedelta(microseconds=1)}~{one.kind.value}~{one.id}"


def _place(cursor: str | None) -> tuple[datetime, str, str] | None:
    if cursor is None:
        return None
    try:
        at, kind, key = cursor.split("~", 2)
        return _EPOCH + timedelta(microseconds=int(at)), ExpiringKind(kind).value, key
    except (ValueError, OverflowError) as error:
        raise InvalidCursor from error
