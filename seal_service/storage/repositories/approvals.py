"""用印场景 and 用印审批."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from seal_service.domain.approval import ApprovalState, ApprovedDocument, UseApproval
from seal_service.domain.conditions import FoundApproval
from seal_service.domain.errors import AlreadyRegistered, ScenarioNotFound, UseApprovalNotFound
from seal_service.domain.scenario import RegisteredScenario
from seal_service.storage.locking import locked
from seal_service.storage.mapping.approvals import approval_of, approval_values, scenario_of, scenario_values
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Statement, together
from seal_service.storage.tables.approvals import ApprovedDocumentRow, ScenarioRow, UseApprovalRow

_BY_CODE = select(ScenarioRow).where(ScenarioRow.code == bindparam("code"))
_SCENARIO = Statement(_BY_CODE)
_LOCKED_SCENARIO = locked(_BY_CODE)
_APPROVAL = locked(select(UseApprovalRow).where(UseApprovalRow.id == bindparam("approval_id")))
_DOCUMENT = Statement(
    select(ApprovedDocumentRow).where(
        ApprovedDocumentRow.approval_id == bindparam("approval_id"), ApprovedDocumentRow.sha256 == bindparam("sha256")
    )
)
_USABLE = (UseApprovalRow.state == ApprovalState.APPROVED.value) & ApprovedDocumentRow.use_id.is_(None)
_CANDIDATES = Statement(
    select(UseApprovalRow.id)
    .join(ApprovedDocumentRow, ApprovedDocumentRow.approval_id == UseApprovalRow.id)
    .where(
        ApprovedDocumentRow.sha256 == bindparam("sha256"),
        UseApprovalRow.seal_code == bindparam("seal_code"),
        UseApprovalRow.requested_by == bindparam("requested_by"),
        UseApprovalRow.scenario == bindparam("scenario"),
    )
    .order_by(_USABLE.desc(), UseApprovalRow.id.desc())
    .limit(10)
)
_TAKE = Statement(
    update(ApprovedDocumentRow)
    .where(
        ApprovedDocumentRow.approval_id == bindparam("of_approval"),
        ApprovedDocumentRow.sha256 == bindparam("of_document"),
        ApprovedDocumentRow.use_id.is_(None),
    )
    .values(use_id=bindparam("taken_by"))
)


@dataclass(frozen=True, slots=True)
class SqlScenarios:
    """Scenarios."""

    connection: Connection

    def add(self, registered: RegisteredScenario) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(ScenarioRow), scenario_values(registered))

    def find(self, code: str) -> RegisteredScenario | None:
        """Read, or None."""
        row = _SCENARIO.one(self.connection, code=code)
        return None if row is None else scenario_of(row)

    def lock(self, code: str) -> RegisteredScenario:
        """Read, locked; ScenarioNotFound."""
        row = _LOCKED_SCENARIO.on(self.connection).one(self.connection, code=code)
        if row is None:
            raise ScenarioNotFound(scenario=code)
        return scenario_of(row)

    def replace(self, registered: RegisteredScenario) -> None:
        """Write the present form; ScenarioNotFound."""
        changed = update(ScenarioRow).where(ScenarioRow.code == registered.code)
        if self.connection.execute(changed, scenario_values(registered)).rowcount == 0:
            raise ScenarioNotFound(scenario=registered.code)

    def chosen(self, *, after: str | None = None, limit: int = 1000) -> Sequence[RegisteredScenario]:
        """Those after a code, by code."""
        wanted = select(ScenarioRow).order_by(ScenarioRow.code).limit(limit)
        if after is not None:
            wanted = wanted.where(ScenarioRow.code > after)
        return [scenario_of(row) for row in self.connection.execute(wanted)]


@dataclass(frozen=True, slots=True)
class SqlApprovals:
    """Use approvals."""

    connection: Connection

    def add(self, approval: UseApproval, digests: Sequence[str]) -> None:
        """Insert, with its documents; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(UseApprovalRow), approval_values(approval))
            documents = [{"approval_id": approval.id, "sha256": one, "use_id": None} for one in digests]
            self.connection.execute(insert(ApprovedDocumentRow), documents)

    def lock(self, approval_id: str) -> UseApproval:
        """Read, locked; UseApprovalNotFound."""
        row = _APPROVAL.on(self.connection).one(self.connection, approval_id=approval_id)
        if row is None:
            raise UseApprovalNotFound(approval_id=approval_id)
        return approval_of(row)

    def replace(self, approval: UseApproval) -> None:
        """Write the present form; UseApprovalNotFound."""
        changed = update(UseApprovalRow).where(UseApprovalRow.id == approval.id)
        if self.connection.execute(changed, approval_values(approval)).rowcount == 0:
            raise UseApprovalNotFound(approval_id=approval.id)

    def documents(self, approval_id: str) -> Sequence[ApprovedDocument]:
        """Its documents, by digest."""
        row = ApprovedDocumentRow
        wanted = select(row).where(row.approval_id == approval_id).order_by(row.sha256)
        return [ApprovedDocument(sha256=one.sha256, use_id=one.use_id) for one in self.connection.execute(wanted)]

    def lock_for(self, approval_id: str, sha256: str) -> FoundApproval | None:
        """An approval and one of its documents, locked with it."""
        asked = {"approval_id": approval_id}
        wanted = (_APPROVAL.on(self.connection), asked), (_DOCUMENT, {**asked, "sha256": sha256})
        approvals, documents = together(self.connection, *wanted)
        if not approvals:
            return None
        document = ApprovedDocument(sha256=sha256, use_id=documents[0].use_id) if documents else None
        return FoundApproval(approval=approval_of(approvals[0]), document=document)

    def lock_candidates(self, seal_code: str, requested_by: str, scenario: str, sha256: str) -> Sequence[FoundApproval]:
        """Up to ten, first those that can still be used, newest first."""
        asked = {"seal_code": seal_code, "requested_by": requested_by, "scenario": scenario, "sha256": sha256}
        ids = [row.id for row in _CANDIDATES.all(self.connection, **asked)]
        found = (self.lock_for(one, sha256) for one in ids)
        return [one for one in found if one is not None]

    def take(self, approval_id: str, sha256: str, use_id: str) -> bool:
        """Compare-and-set: free → taken by a use."""
        asked = {"of_approval": approval_id, "of_document": sha256, "taken_by": use_id}
        return _TAKE.run(self.connection, asked) == 1

    def give_back(self, approval_id: str, sha256: str, use_id: str) -> None:
        """Free again, if this use had taken it."""
        row = ApprovedDocumentRow
        mine = (row.approval_id == approval_id, row.sha256 == sha256, row.use_id == use_id)
        self.connection.execute(update(row).where(*mine).values(use_id=None))

    def chosen(
        self,
        *,
        seal_code: str | None = None,
        unit_id: str | None = None,
        requested_by: str | None = None,
        state: ApprovalState | None = None,
        before: str | None = None,
        limit: int = 1000,
    ) -> Sequence[UseApproval]:
        """Newest first."""
        row = UseApprovalRow
        wanted = select(row).order_by(row.id.desc()).limit(limit)
        named = {row.seal_code: seal_code, row.unit_id: unit_id, row.requested_by: requested_by}
        for column, value in named.items():
            if value is not None:
                wanted = wanted.where(column == value)
        if state is not None:
            wanted = wanted.where(row.state == state.value)
        if before is not None:
            wanted = wanted.where(row.id < before)
        return [approval_of(one) for one in self.connection.execute(wanted)]
