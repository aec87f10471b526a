"""用印审批查询: whoever asked sees its own, a unit those of its seals, an auditor all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.approval import ApprovalState, ApprovedDocument, UseApproval
from seal_service.domain.errors import InvalidCursor, UseApprovalNotFound
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.records import Records
from seal_service.usecases.read_registers import ReadById

DECIDING = frozenset({Role.UNIT_ADMINISTRATOR, Role.SEAL_KEEPER})
"""Who of a unit sees what others of it asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApprovals:
    """用印审批列表."""

    seal_code: str | None = None
    state: ApprovalState | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDetail:
    """用印审批 with the documents that it covers."""

    approval: UseApproval
    documents: tuple[ApprovedDocument, ...]


@dataclass(frozen=True)
class ListApprovalsUseCase:
    """用印审批列表, newest first. Raises InvalidCursor."""

    permission: ClassVar[Permission] = Permission.READ_APPROVALS
    records: Records

    def __call__(self, caller: Caller, command: ListApprovals) -> Page[UseApproval]:
        """A page of approvals."""
        limit, unit_id, requested_by = command.page.limit, None, None
        if caller.roles & DECIDING:
            unit_id = caller.unit_id or ""
        elif Role.AUDITOR not in caller.roles:
            requested_by = caller.identity
        with self.records.read() as transaction:
            found = transaction.approvals.chosen(
                seal_code=command.seal_code,
                unit_id=unit_id,
                requested_by=requested_by,
                state=command.state,
                before=_before(command.page.cursor),
                limit=limit + 1,
            )
        return Page(items=tuple(found[:limit]), next_cursor=found[limit - 1].id if len(found) > limit else None)


@dataclass(frozen=True)
class ReadApprovalUseCase:
    """用印审批. Raises UseApprovalNotFound."""

    permission: ClassVar[Permission] = Permission.READ_APPROVALS
    records: Records

    def __call__(self, caller: Caller, command: ReadById) -> ApprovalDetail:
        """The approval and its documents."""
        with self.records.read() as transaction:
            approval = transaction.approvals.lock(command.id)
            documents = tuple(transaction.approvals.documents(approval.id))
        of_unit = bool(caller.roles & DECIDING) and caller.unit_id == approval.unit_id
        if not of_unit and caller.account_id != approval.requested_by and Role.AUDITOR not in caller.roles:
            raise UseApprovalNotFound
        return ApprovalDetail(approval=approval, documents=documents)


def _before(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return str(UUID(cursor))
    except ValueError:
        raise InvalidCursor from None
