"""到期事项 in the database: one question a kind, each by its own end, merged."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from seal_service.domain.expiry import Expiring, ExpiringKind
from seal_service.domain.seal import SealState
from seal_service.ports.expiring import ExpiringFilter
from seal_service.storage.engine import Database
from seal_service.storage.refusals import database_failures
from seal_service.storage.statement import Row
from seal_service.storage.tables import AuthorityCredentialRow, GrantRow, SealCredentialRow, SealRow

_STANDING = SealRow.state != SealState.CANCELLED.value


@dataclass(frozen=True, slots=True)
class SqlExpiring:
    """Seals, their certificates, the service's own certificates and grants."""

    database: Database

    def expiring(self, chosen: ExpiringFilter, limit: int) -> Sequence[Expiring]:
        """What ends first stands first, at most `limit`."""
        with self._reading() as connection:
            found = [
                _asked(connection, question, chosen, limit)
                for question in _QUESTIONS
                if chosen.kind in (None, question.kind) and (chosen.unit_id is None or question.of_unit is not None)
            ]
        return list(heapq.merge(*found, key=lambda one: one.place))[:limit]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database_failures(), self.database.reader.begin() as connection:
            yield connection


@dataclass(frozen=True)
class _Question:
    kind: ExpiringKind
    wanted: Select[*tuple[Any, ...]]
    ends_at: InstrumentedAttribute[datetime]
    id: InstrumentedAttribute[str]
    of_unit: InstrumentedAttribute[str] | None
    expiring_of: Callable[[Row], Expiring]


def _asked(connection: Connection, question: _Question, chosen: ExpiringFilter, limit: int) -> list[Expiring]:
    ends_at, key = question.ends_at, question.id
    wanted = question.wanted.where(ends_at > chosen.after, ends_at <= chosen.until)
    if chosen.unit_id is not None and question.of_unit is not None:
        wanted = wanted.where(question.of_unit == chosen.unit_id)
    if chosen.place is not None:
        at, kind, last = chosen.place
        if kind == question.kind.value:
            wanted = wanted.where(tuple_(ends_at, key) > tuple_(literal(at, ends_at.type), literal(last)))
        else:
            wanted = wanted.where(ends_at > at if question.kind.value < kind else ends_at >= at)
    return [question.expiring_of(row) for row in connection.execute(wanted.order_by(ends_at, key).limit(limit))]


def _seal(row: Row) -> Expiring:
    return Expiring(
        kind=ExpiringKind.SEAL,
        id=row.code,
        ends_at=row.not_after,
        name=row.name,
        unit_id=row.unit_id,
        seal_code=row.code,
        what_to_do=f"seal seals renew {row.code}",
    )


def _certificate(row: Row) -> Expiring:
    return Expiring(
        kind=ExpiringKind.CERTIFICATE,
        id=row.serial,
        ends_at=row.not_after,
        name=f"{row.name} 第{row.version}版证书",
        unit_id=row.unit_id,
        seal_code=row.seal_code,
        what_to_do=f"seal seals renew {row.seal_code}",
    )


def _grant(row: Row) -> Expiring:
    return Expiring(
        kind=ExpiringKind.GRANT,
        id=row.id,
        ends_at=row.valid_until,
        name=f"{row.scenario} {row.name}",
        unit_id=row.unit_id,
        seal_code=row.seal_code,
        what_to_do="seal grants make",
    )


def _authority(row: Row) -> Expiring:
    return Expiring(
        kind=ExpiringKind.AUTHORITY,
        id=row.key_reference,
        ends_at=row.not_after,
        name=f"{row.role} {row.version}",
        what_to_do=f"seal keys rotate {row.role}",
    )


_QUESTIONS = (
    _Question(
        ExpiringKind.SEAL,
        select(SealRow.code, SealRow.name, SealRow.unit_id, SealRow.not_after).where(_STANDING),
        SealRow.not_after,
        SealRow.code,
        SealRow.unit_id,
        _seal,
    ),
    _Question(
        ExpiringKind.CERTIFICATE,
        select(
            SealCredentialRow.serial,
            SealCredentialRow.version,
            SealCredentialRow.not_after,
            SealCredentialRow.seal_code,
            SealRow.name,
            SealRow.unit_id,
        )
        .join(SealRow, SealRow.code == SealCredentialRow.seal_code)
        .where(_STANDING, SealCredentialRow.version == SealRow.version),
        SealCredentialRow.not_after,
        SealCredentialRow.serial,
        SealRow.unit_id,
        _certificate,
    ),
    _Question(
        ExpiringKind.GRANT,
        select(GrantRow.id, GrantRow.scenario, GrantRow.valid_until, GrantRow.seal_code, SealRow.name, SealRow.unit_id)
        .join(SealRow, SealRow.code == GrantRow.seal_code)
        .where(_STANDING, GrantRow.revoked_at.is_(None)),
        GrantRow.valid_until,
        GrantRow.id,
        SealRow.unit_id,
        _grant,
    ),
    _Question(
        ExpiringKind.AUTHORITY,
        select(
            AuthorityCredentialRow.key_reference,
            AuthorityCredentialRow.role,
            AuthorityCredentialRow.version,
            AuthorityCredentialRow.not_after,
        ),
        AuthorityCredentialRow.not_after,
        AuthorityCredentialRow.key_reference,
        None,
        _authority,
    ),
)
