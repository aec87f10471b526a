"""Fakes of the scenarios' and use approvals' records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seal_service.domain import errors
from seal_service.domain.approval import ApprovalState, ApprovedDocument, UseApproval
from seal_service.domain.conditions import FoundApproval
from seal_service.domain.scenario import RegisteredScenario


class ApprovalsKept(Protocol):
    """What of the state is kept here."""

    scenarios: dict[str, RegisteredScenario]
    approvals: dict[str, UseApproval]
    approved_documents: dict[tuple[str, str], str | None]
    """(approval, digest) → the use that took it."""


@dataclass
class MemoryScenarios:
    """Scenarios."""

    state: ApprovalsKept

    def add(self, registered: RegisteredScenario) -> None:
        """Insert."""
        if registered.code in self.state.scenarios:
            raise errors.AlreadyRegistered
        self.state.scenarios[registered.code] = registered

    def find(self, code: str) -> RegisteredScenario | None:
        """Read."""
        return self.state.scenarios.get(code)

    def lock(self, code: str) -> RegisteredScenario:
        """Read."""
        if code not in self.state.scenarios:
            raise errors.ScenarioNotFound
        return self.state.scenarios[code]

    def replace(self, registered: RegisteredScenario) -> None:
        """Write."""
        self.lock(registered.code)
        self.state.scenarios[registered.code] = registered

    def chosen(self, *, after: str | None = None, limit: int = 1000) -> Sequence[RegisteredScenario]:
        """By code."""
        codes = [code for code in sorted(self.state.scenarios) if after is None or code > after]
        return [self.state.scenarios[code] for code in codes[:limit]]


@dataclass
class MemoryApprovals:
    """Use approvals."""

    state: ApprovalsKept

    def add(self, approval: UseApproval, digests: Sequence[str]) -> None:
        """Insert."""
        if approval.id in self.state.approvals or len(set(digests)) != len(digests):
            raise errors.AlreadyRegistered
        self.state.approvals[approval.id] = approval
        self.state.approved_documents |= {(approval.id, one): None for one in digests}

    def lock(self, approval_id: str) -> UseApproval:
        """Read."""
        if approval_id not in self.state.approvals:
            raise errors.UseApprovalNotFound
        return self.state.approvals[approval_id]

    def replace(self, approval: UseApproval) -> None:
        """Write."""
        self.lock(approval.id)
        self.state.approvals[approval.id] = approval

    def documents(self, approval_id: str) -> Sequence[ApprovedDocument]:
        """By digest."""
        found = sorted(one for one in self.state.approved_documents if one[0] == approval_id)
        return [ApprovedDocument(sha256=one[1], use_id=self.state.approved_documents[one]) for one in found]

    def lock_for(self, approval_id: str, sha256: str) -> FoundApproval | None:
        """Read."""
        approval = self.state.approvals.get(approval_id)
        if approval is None:
            return None
        key = (approval_id, sha256)
        covered = key in self.state.approved_documents
        document = ApprovedDocument(sha256=sha256, use_id=self.state.approved_documents[key]) if covered else None
        return FoundApproval(approval=approval, document=document)

    def lock_candidates(self, seal_code: str, requested_by: str, scenario: str, sha256: str) -> Sequence[FoundApproval]:
        """First those that can still be used, newest first."""
        wanted = (seal_code, requested_by, scenario)
        ids = [one for one, digest in self.state.approved_documents if digest == sha256]
        found = [one for one in (self.lock_for(each, sha256) for each in ids) if one is not None]
        of_use = [
            one for one in found if (one.approval.seal_code, one.approval.requested_by, one.approval.scenario) == wanted
        ]

        def rank(one: FoundApproval) -> tuple[bool, str]:
            free = one.document is not None and one.document.use_id is None
            return free and one.approval.state is ApprovalState.APPROVED, one.approval.id

        return sorted(of_use, key=rank, reverse=True)[:10]

    def take(self, approval_id: str, sha256: str, use_id: str) -> bool:
        """Compare and set."""
        if self.state.approved_documents.get((approval_id, sha256), use_id) is not None:
            return False
        self.state.approved_documents[approval_id, sha256] = use_id
        return True

    def give_back(self, approval_id: str, sha256: str, use_id: str) -> None:
        """Free again."""
        if self.state.approved_documents.get((approval_id, sha256)) == use_id:
            self.state.approved_documents[approval_id, sha256] = None

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
        found = [
            one
            for one in self.state.approvals.values()
            if seal_code in (None, one.seal_code)
            and unit_id in (None, one.unit_id)
            and requested_by in (None, one.requested_by)
            and state in (None, one.state)
            and (before is None or one.id < before)
        ]
        return sorted(found, key=lambda one: one.id, reverse=True)[:limit]
