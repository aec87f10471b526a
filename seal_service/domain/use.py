"""用印: one application of a seal to one document, from its reservation to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from seal_service.domain.errors import InvalidInput
from seal_service.domain.operation import DocumentKeeping
from seal_service.domain.placement import Placement
from seal_service.domain.seal import Custody


class SignatureLevel(StrEnum):
    """签名级别 (ETSI EN 319 142-1): basic, with time-stamp, with validation data, with archive time-stamp."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"

    def at_least(self, other: SignatureLevel) -> bool:
        """Whether this level includes the other."""
        order = list(SignatureLevel)
        return order.index(self) >= order.index(other)


class UseState(StrEnum):
    """用印状态: reserved is the only one that is not final."""

    RESERVED = "reserved"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """签章人: the person of the unit who pressed the seal; personal data, in the log only as commitments."""

    id: str
    name: str
    department: str | None = None


def operator_of(identity: str | None, name: str | None, department: str | None) -> Operator | None:
    """签章人: None when nothing is given; InvalidInput naming the field that is missing."""
    if identity is None and name is None and department is None:
        return None
    if not identity or not name:
        field = "operator_name" if identity else "operator_id"
        raise InvalidInput(f"A 签章人 is named with id and name: {field} is missing", field=field)
    return Operator(id=identity, name=name, department=department)


ADDED_LATER = {"added_later": True}
"""Metadata of a field that requests had not at first: at its default it is no part of their digest, so that a request
that is repeated across an upgrade is still the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRequest:
    """用印请求: what is asked for, parsed once at the door."""

    seal_code: str
    scenario: str
    placement: Placement
    level: SignatureLevel
    allow_lower_level: bool
    document_name: str
    document_sha256: str
    document_sm3: str
    document_size: int
    operator: Operator | None
    """None: the grant's responsible person answers for the use."""
    case_number: str | None
    """办件号: the business system's own number."""
    allow_repair: bool = field(default=False, metadata=ADDED_LATER)
    """修复: whether a damaged document may be repaired, which changes it, and what comes of it be sealed."""
    media_type: str = field(default="application/pdf", metadata=ADDED_LATER)
    """文件类型, by the document's content and not by what it is called."""
    approval_id: str | None = field(default=None, metadata=ADDED_LATER)
    """用印审批 that the use is to take; None: the one that is found for it, where one is needed."""
    custody: Custody = field(default=Custody.SERVER, metadata=ADDED_LATER)
    """用章模式: `token` when it is asked for in two steps, for a key that its unit keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentReference:
    """用印意向: the log entry that stands before the seal; its leaf hash goes into the signed bytes."""

    entry_id: str
    leaf_hash: bytes
    """32 bytes: RFC 6962 leaf hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealUse:
    """用印: one row from reserved to its end; unique by account and idempotency key."""

    id: str
    account_id: str
    idempotency_key: str
    request_digest: str
    """SHA-256 of the canonical request with the document's digest: the same key may only repeat the same request."""
    seal_code: str
    seal_epoch: int
    grant_id: str
    grant_epoch: int
    scenario: str
    state: UseState
    document_sha256: str
    document_sm3: str
    intent: IntentReference
    reserved_at: datetime
    level_asked: SignatureLevel
    level_reached: SignatureLevel | None = None
    repaired_sha256: str | None = None
    """Of what was sealed in the place of a damaged document; None when the document itself was."""
    sealed_sha256: str | None = None
    terminal_entry_id: str | None = None
    terminal_leaf_hash: bytes | None = None
    ended_at: datetime | None = None
    failure: str | None = None
    """Code of the error that ended it (the class's name in snake case), then ': ' and its sentence."""
    approval_id: str | None = None
    """用印审批 that the use took; it gives it back when it fails."""
    approval_epoch: int | None = None
    document_kept_until: datetime | None = None
    """Until when the sealed document is held; FOR_GOOD where it is kept; None once it has gone, or was never kept."""

    @property
    def counts(self) -> bool:
        """Whether it counts against the grant: a failed or abandoned use gives its count back."""
        return self.state in (UseState.RESERVED, UseState.COMPLETED)


def holds_document(use: SealUse, now: datetime) -> bool:
    """Whether the sealed document is still held for the caller at a moment; its time is over when it is over."""
    kept = use.document_kept_until
    return use.state is UseState.COMPLETED and kept is not None and now < kept


FOR_GOOD = datetime(9999, 12, 31, tzinfo=UTC)
"""Until when a document is kept that is not removed."""


def kept_until(keeping: DocumentKeeping, now: datetime, hold: timedelta) -> datetime | None:
    """Until when a document sealed now is kept."""
    match keeping:
        case DocumentKeeping.HELD:
            return now + hold
        case DocumentKeeping.KEPT:
            return FOR_GOOD
        case DocumentKeeping.NONE:
            return None
