"""日志恢复, the second half: registers follow what the replayed entries say, on the careful side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from seal_service.domain.access import Caller
from seal_service.domain.approval import ApprovalState
from seal_service.domain.errors import NotFound
from seal_service.domain.events import TERMINAL_KINDS, Event, EventKind, act_of
from seal_service.domain.recovery import CHANGES, REASON, ToDoAgain, concerns_state, lies_open, state_after
from seal_service.domain.seal import Seal, SealState
from seal_service.domain.use import SealUse, UseState
from seal_service.ports.crypto import CertificateAuthority
from seal_service.ports.log_recovery import ReplayedEntry
from seal_service.ports.records import SigningLog, Transaction
from seal_service.usecases.change_status import LONGEST_REASON, is_revoked
from seal_service.usecases.facts import seal_facts

_ENDED = {
    EventKind.SEAL_COMPLETED: UseState.COMPLETED,
    EventKind.SEAL_FAILED: UseState.FAILED,
    EventKind.SEAL_ABANDONED: UseState.ABANDONED,
}


@dataclass(slots=True)
class Followed:
    """What was done about the entries."""

    uses: int = 0
    """That were made after the backup: their rows cannot be rebuilt, their grants have that many uses less."""
    stopped: dict[str, SealState] = field(default_factory=dict)
    """Seals that are suspended or cancelled now."""
    open: list[ToDoAgain] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FollowEntries:
    """What was stopped stays stopped, what was used counts, what was made anew is told of."""

    log: SigningLog
    authority: CertificateAuthority

    def __call__(
        self, transaction: Transaction, caller: Caller, entries: Iterable[tuple[int, ReplayedEntry]], now: datetime
    ) -> Followed:
        """In the transaction that ends the recovery."""
        followed = Followed()
        of_seals: dict[str, list[ReplayedEntry]] = {}
        lost: Counter[str] = Counter()
        approvals: set[str] = set()
        for place, entry in entries:
            row, facts = entry.row, entry.facts
            if row.kind is EventKind.SEAL_INTENT and row.use_id and transaction.uses.find(row.use_id) is None:
                followed.uses += 1
                lost[str(facts.get("grant_id"))] += 1
                if isinstance(facts.get("approval_id"), str):
                    approvals.add(str(facts["approval_id"]))
            elif row.kind in TERMINAL_KINDS:
                _end_use(transaction, entry)
            elif lies_open(row.kind, row.result) and not _made_log_key(entry):
                if row.seal_code is not None and concerns_state(row.kind):
                    of_seals.setdefault(row.seal_code, []).append(entry)
                followed.open.append(_told(place, entry, _stopped_at_once(transaction, entry, now)))
        for grant_id, count in lost.items():
            _count(transaction, grant_id, count, now)
        for approval_id in approvals:
            _withdraw(transaction, approval_id, now)
        for code, of_seal in of_seals.items():
            state = self._follow_seal(transaction, caller, code, of_seal, now)
            if state is not None:
                followed.stopped[code] = state
        return followed

    def _follow_seal(
        self, transaction: Transaction, caller: Caller, code: str, entries: list[ReplayedEntry], now: datetime
    ) -> SealState | None:
        if transaction.seals.find(code) is None:
            return None
        seal = transaction.seals.lock(code)
        state = state_after(seal.state, frozenset(one.row.kind for one in entries))
        told = [one for one in entries if one.row.kind in CHANGES]
        by_log = CHANGES[told[-1].row.kind] if told else seal.state
        if state in (SealState.ACTIVE, SealState.MADE) or (state is seal.state and not told):
            return None
        reason = (told[-1].reason or REASON)[:LONGEST_REASON] if told and by_log is state else REASON
        number, since = _known(entries, "document_number"), _known(entries, "invalid_from")
        changed = replace(
            seal,
            state=state,
            epoch=seal.epoch + 1,
            state_reason=reason,
            document_number=number or seal.document_number,
            invalid_from=seal.invalid_from if since is None else datetime.fromisoformat(since),
        )
        transaction.seals.replace(changed)
        self._stop_certificates(transaction, changed, now)
        if by_log is not state and state is SealState.SUSPENDED:  # by this recovery alone: the log says so
            unit = transaction.units.get(seal.unit_id)
            facts = seal_facts(changed, unit)
            event = Event(kind=EventKind.SEAL_SUSPENDED, seal_code=code, unit_id=unit.id, reason=reason, facts=facts)
            self.log.append(transaction, act_of(caller, event))
        return state

    def _stop_certificates(self, transaction: Transaction, seal: Seal, now: datetime) -> None:
        for one in seal.credentials:
            if is_revoked(transaction, one.serial):
                continue
            if seal.state is SealState.SUSPENDED:
                self.authority.hold(transaction, one.serial, now)
            elif seal.invalid_from is not None:
                self.authority.revoke(transaction, one.serial, now, "privilege_withdrawn", seal.invalid_from)
            else:
                self.authority.revoke(transaction, one.serial, now, "cessation_of_operation")


def _made_log_key(entry: ReplayedEntry) -> bool:
    """A key of the log that is not here any more is asked for by whatever needs it."""
    return entry.row.kind is EventKind.KEY_CREATED and entry.facts.get("role") == "log"


_SAYS_SO = frozenset({EventKind.SEAL_SUSPENDED, EventKind.SEAL_CANCELLED, EventKind.SEAL_INVALIDATED})


def _end_use(transaction: Transaction, entry: ReplayedEntry) -> None:
    """A use that was under way when the backup was made ended as the log says; its document is not here."""
    row = entry.row
    use = None if row.use_id is None else transaction.uses.find(row.use_id)
    if use is None or use.state is not UseState.RESERVED:
        return
    state = _ENDED[row.kind]
    ended: SealUse = replace(
        use,
        state=state,
        terminal_entry_id=row.entry_id,
        terminal_leaf_hash=row.leaf_hash,
        ended_at=row.at,
        sealed_sha256=_fact(entry, "sealed_sha256") if state is UseState.COMPLETED else None,
        failure=None if state is UseState.COMPLETED else f"use_overtaken: {entry.reason or REASON}"[:LONGEST_REASON],
    )
    if state is not UseState.COMPLETED and use.approval_id is not None:
        transaction.approvals.give_back(use.approval_id, use.document_sha256, use.id)
    transaction.uses.end(ended)


def _count(transaction: Transaction, grant_id: str, count: int, now: datetime) -> None:
    """Each use that is known to the log alone, whatever its end, is taken off the grant's count for good."""
    try:
        grant = transaction.grants.lock(grant_id)
    except NotFound:
        return
    if grant.maximum_uses is None or grant.revoked_at is not None:
        return
    if grant.maximum_uses - count < max(1, transaction.uses.counted(grant.id)):
        transaction.grants.replace(replace(grant, revoked_at=now, epoch=grant.epoch + 1))
    else:
        transaction.grants.replace(replace(grant, maximum_uses=grant.maximum_uses - count, epoch=grant.epoch + 1))


