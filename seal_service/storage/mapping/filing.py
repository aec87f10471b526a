"""Filings as rows, and back."""

from __future__ import annotations

from seal_service.domain.filing import Filing, FilingState, FilingTask
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def filing_values(filing: Filing) -> Values:
    """Columns of `filing`."""
    return {
        "id": filing.id,
        "entry_id": filing.entry_id,
        "task": filing.task.value,
        "seal_code": filing.seal_code,
        "area_code": filing.area_code,
        "seq": filing.seq,
        "at": filing.at,
        "state": filing.state.value,
        "attempts": filing.attempts,
        "due_at": filing.due_at,
        "claimed_until": filing.claimed_until,
        "failure": filing.failure,
        "receipt": filing.receipt,
        "acknowledged_at": filing.acknowledged_at,
    }


def filing_of(row: Row) -> Filing:
    """备案 of a row."""
    return Filing(
        id=row.id,
        entry_id=row.entry_id,
        task=FilingTask(row.task),
        seal_code=row.seal_code,
        seq=row.seq,
        at=row.at,
        state=FilingState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        claimed_until=row.claimed_until,
        failure=row.failure,
        receipt=row.receipt,
        acknowledged_at=row.acknowledged_at,
    )
