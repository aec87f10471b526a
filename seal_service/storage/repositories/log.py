"""签章日志: rows that are inserted and read, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, or_, select

from seal_service.domain.errors import AlreadyRegistered, Conflict, InvalidInput
from seal_service.domain.events import TERMINAL_KINDS, EventKind, Result
from seal_service.domain.filing import filings_of
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.seal import SealState
from seal_service.formats.recovered_places import recovered_places
from seal_service.ports.records import LogRow
from seal_service.storage.locking import holding
from seal_service.storage.mapping import filing_values, log_row_of, log_values
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Statement, together
from seal_service.storage.tables import (
    FilingRow,
    LogLeafRow,
    LogPendingRow,
    LogTerminalRow,
    PrivateFieldRow,
    SignLogRow,
)

STATE_AFTER = {
    EventKind.SEAL_MADE.value: SealState.MADE,
    EventKind.SEAL_ACTIVATED.value: SealState.ACTIVE,
    EventKind.SEAL_SUSPENDED.value: SealState.SUSPENDED,
    EventKind.SEAL_RESUMED.value: SealState.ACTIVE,
    EventKind.SEAL_CANCELLED.value: SealState.CANCELLED,
    EventKind.SEAL_INVALIDATED.value: SealState.CANCELLED,
}
"""The state that an entry of a kind gives its seal."""

_LAST_SEQ = Statement(select(func.max(SignLogRow.seq)).where(SignLogRow.seal_code == bindparam("seal_code")))
_FIND = Statement(select(SignLogRow).where(SignLogRow.entry_id == bindparam("entry_id")))
_PRIVATE_OF = Statement(
    select(PrivateFieldRow).where(PrivateFieldRow.entry_id == bindparam("entry_id")).order_by(PrivateFieldRow.name)
)
_CHANGES_OF_KEY = Statement(
    select(SignLogRow.canon)
    .where(or_(SignLogRow.kind == EventKind.LOG_OPENED.value, SignLogRow.kind == EventKind.LOG_CLOSED.value))
    .order_by(SignLogRow.at, SignLogRow.entry_id)
)
_INSERT = Statement(insert(SignLogRow))
_INSERT_PENDING = Statement(insert(LogPendingRow).values(entry_id=bindparam("entry_id")).inline())
_INSERT_PRIVATE = Statement(insert(PrivateFieldRow))
_INSERT_TERMINAL = Statement(insert(LogTerminalRow))
_INSERT_FILING = Statement(insert(FilingRow))

STOPPING = (EventKind.SEAL_SUSPENDED, EventKind.SEAL_CHANGED, EventKind.SEAL_CANCELLED, EventKind.SEAL_INVALIDATED)
"""Kinds after which a seal's history is no longer simply active."""


@dataclass(frozen=True, slots=True)
class SqlLog:
    """The signing log's rows."""

    connection: Connection

    def next_seq(self, seal_code: str) -> int:
        """One more than the log has, and the counter is held: what is rolled back leaves no gap, no two are alike."""
        held = holding(self.connection, f"seq {seal_code}")
        ((last,),) = together(self.connection, *held, (_LAST_SEQ, {"seal_code": seal_code}))[-1]
        return (last or 0) + 1

    def insert(self, row: LogRow) -> None:
        """Insert row, private fields, place in the queue, filings and, for a terminal kind, the end of its intent.

        Raises Conflict when the intent has ended, AlreadyRegistered when the entry is there, InvalidInput when a
        terminal kind names no intent.
        """
        filed = filings_of(row.kind, row.entry_id, row.seal_code, row.seq, row.at)
        with unique(AlreadyRegistered):
            fields = [{"entry_id": row.entry_id, "name": one.name, "ciphertext": one.ciphertext} for one in row.private]
            together(
                self.connection,
                (_INSERT, log_values(row)),
                (_INSERT_PENDING, {"entry_id": row.entry_id}),
                *((_INSERT_PRIVATE, one) for one in fields),
                *((_INSERT_FILING, filing_values(one)) for one in filed),
            )
        if row.kind in TERMINAL_KINDS:
            if row.intent_id is None:
                raise InvalidInput("An entry that ends a use names its intent", field="intent_id")
            with unique(Conflict):
                _INSERT_TERMINAL.run(self.connection, {"intent_id": row.intent_id, "entry_id": row.entry_id})

    def find(self, entry_id: str) -> LogRow | None:
        """Read with private fields, or None."""
        row = _FIND.one(self.connection, entry_id=entry_id)
        return None if row is None else log_row_of(row, _PRIVATE_OF.all(self.connection, entry_id=entry_id))

    def changes_of_key(self) -> Sequence[bytes]:
        """By the index of kinds; entries of one millisecond by their identifiers, which only grow."""
        return [row.canon for row in _CHANGES_OF_KEY.all(self.connection)]

    def recovered(self, leaf_hash: bytes) -> tuple[str, str | None] | None:
        """By their places, which the log tells: hashes of leaves have no index, and only what came back is read."""
        leaf, ended = LogLeafRow, LogTerminalRow
        recoveries = select(SignLogRow.canon).where(SignLogRow.kind == EventKind.LOG_RECOVERED.value)
        for canon in self.connection.scalars(recoveries).all():
            first, size = recovered_places(canon)
            wanted = select(leaf.entry_id, ended.entry_id).outerjoin(ended, ended.intent_id == leaf.entry_id)
            wanted = wanted.where(leaf.idx >= first, leaf.idx < size, leaf.leaf_hash == leaf_hash)
            found = self.connection.execute(wanted.limit(1)).first()
            if found is not None:
                return found[0], found[1]
        return None

    def status_changes(self, seal_code: str) -> Sequence[StatusChange]:
        """The seal's changes of status by the log, in its order."""
        wanted = (
            select(SignLogRow.kind, SignLogRow.at)
            .where(
                SignLogRow.seal_code == seal_code,
                SignLogRow.kind.in_(STATE_AFTER),
                SignLogRow.result == Result.SUCCESS.value,
            )
            .order_by(SignLogRow.seq)
        )
        return [StatusChange(at=row.at, state=STATE_AFTER[row.kind]) for row in self.connection.execute(wanted)]

    def status_changes_counted(self) -> int:
        """By the index of kinds."""
        kinds = [kind.value for kind in (*STOPPING, EventKind.SEAL_RESUMED, EventKind.SEAL_RENEWED)]
        return self.connection.scalar(select(func.count()).where(SignLogRow.kind.in_(kinds))) or 0

    def maker_of(self, seal_code: str) -> str | None:
        """Who wrote the entry that the seal was made."""
        row = SignLogRow
        wanted = select(row.account_id).where(row.seal_code == seal_code, row.kind == EventKind.SEAL_MADE.value)
        return self.connection.scalar(wanted.where(row.result == Result.SUCCESS.value).limit(1))

    def seals_stopped(self) -> Sequence[str]:
        """By the index of kinds."""
        row = SignLogRow
        kinds = [kind.value for kind in STOPPING]
        wanted = select(row.seal_code).where(row.kind.in_(kinds), row.result == Result.SUCCESS.value)
        found = self.connection.scalars(wanted.distinct().order_by(row.seal_code))
        return [code for code in found if code is not None]
