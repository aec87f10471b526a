"""日志导出文件: entries as CSV for spreadsheets, or as JSON Lines whose leaf hashes anyone can compute again."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence

from seal_service.ports.records import LogRow

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/jsonl"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CALCULATED = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_ROUNDED = re.compile(r"[0-9]{12,}")


def csv_line(cells: Sequence[str]) -> bytes:
    """One record (RFC 4180), every cell as text that a spreadsheet shows as it is."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow([_as_text(cell) for cell in cells])
    return line.getvalue().encode()


def csv_head(titles: Sequence[str]) -> bytes:
    """The beginning of the file: the mark and the titles.

    Excel on a Chinese Windows takes a CSV file without the mark for GBK and shows every Chinese name as rubbish;
    programs that read UTF-8 are told to skip it ("utf-8-sig").
    """
    return BYTE_ORDER_MARK + csv_line(titles)


def jsonl_line(row: LogRow, index: int) -> bytes:
    """`canonical` is the text whose UTF-8 bytes were hashed: SHA-256(0x00 ‖ bytes) is `leaf_hash` (RFC 6962).

    `index` is the entry's place in the tree.
    """
    line = {"index": index, "entry_id": row.entry_id, "leaf_hash": row.leaf_hash.hex(), "canonical": row.canon.decode()}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _as_text(cell: str) -> str:
    """An apostrophe before what a spreadsheet would calculate (=, +, -, @, also full-width) or round (12 digits).

    Names come from people: a unit called =HYPERLINK(…) must not become a link on the auditor's machine, and a seal's
    code of 14 digits must not become 9.9E+13.
    """
    return f"'{cell}" if _CALCULATED.match(cell) or _ROUNDED.fullmatch(cell) else cell