def _withdraw(transaction: Transaction, approval_id: str, now: datetime) -> None:
    """An approval of which a document was sealed since then: which of its documents are left cannot be told."""
    try:
        approval = transaction.approvals.lock(approval_id)
    except NotFound:
        return
    if approval.state in (ApprovalState.REQUESTED, ApprovalState.APPROVED):
        withdrawn = replace(
            approval, state=ApprovalState.WITHDRAWN, epoch=approval.epoch + 1, reason=REASON, withdrawn_at=now
        )
        transaction.approvals.replace(withdrawn)


def _stopped_at_once(transaction: Transaction, entry: ReplayedEntry, now: datetime) -> str:
    """Rights that ended after the backup end here too; anything else is left to a person."""
    stop = _STOPS.get(entry.row.kind)
    return "to be done again" if stop is None or not stop(transaction, entry, now) else "done"


def _revoke(transaction: Transaction, entry: ReplayedEntry, now: datetime) -> bool:
    try:
        grant = transaction.grants.lock(str(_fact(entry, "grant_id")))
    except NotFound:
        return False
    if grant.revoked_at is None:
        transaction.grants.replace(replace(grant, revoked_at=now, epoch=grant.epoch + 1))
    return True


def _disable(transaction: Transaction, entry: ReplayedEntry, now: datetime) -> bool:
    account = transaction.accounts.lock(str(_fact(entry, "disabled_account_id")))
    if account is None:
        return False
    if account.disabled_at is None:
        transaction.accounts.replace(replace(account, disabled_at=now))
    return True


def _seal_is_here(transaction: Transaction, entry: ReplayedEntry, _now: datetime) -> bool:
    return entry.row.seal_code is not None and transaction.seals.find(entry.row.seal_code) is not None


_STOPS: dict[EventKind, Callable[[Transaction, ReplayedEntry, datetime], bool]] = {
    EventKind.GRANT_REVOKED: _revoke,
    EventKind.ACCOUNT_DISABLED: _disable,
    **dict.fromkeys(_SAYS_SO, _seal_is_here),
}


def _told(place: int, entry: ReplayedEntry, done: str) -> ToDoAgain:
    row = entry.row
    return ToDoAgain(
        place=place, entry_id=row.entry_id, kind=row.kind, seal_code=row.seal_code, unit_id=row.unit_id, done=done
    )


def _fact(entry: ReplayedEntry, name: str) -> str | None:
    value = entry.facts.get(name)
    return value if isinstance(value, str) else None


def _known(entries: list[ReplayedEntry], name: str) -> str | None:
    return next((found for one in reversed(entries) if (found := _fact(one, name)) is not None), None)
