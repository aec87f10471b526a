"""日志导出 (article 22): entries as a file that streams, and its manifest, which the log itself bears witness to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput, UnitNotFound
from seal_service.domain.events import Event, EventKind, Result, Scalar, act_of
from seal_service.domain.export import ExportFormat
from seal_service.formats.log_export import csv_head, csv_line, jsonl_line
from seal_service.formats.representation import time
from seal_service.ports.reading import LogFilter, Queries
from seal_service.ports.records import LogRow, Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.ports.transparency import NoteSigner
from seal_service.usecases.log_words import beijing_time, kind_in_words, result_in_words
from seal_service.usecases.sequence_log import CatchUp

LOG_REPORT = "log"
"""What the entry of an export says that it reports on."""
_ROWS_AT_ONCE = 500
_TITLES = (
    "北京时间", "条目编号", "类别", "结果", "印章编码", "章内序号", "单位编号", "单位现名", "账户编号", "账户现名",
    "用印场景", "文件SHA-256", "用印编号", "意向条目编号", "日志树序号", "叶子杂凑值",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLog:
    """日志导出. `operator_id` is looked for by its pseudonym."""

    format: ExportFormat
    chosen: LogFilter = LogFilter()
    operator_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogExport:
    """日志导出 under way. Whoever takes it reads the pieces to their end, or closes them."""

    file_name: str
    begun_entry_id: str
    upto_size: int
    """The entries with a place below it that match are in the file, and no other."""
    pieces: Generator[bytes, None, None]
    """The file, none of them empty. Its end comes only when the entry that its manifest repeats is durable."""


@dataclass(frozen=True)
class ExportLogUseCase:
    """日志导出. Raises InvalidInput (an empty period), InstanceNotReady without the key that signs manifests."""

    permission: ClassVar[Permission] = Permission.READ_LOG
    records: Records
    queries: Queries
    catch_up: CatchUp
    log: SigningLog
    clock: Clock
    signer: NoteSigner

    def __call__(self, caller: Caller, command: ExportLog) -> LogExport:
        """1 place what waits, 2 log that an export begins; the pieces then 3 read pages, 4 log how it ended."""
        chosen = command.chosen
        if chosen.at_from is not None and chosen.at_until is not None and chosen.at_until <= chosen.at_from:
            raise InvalidInput("The period of an export ends after it begins", field="at_until")
        if command.operator_id is not None:
            chosen = replace(chosen, operator_ref=self.log.operator_reference(command.operator_id))
        _ = self.signer.verifier_key  # rather now than when all has been read
        size = self.catch_up()
        name = f"seal-log-{self.clock.now():%Y%m%dT%H%M%SZ}.{command.format.value}"
        facts: dict[str, Scalar] = {
            "report": LOG_REPORT,
            "format": command.format.value,
            "file": name,
            "filter": json.dumps(_as_text(chosen), ensure_ascii=False, sort_keys=True),
            "upto_size": size,
            "by_name": caller.name,
        }
        begun = self._log(caller, Event(kind=EventKind.REPORT_EXPORTED, result=Result.UNDECIDED, facts=facts))
        written = _Written(self.records, command.format)
        pieces = self._pieces(caller, chosen, size, written, {**facts, "begun": begun})
        return LogExport(file_name=name, begun_entry_id=begun, upto_size=size, pieces=pieces)

    def _pieces(
        self, caller: Caller, chosen: LogFilter, size: int, written: _Written, facts: dict[str, Scalar]
    ) -> Generator[bytes, None, None]:
        result = Result.FAILURE  # what was taken out of the log is logged also when the client went away
        try:
            if head := written.head():
                yield written.add(head)
            first = 0
            while placed := self.queries.log_placed(first, size, chosen, _ROWS_AT_ONCE):
                yield written.add(written.lines(placed))
                first = placed[-1][0] + 1
            result = Result.SUCCESS
        finally:
            counted = {"bytes": written.size, "entries": written.entries}
            event = Event(
                kind=EventKind.REPORT_EXPORTED,
                result=result,
                document_sha256=written.digest.hexdigest(),
                facts={**facts, **counted},
            )
            self._log(caller, event)

    def _log(self, caller: Caller, event: Event) -> str:
        with self.records.write() as transaction:
            logged = self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return logged.entry_id


class _Written:
    """The file as it grows: how its lines look, and what its manifest says of it."""

    def __init__(self, records: Records, form: ExportFormat) -> None:
        self._records = records
        self._form = form
        self._names: dict[tuple[str, str], str] = {}
        self.digest = hashlib.sha256()
        self.size = 0
        self.entries = 0

    def add(self, piece: bytes) -> bytes:
        """Count the piece in."""
        self.digest.update(piece)
        self.size += len(piece)
        return piece

    def head(self) -> bytes:
        """What comes before the first entry."""
        return csv_head(_TITLES) if self._form is ExportFormat.CSV else b""

    def lines(self, placed: Sequence[tuple[int, LogRow]]) -> bytes:
        """The entries with their places, each a line."""
        self.entries += len(placed)
        if self._form is ExportFormat.JSON_LINES:
            return b"".join(jsonl_line(row, place) for place, row in placed)
        with self._records.read() as transaction:
            return b"".join(csv_line(self._cells(transaction, row, place)) for place, row in placed)

    def _cells(self, transaction: Transaction, row: LogRow, place: int) -> list[str]:
        return [
            beijing_time(row.at),
            row.entry_id,
            kind_in_words(row.kind),
            result_in_words(row.result),
            row.seal_code or "",
            "" if row.seq is None else str(row.seq),
            row.unit_id or "",
            self._unit_name(transaction, row.unit_id),
            row.account_id or "",
            self._account_name(transaction, row.account_id),
            row.scenario or "",
            row.document_sha256 or "",
            row.use_id or "",
            row.intent_id or "",
            str(place),
            row.leaf_hash.hex(),
        ]

    def _unit_name(self, transaction: Transaction, unit_id: str | None) -> str:
        if unit_id is None:
            return ""
        if ("unit", unit_id) not in self._names:
            try:
                self._names["unit", unit_id] = transaction.units.get(unit_id).name
            except UnitNotFound:
                self._names["unit", unit_id] = ""
        return self._names["unit", unit_id]

    def _account_name(self, transaction: Transaction, account_id: str | None) -> str:
        if account_id is None:
            return ""
        if ("account", account_id) not in self._names:
            found = transaction.accounts.find(account_id)
            self._names["account", account_id] = "" if found is None else found.name
        return self._names["account", account_id]


def _as_text(chosen: LogFilter) -> dict[str, str]:
    """What was asked for, only what was given."""
    found: dict[str, str] = {}
    for name, value in asdict(chosen).items():
        if value is not None:
            found[name] = time(value) if isinstance(value, datetime) else str(value)
    return found
