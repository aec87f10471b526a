"""日志事件: what happened, before it becomes a log entry (article 22; log.md of the design)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from seal_service.domain.access import Caller

Scalar = str | int | bool | None | tuple[str, ...] | tuple[int, ...]


class EventKind(StrEnum):
    """日志类别. Kinds are added; none is ever renamed."""

    SEAL_INTENT = "seal.intent"
    SEAL_COMPLETED = "seal.completed"
    SEAL_FAILED = "seal.failed"
    SEAL_DENIED = "seal.denied"
    SEAL_ABANDONED = "seal.abandoned"
    DOCUMENT_VERIFIED = "document.verified"
    DOCUMENT_ACKNOWLEDGED = "document.acknowledged"
    UNIT_REGISTERED = "unit.registered"
    APPLICATION_SUBMITTED = "application.submitted"
    APPLICATION_REVISED = "application.revised"
    APPLICATION_APPROVED = "application.approved"
    APPLICATION_REJECTED = "application.rejected"
    APPLICATION_RETURNED = "application.returned"
    SEAL_MADE = "sealmgmt.made"
    SEAL_ACTIVATED = "sealmgmt.activated"
    SEAL_RENEWED = "sealmgmt.renewed"
    SEAL_SUSPENDED = "sealmgmt.suspended"
    SEAL_RESUMED = "sealmgmt.resumed"
    SEAL_CANCELLED = "sealmgmt.cancelled"
    SEAL_CHANGED = "sealmgmt.changed"
    SEAL_INVALIDATED = "sealmgmt.invalidated"
    MEDIUM_RETURNED = "sealmgmt.medium_returned"
    MEDIUM_DESTROYED = "sealmgmt.medium_destroyed"
    UNIT_RENAMED = "unit.renamed"
    CHANGE_SUBMITTED = "application.change_submitted"
    NOTIFICATION_DEAD = "notification.dead"
    NOTIFICATION_RETRIED = "notification.retried"
    SEAL_ACT_REFUSED = "sealmgmt.refused"
    GRANT_MADE = "grant.made"
    GRANT_REVOKED = "grant.revoked"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_DISABLED = "account.disabled"
    ROLES_GIVEN = "account.roles_given"
    RETENTION_CHANGED = "config.retention"
    CONTROL_REQUESTED = "control.requested"
    CONTROL_CONFIRMED = "control.confirmed"
    CONTROL_REJECTED = "control.rejected"
    CONTROL_FAILED = "control.failed"
    ACT_REFUSED = "account.refused"
    SEAL_IMPORTED = "sealmgmt.imported"
    CERTIFICATE_REQUESTED = "sealmgmt.certificate_requested"
    CERTIFICATE_REQUEST_WITHDRAWN = "sealmgmt.certificate_request_withdrawn"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_DESTROYED = "key.destroyed"
    CONFIG_INITIALISED = "config.initialised"
    TRUST_ADDED = "config.trust_added"
    TRUST_CONFIRMED = "config.trust_confirmed"
    TRUST_REMOVED = "config.trust_removed"
    DATABASE_BACKED_UP = "config.backed_up"
    DATABASE_RESTORED = "config.restored"
    LOG_OPENED = "log.open"
    LOG_CLOSED = "log.close"
    LOG_GUARDED = "log.guarded"
    LOG_RECOVERED = "log.recovered"
    LOG_RESUMED = "log.resumed"
    SCENARIO_REGISTERED = "scenario.registered"
    SCENARIO_CHANGED = "scenario.changed"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_GRANTED = "approval.granted"
    APPROVAL_REJECTED = "approval.rejected"
    APPROVAL_WITHDRAWN = "approval.withdrawn"
    SESSION_OPENED = "session.opened"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - a name
    PASSWORD_RESET = "password.reset"  # noqa: S105 - a name
    FACTOR_ENROLLED = "factor.enrolled"
    FACTOR_REMOVED = "factor.removed"
    IDENTITY_LINKED = "account.identity_linked"
    IDENTITY_UNLINKED = "account.identity_unlinked"
    SYSTEM_REGISTERED = "system.registered"
    SYSTEM_APPROVED = "system.approved"
    SYSTEM_REJECTED = "system.rejected"
    SYSTEM_CHANGE_REQUESTED = "system.change_requested"
    SYSTEM_CHANGED = "system.changed"
    SYSTEM_CHANGE_REJECTED = "system.change_rejected"
    SYSTEM_TIED = "system.tied"
    CREDENTIAL_ADDED = "credential.added"
    CREDENTIAL_REVOKED = "credential.revoked"
    TOKEN_REFUSED = "token.refused"  # noqa: S105
    PERSON_REGISTERED = "person.registered"
    PERSON_REMOVED = "person.removed"
    FILING_ACKNOWLEDGED = "filing.ack"
    FILING_RETRIED = "filing.retried"
    FILING_REPORTED = "filing.report"
    SEAL_CONVEYED = "sealmgmt.conveyed"
    CONVEYANCE_WITHDRAWN = "sealmgmt.conveyance_withdrawn"
    CUSTODY_TAKEN = "sealmgmt.custody_taken"
    ACTIVATION_OPENED = "sealmgmt.activation_opened"
    ACTIVATION_ENDED = "sealmgmt.activation_ended"
    SEAL_SIGNATURE_REFUSED = "seal.signature_refused"
    MEDIUM_ISSUED = "sealmgmt.medium_issued"
    MEDIUM_HANDED_OVER = "sealmgmt.medium_handed_over"
    REPORT_EXPORTED = "report.exported"


TERMINAL_KINDS = frozenset({EventKind.SEAL_COMPLETED, EventKind.SEAL_FAILED, EventKind.SEAL_ABANDONED})
"""Kinds of which exactly one follows each seal.intent."""
RESERVED_KINDS = frozenset({"anchor.sm3", "anchor.tsa"})
"""Kinds to come, which nothing else may be called: the tree's root under SM3 and SM2 and under a time-stamp (log.md of
the design)."""


class Result(StrEnum):
    """结果 as the log counts it."""

    SUCCESS = "success"
    FAILURE = "failure"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    """Begun and not ended (an intent), or neither right nor wrong (a verification that could not tell)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """日志事件: the facts of one act. What is personal stands in `private` and enters the leaf as a commitment."""

    kind: EventKind
    result: Result = Result.SUCCESS
    account_id: str | None = None
    """接入系统 or person's client that acted; None: the public or the service itself."""
    account_name: str | None = None
    seal_code: str | None = None
    unit_id: str | None = None
    """The unit that the act concerns: the seal's holder where there is a seal."""
    scenario: str | None = None
    document_sha256: str | None = None
    use_id: str | None = None
    intent_id: str | None = None
    """Entry id of the seal.intent that a terminal entry ends."""
    intent_leaf_hash: str | None = None
    reason: str | None = None
    operator_id: str | None = None
    """签章人标识: personal; the log's column holds only a keyed pseudonym of it, for queries."""
    facts: Mapping[str, Scalar] = field(default_factory=dict)
    """What else is worth keeping for good, in names of ASCII letters; digests lower-case hex, lengths in µm."""
    private: Mapping[str, str] = field(default_factory=dict)
    """Personal fields by name: operator_name, document_name, case_number, client_address, …"""


def act_of(caller: Caller, event: Event) -> Event:
    """The event as an act of a caller: account, its name, who confirmed it and, as a personal field, its address."""
    private = dict(event.private)
    if caller.address is not None:
        private.setdefault("client_address", caller.address)
    facts = event.facts if caller.confirmed_by is None else {**event.facts, "confirmed_by": caller.confirmed_by}
    return replace(event, account_id=caller.account_id, account_name=caller.name, facts=facts, private=private)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEntry:
    """日志条目 as it was written: its identity in the log."""

    entry_id: str
    kind: EventKind
    at: datetime
    leaf_hash: bytes
