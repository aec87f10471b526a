"""用印记录: a use and its sealed document, for whoever applied the seal or holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import UNIT_STAFF, Caller, Permission, Role
from seal_service.domain.errors import DocumentNotKept, SealNotFound, UseNotFound
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.use import FOR_GOOD, SealUse, holds_document
from seal_service.ports.reading import Queries
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import BlobStore, Clock
from seal_service.usecases.facts import may_see, seal_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUse:
    """Which use."""

    seal_code: str
    use_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUses:
    """Which seal's uses."""

    seal_code: str
    page: PageRequest = PageRequest()


def visible_use(transaction: Transaction, caller: Caller, command: ReadUse) -> SealUse:
    """The use, if the caller made it, holds its seal or audits; else UseNotFound."""
    use = transaction.uses.find(command.use_id)
    seal = transaction.seals.find(command.seal_code)
    if use is None or seal is None or use.seal_code != seal.code:
        raise UseNotFound
    if use.account_id == caller.account_id or Role.AUDITOR in caller.roles:
        return use
    if caller.roles & UNIT_STAFF and caller.unit_id == seal.unit_id:
        return use
    raise UseNotFound


@dataclass(frozen=True)
class ReadUseUseCase:
    """用印记录. Raises UseNotFound."""

    permission: ClassVar[Permission] = Permission.READ_USES
    records: Records

    def __call__(self, caller: Caller, command: ReadUse) -> SealUse:
        """The use."""
        with self.records.read() as transaction:
            return visible_use(transaction, caller, command)


@dataclass(frozen=True)
class ListUsesUseCase:
    """用印记录 of a seal: a business system sees its own, a unit and an auditor all. Raises SealNotFound."""

    permission: ClassVar[Permission] = Permission.READ_USES
    records: Records
    queries: Queries

    def __call__(self, caller: Caller, command: ListUses) -> Page[SealUse]:
        """A page of uses, newest first."""
        with self.records.read() as transaction:
            seal = transaction.seals.find(command.seal_code)
        if seal is None:
            raise SealNotFound
        if caller.roles & {*UNIT_STAFF, Role.AUDITOR} and may_see(caller, seal):
            return self.queries.uses(command.page, seal_code=seal.code)
        if Role.BUSINESS_SYSTEM in caller.roles:
            return self.queries.uses(command.page, seal_code=seal.code, account_id=caller.identity)
        raise SealNotFound


@dataclass(frozen=True)
class FetchDocumentUseCase:
    """取回盖章文件 while it is held: only the account that applied the seal. Raises UseNotFound, DocumentNotKept."""

    permission: ClassVar[Permission] = Permission.APPLY_SEAL
    records: Records
    blobs: BlobStore
    clock: Clock

    def __call__(self, caller: Caller, command: ReadUse) -> tuple[SealUse, bytes]:
        """The use and the sealed document."""
        with self.records.read() as transaction:
            use = visible_use(transaction, caller, command)
        if use.account_id != caller.account_id:
            raise UseNotFound
        self.records.confirm()
        held = use.sealed_sha256 if holds_document(use, self.clock.now()) else None
        content = self.blobs.get(held) if held is not None else None
        if content is None:
            raise DocumentNotKept
        return use, content


@dataclass(frozen=True)
class AcknowledgeDocumentUseCase:
    """确认收到: the caller has the document, so it is no longer held here. Raises UseNotFound; twice is once.

    A document that is kept for good stays.
    """

    permission: ClassVar[Permission] = Permission.APPLY_SEAL
    records: Records
    log: SigningLog
    blobs: BlobStore

    def __call__(self, caller: Caller, command: ReadUse) -> None:
        """Release the document."""
        with self.records.write() as transaction:
            seal = transaction.seals.lock(visible_use(transaction, caller, command).seal_code)
            use = visible_use(transaction, caller, command)  # as it is now that nobody else changes it
            if use.account_id != caller.account_id:
                raise UseNotFound
            if use.document_kept_until in (None, FOR_GOOD) or use.sealed_sha256 is None:
                return  # gone already, or kept for good as this instance is set
            transaction.uses.release_document(use.id)
            event = Event(
                kind=EventKind.DOCUMENT_ACKNOWLEDGED,
                seal_code=seal.code,
                unit_id=seal.unit_id,
                scenario=use.scenario,
                document_sha256=use.document_sha256,
                use_id=use.id,
                facts=seal_facts(seal, transaction.units.get(seal.unit_id)),
            )
            self.log.append(transaction, act_of(caller, event))
            # Deleted before the commit: a crash between the two leaves a row without document, never the reverse.
            if not transaction.uses.holds(use.sealed_sha256):
                self.blobs.delete(use.sealed_sha256)
            transaction.commit()
