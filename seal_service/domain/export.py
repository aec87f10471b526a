"""日志导出: forms in which auditors take entries out of the log."""

from __future__ import annotations

from enum import StrEnum


class ExportFormat(StrEnum):
    """导出格式."""

    CSV = "csv"  # for people with a spreadsheet
    JSON_LINES = "jsonl"  # for programs: each entry's exact bytes and its leaf hash
