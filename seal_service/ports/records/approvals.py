"""Scenarios and use approvals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from seal_service.domain.approval import ApprovalState, ApprovedDocument, UseApproval
from seal_service.domain.conditions import FoundApproval
from seal_service.domain.scenario import RegisteredScenario


class ScenarioRecords(Protocol):
    """用印场景登记."""

    def add(self, registered: RegisteredScenario) -> None:
        """Insert; AlreadyRegistered when the code is taken."""

    def find(self, code: str) -> RegisteredScenario | None:
        """Read, or None."""

    def lock(self, code: str) -> RegisteredScenario:
        """Read, locked until the transaction ends; ScenarioNotFound."""

    def replace(self, registered: RegisteredScenario) -> None:
        """Write its present form."""

    def chosen(self, *, after: str | None = None, limit: int = 1000) -> Sequence[RegisteredScenario]:
        """Those after a code, by code."""


class ApprovalRecords(Protocol):
    """用印审批 with the documents that each covers."""

    def add(self, approval: UseApproval, digests: Sequence[str]) -> None:
        """Insert, with the SHA-256 of each document, none twice."""

    def lock(self, approval_id: str) -> UseApproval:
        """Read, locked until the transaction ends; UseApprovalNotFound."""

    def replace(self, approval: UseApproval) -> None:
        """Write the approval's present form."""

    def documents(self, approval_id: str) -> Sequence[ApprovedDocument]:
        """Its documents, by digest."""

    def lock_for(self, approval_id: str, sha256: str) -> FoundApproval | None:
        """An approval and a document among those it covers, locked until the transaction ends; None: no approval."""

    def lock_candidates(self, seal_code: str, requested_by: str, scenario: str, sha256: str) -> Sequence[FoundApproval]:
        """Up to ten approvals that may allow a use of a document, locked: first those that can still be used.

        Among these, and among the others, newest first.
        """

    def take(self, approval_id: str, sha256: str, use_id: str) -> bool:
        """Compare-and-set: note the use that takes a document, only if none has; whether it was so."""

    def give_back(self, approval_id: str, sha256: str, use_id: str) -> None:
        """Note that a use that took a document does not need it."""

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
        """Those of a seal, of a unit's seals, of an account, in a state and before an id, if named; newest first."""
