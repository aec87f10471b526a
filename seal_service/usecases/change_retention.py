"""保存期限变更: takes two people; the newest entry of the log is what is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import IntegrityFailed
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.operation import DocumentKeeping
from seal_service.domain.paging import PageRequest
from seal_service.domain.retention import Retention, retention_facts, retention_of
from seal_service.formats import canonical
from seal_service.ports.reading import LogFilter, Queries
from seal_service.ports.records import Records, SigningLog


def retention_in_force(queries: Queries) -> Retention | None:
    """保存期限 that was confirmed last; None for an instance of a time before it was."""
    newest = queries.log(PageRequest(limit=1), LogFilter(kind=EventKind.RETENTION_CHANGED)).items
    if not newest:
        return None
    facts = canonical.decode(newest[0].canon).get("facts")
    if not isinstance(facts, dict):
        raise IntegrityFailed("The log's entry on retention says nothing")
    return retention_of(facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRetention:
    """保存期限变更 as asked for."""

    documents: DocumentKeeping
    hold_hours: int
    only_examine: bool = False


@dataclass(frozen=True)
class ChangeRetentionUseCase:
    """保存期限变更, in force in each process from its next start on. Raises InvalidInput."""

    permission: ClassVar[Permission] = Permission.MANAGE_RETENTION
    records: Records
    log: SigningLog

    def __call__(self, caller: Caller, command: ChangeRetention) -> Retention:
        """What is in force from then on."""
        retention = Retention(documents=command.documents, hold_hours=command.hold_hours)
        if command.only_examine:
            return retention
        with self.records.write() as transaction:
            event = Event(kind=EventKind.RETENTION_CHANGED, facts=dict(retention_facts(retention)))
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return retention


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRetention:
    """What is in force, and what the settings ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionView:
    """保存期限 in force, and the settings' where nobody confirmed it."""

    in_force: Retention
    settings: Retention
    confirmed: bool
    """Whether two people confirmed it, or the instance began with it; else the settings alone decide."""


@dataclass(frozen=True)
class ReadRetentionUseCase:
    """保存期限."""

    permission: ClassVar[Permission] = Permission.READ_CONTROLLED_ACTS
    queries: Queries
    settings: Retention

    def __call__(self, _caller: Caller, _command: ReadRetention) -> RetentionView:
        """Both."""
        found = retention_in_force(self.queries)
        return RetentionView(in_force=found or self.settings, settings=self.settings, confirmed=found is not None)
