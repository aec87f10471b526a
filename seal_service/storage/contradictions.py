"""What rows must not say against one another: each question selects the subjects for which it is so."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from seal_service.domain.events import TERMINAL_KINDS, EventKind, Result
from seal_service.domain.invariants import Invariant
from seal_service.domain.use import UseState
from seal_service.storage.repositories.log import STATE_AFTER
from seal_service.storage.tables import (
    ApprovedDocumentRow,
    GrantRow,
    LogTerminalRow,
    SealRow,
    SealUseRow,
    SignLogRow,
)

_ENDS = tuple(kind.value for kind in TERMINAL_KINDS)
_KIND_OF_END = case(
    (SealUseRow.state == UseState.COMPLETED.value, EventKind.SEAL_COMPLETED.value),
    (SealUseRow.state == UseState.FAILED.value, EventKind.SEAL_FAILED.value),
    (SealUseRow.state == UseState.ABANDONED.value, EventKind.SEAL_ABANDONED.value),
)


def _seals_counted_wrong() -> Select[Any]:
    seq = SignLogRow.seq
    return (
        select(SignLogRow.seal_code)
        .where(SignLogRow.seal_code.is_not(None))
        .group_by(SignLogRow.seal_code)
        .having(or_(func.min(seq) != 1, func.max(seq) != func.count(), func.count(seq.distinct()) != func.count()))
    )


def _entries_counted_without_seal() -> Select[Any]:
    return select(SignLogRow.entry_id).where(SignLogRow.seal_code.is_(None), SignLogRow.seq.is_not(None))


def _uses_without_intent() -> Select[Any]:
    intent = exists().where(
        SignLogRow.entry_id == SealUseRow.intent_entry_id,
        SignLogRow.kind == EventKind.SEAL_INTENT.value,
        SignLogRow.use_id == SealUseRow.id,
        SignLogRow.seal_code == SealUseRow.seal_code,
        SignLogRow.leaf_hash == SealUseRow.intent_leaf_hash,
    )
    return select(SealUseRow.id).where(~intent)


def _intents_without_use() -> Select[Any]:
    use = exists().where(SealUseRow.id == SignLogRow.use_id, SealUseRow.intent_entry_id == SignLogRow.entry_id)
    return select(SignLogRow.entry_id).where(SignLogRow.kind == EventKind.SEAL_INTENT.value, ~use)


def _ends_not_kept_as_such() -> Select[Any]:
    kept = exists().where(
        LogTerminalRow.entry_id == SignLogRow.entry_id, LogTerminalRow.intent_id == SignLogRow.intent_id
    )
    return select(SignLogRow.entry_id).where(SignLogRow.kind.in_(_ENDS), ~kept)


def _kept_as_end_without_entry() -> Select[Any]:
    intent, end = aliased(SignLogRow), aliased(SignLogRow)
    both = exists().where(
        intent.entry_id == LogTerminalRow.intent_id,
        intent.kind == EventKind.SEAL_INTENT.value,
        end.entry_id == LogTerminalRow.entry_id,
        end.kind.in_(_ENDS),
        end.use_id == intent.use_id,
    )
    return select(LogTerminalRow.intent_id).where(~both)


def _ended_twice() -> Select[Any]:
    return (
        select(SignLogRow.intent_id)
        .where(SignLogRow.kind.in_(_ENDS))
        .group_by(SignLogRow.intent_id)
        .having(func.count() > 1)
    )


def _ended_uses_without_entry() -> Select[Any]:
    end = exists().where(
        SignLogRow.entry_id == SealUseRow.terminal_entry_id,
        SignLogRow.kind == _KIND_OF_END,
        SignLogRow.use_id == SealUseRow.id,
        SignLogRow.intent_id == SealUseRow.intent_entry_id,
        SignLogRow.leaf_hash == SealUseRow.terminal_leaf_hash,
    )
    return select(SealUseRow.id).where(SealUseRow.state != UseState.RESERVED.value, ~end)


def _ends_without_ended_use() -> Select[Any]:
    use = exists().where(
        SealUseRow.id == SignLogRow.use_id,
        SealUseRow.terminal_entry_id == SignLogRow.entry_id,
        SignLogRow.kind == _KIND_OF_END,
    )
    return select(SignLogRow.entry_id).where(SignLogRow.kind.in_(_ENDS), ~use)


def _released_without_completion() -> Select[Any]:
    given = or_(SealUseRow.sealed_sha256.is_not(None), SealUseRow.document_kept_until.is_not(None))
    return select(SealUseRow.id).where(SealUseRow.state != UseState.COMPLETED.value, given)


def _seals_in_another_state() -> Select[Any]:
    change = aliased(SignLogRow)
    last = (
        select(func.max(change.seq))
        .where(
            change.seal_code == SealRow.code,
            change.kind.in_(STATE_AFTER),
            change.result == Result.SUCCESS.value,
        )
        .correlate(SealRow)
        .scalar_subquery()
    )
    state = case({kind: state.value for kind, state in STATE_AFTER.items()}, value=SignLogRow.kind)
    same = exists().where(SignLogRow.seal_code == SealRow.code, SignLogRow.seq == last, state == SealRow.state)
    return select(SealRow.code).where(~same)


def _grants_counted_wrong() -> Select[Any]:
    uses = (
        select(func.count())
        .where(
            SealUseRow.grant_id == GrantRow.id,
            SealUseRow.state.in_((UseState.RESERVED.value, UseState.COMPLETED.value)),
        )
        .correlate(GrantRow)
        .scalar_subquery()
    )
    return select(GrantRow.id).where(GrantRow.uses_counted != uses)


def _documents_taken_wrong() -> Select[Any]:
    taken = aliased(ApprovedDocumentRow)
    by_use = exists().where(
        SealUseRow.id == taken.use_id,
        SealUseRow.approval_id == taken.approval_id,
        SealUseRow.document_sha256 == taken.sha256,
        SealUseRow.state.in_((UseState.RESERVED.value, UseState.COMPLETED.value)),
    )
    return select(taken.approval_id).where(taken.use_id.is_not(None), ~by_use)


def _uses_without_their_approval() -> Select[Any]:
    document = exists().where(
        ApprovedDocumentRow.approval_id == SealUseRow.approval_id,
        ApprovedDocumentRow.sha256 == SealUseRow.document_sha256,
        ApprovedDocumentRow.use_id == SealUseRow.id,
    )
    stands = SealUseRow.state.in_((UseState.RESERVED.value, UseState.COMPLETED.value))
    return select(SealUseRow.id).where(SealUseRow.approval_id.is_not(None), stands, ~document)


QUESTIONS: tuple[tuple[Invariant, str, Select[Any]], ...] = (
    (Invariant.COUNTER, "its entries are not counted from 1 without gap", _seals_counted_wrong()),
    (Invariant.COUNTER, "it has no seal and is counted", _entries_counted_without_seal()),
    (Invariant.INTENT, "the use has no intent in the log, or another one", _uses_without_intent()),
    (Invariant.INTENT, "the intent has no use", _intents_without_use()),
    (Invariant.TERMINAL, "the entry ends an intent and is not kept as its end", _ends_not_kept_as_such()),
    (Invariant.TERMINAL, "what is kept as the intent's end is none", _kept_as_end_without_entry()),
    (Invariant.TERMINAL, "the intent ended more than once", _ended_twice()),
    (Invariant.COMPLETED, "the use ended and the log does not say so", _ended_uses_without_entry()),
    (Invariant.COMPLETED, "the log says that a use ended, and it did not end so", _ends_without_ended_use()),
    (Invariant.RELEASED, "the use did not complete and has a document", _released_without_completion()),
    (Invariant.GRANTED, "the grant does not count the uses that it has", _grants_counted_wrong()),
    (Invariant.GRANTED, "the approval's document is taken by no use of it", _documents_taken_wrong()),
    (Invariant.GRANTED, "the use has not taken its document of the approval", _uses_without_their_approval()),
    (Invariant.STATUS, "the seal's state is not that of its last change in the log", _seals_in_another_state()),
)
"""Invariant, what is wrong with a subject, the subjects."""
