"""Log entries as rows, and back."""

from __future__ import annotations

from collections.abc import Iterable

from seal_service.domain.events import EventKind
from seal_service.ports.records import LogRow, PrivateField
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def log_values(entry: LogRow) -> Values:
    """Columns of `sign_log`."""
    return {
        "entry_id": entry.entry_id,
        "kind": entry.kind.value,
        "seq": entry.seq,
        "intent_id": entry.intent_id,
        "use_id": entry.use_id,
        "seal_code": entry.seal_code,
        "unit_id": entry.unit_id,
        "account_id": entry.account_id,
        "operator_ref": entry.operator_ref,
        "scenario": entry.scenario,
        "document_sha256": entry.document_sha256,
        "result": entry.result,
        "at": entry.at,
        "canon": entry.canon,
        "leaf_hash": entry.leaf_hash,
    }


def log_row_of(row: Row, private: Iterable[Row] = ()) -> LogRow:
    """日志条目 of a row and the rows of its private fields."""
    return LogRow(
        entry_id=row.entry_id,
        kind=EventKind(row.kind),
        at=row.at,
        seq=row.seq,
        result=row.result,
        canon=row.canon,
        leaf_hash=row.leaf_hash,
        account_id=row.account_id,
        unit_id=row.unit_id,
        seal_code=row.seal_code,
        scenario=row.scenario,
        operator_ref=row.operator_ref,
        document_sha256=row.document_sha256,
        use_id=row.use_id,
        intent_id=row.intent_id,
        private=tuple(PrivateField(name=one.name, ciphertext=one.ciphertext) for one in private),
    )
