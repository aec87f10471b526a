"""用印终止: a use that releases nothing ends as failed or abandoned, and gives back its count and its approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from seal_service.domain.access import Caller
from seal_service.domain.errors import Conflict, SealServiceError, UseOvertaken, error_kind
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.domain.use import SealUse, UseState
from seal_service.ports.records import SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.facts import seal_facts


def end_unsuccessfully(
    transaction: Transaction,
    log: SigningLog,
    caller: Caller,
    use: SealUse,
    state: UseState,
    error: SealServiceError,
    clock: Clock,
    *,
    operator_id: str | None = None,
    private: Mapping[str, str] | None = None,
    closed_by: str | None = None,
) -> bool:
    """End a reserved use as failed or abandoned, with its entry; whether it was still reserved.

    `operator_id` and `private` as in the intent, where they are at hand: they are kept nowhere but in the log.
    """
    seal = transaction.seals.lock(use.seal_code)  # before the use is read: whoever ends a use holds it
    current = transaction.uses.find(use.id)
    if current is None or current.state is not UseState.RESERVED:
        return False
    unit = transaction.units.get(seal.unit_id)
    number = transaction.grants.lock(use.grant_id).approval_number
    if use.approval_id is not None:
        number = transaction.approvals.lock(use.approval_id).number
        transaction.approvals.give_back(use.approval_id, use.document_sha256, use.id)
    told = _storable(f"{error.code()}: {error.message}")
    event = Event(
        kind=EventKind.SEAL_FAILED if state is UseState.FAILED else EventKind.SEAL_ABANDONED,
        result=Result.FAILURE,
        seal_code=seal.code,
        unit_id=unit.id,
        scenario=use.scenario,
        document_sha256=use.document_sha256,
        use_id=use.id,
        intent_id=use.intent.entry_id,
        intent_leaf_hash=use.intent.leaf_hash.hex(),
        reason=told,
        facts={
            **seal_facts(seal, unit),
            "document_sm3": use.document_sm3,
            "grant_id": use.grant_id,
            "approval_number": number,
            "approval_id": use.approval_id,
            "level_asked": use.level_asked.value,
            "closed_by": closed_by,
        },
        operator_id=operator_id,
        private=private or {},
    )
    logged = log.append(transaction, act_of(caller, event))
    ended = transaction.uses.end(
        replace(
            use,
            state=state,
            terminal_entry_id=logged.entry_id,
            terminal_leaf_hash=logged.leaf_hash,
            ended_at=clock.now(),
            failure=told,
        )
    )
    if not ended:
        raise UseOvertaken
    return True


def _storable(text: str) -> str:
    """A sentence that every database takes, for it may repeat what stands in a document: no NUL, no half character."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")[:500]


def failure_of(use: SealUse) -> SealServiceError:
    """The error that ended a use, told again to the same request."""
    code, _, message = (use.failure or "").partition(": ")
    told = f"{message or 'The use was abandoned'} (this use has ended: try again with a new idempotency key)"
    return (error_kind(code) or Conflict)(told, use_id=use.id)
