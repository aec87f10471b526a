"""Tables of scenarios and use approvals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class ScenarioRow(StoredRow):
    """用印场景登记."""

    __tablename__ = "use_scenario"

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    active: Mapped[bool]
    waived_for: Mapped[str | None]
    """The named process whose approval stands in the place of ours; null: every use needs an approval."""
    waiver_number: Mapped[str | None]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]
    changed_by: Mapped[str | None]
    changed_at: Mapped[datetime | None]


class GrantDigestRow(StoredRow):
    """A document that a grant lists: `use_grant.digests` keeps the list, this finds the grants of a document."""

    __tablename__ = "use_grant_digest"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("use_grant.id"), primary_key=True)


class UseApprovalRow(StoredRow):
    """用印审批."""

    __tablename__ = "use_approval"
    __table_args__ = (
        Index(None, "seal_code", "state", "id"),
        Index(None, "unit_id", "id"),
        Index(None, "requested_by", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"))
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    scenario: Mapped[str]
    title: Mapped[str]
    documents: Mapped[int]
    requested_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[datetime]
    state: Mapped[str]
    number: Mapped[str]
    epoch: Mapped[int]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    valid_until: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]


class ApprovedDocumentRow(StoredRow):
    """A document of an approval, and the use that took it."""

    __tablename__ = "use_approval_document"
    __table_args__ = (Index(None, "sha256"),)

    approval_id: Mapped[str] = mapped_column(ForeignKey("use_approval.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    use_id: Mapped[str | None]
