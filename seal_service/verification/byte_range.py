"""ByteRange: whether a signature covers exactly all but its own /Contents, and how far (ISO 32000-2, 12.8.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from seal_service.domain.verdict import Check, Coverage, Outcome
from seal_service.formats.pdf_signatures import Identity, SignatureField
from seal_service.ports.documents import Content
from seal_service.verification.findings import check

_WHITE = b"\0\t\n\f\r "
_OBJECT = re.compile(rb"(?<![0-9])([0-9]{1,10})[\0\t\n\f\r ]+([0-9]{1,5})[\0\t\n\f\r ]+obj\b")
_END = re.compile(rb"startxref[\0\t\n\f\r ]+([0-9]{1,12})[\0\t\n\f\r ]+%%EOF[\0\t\n\f\r ]*\Z")
_END_WITHIN = 2048
_MOST_DICTIONARY = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredBytes:
    """覆盖范围: the two ranges [0, gap_start) and [gap_end, end), if they are what they should be."""

    check: Check
    coverage: Coverage
    gap_start: int = 0
    gap_end: int = 0
    end: int = 0
    cross_reference: int = -1
    """The offset that the covered bytes' own startxref names."""

    @property
    def sound(self) -> bool:
        """Whether the ranges can be used."""
        return self.check.outcome is Outcome.PASS


def covered_bytes(content: Content, field: SignatureField, offsets: Mapping[Identity, int]) -> CoveredBytes:
    """The covered bytes of a signature, or why its ByteRange is refused."""
    problem = _problem(content, field, offsets)
    if problem is not None:
        zh, en = problem
        return CoveredBytes(check=check("byte_range", Outcome.FAIL, zh, en), coverage=_broken_coverage(field, content))
    _, gap_start, gap_end, length = field.byte_range or (0, 0, 0, 0)
    end = gap_end + length
    ending = _END.search(content, max(gap_end, end - _END_WITHIN), end)
    if ending is None:
        coverage = Coverage.PARTIAL
        result = check(
            "byte_range", Outcome.FAIL, "签名未覆盖到版本结尾", "the signed bytes do not end with a revision"
        )
    else:
        whole = not content[end:].strip(_WHITE) if len(content) - end < _END_WITHIN else False
        coverage = Coverage.WHOLE_FILE if whole else Coverage.WHOLE_REVISION
        result = check(
            "byte_range",
            Outcome.PASS,
            "签名覆盖整个文件" if whole else "签名覆盖整个版本",
            "the whole file is signed" if whole else "a whole revision is signed",
        )
    return CoveredBytes(
        check=result,
        coverage=coverage,
        gap_start=gap_start,
        gap_end=gap_end,
        end=end,
        cross_reference=int(ending.group(1)) if ending else -1,
    )


def _broken_coverage(field: SignatureField, content: Content) -> Coverage:
    numbers = field.byte_range
    inside = numbers is not None and len(numbers) == 4 and all(0 <= one <= len(content) for one in numbers)
    return Coverage.PARTIAL if inside and numbers and numbers[1] + numbers[3] > 0 else Coverage.NONE


def _problem(content: Content, field: SignatureField, offsets: Mapping[Identity, int]) -> tuple[str, str] | None:
    numbers = field.byte_range
    if numbers is None or len(numbers) != 4:
        return "ByteRange 不是四个整数", "ByteRange is not four integers"
    start, gap_start, gap_end, length = numbers
    if start != 0 or gap_start <= 0 or length < 0 or not gap_start < gap_end <= gap_end + length <= len(content):
        return "ByteRange 超出文件或重叠", "ByteRange overlaps, leaves the file or does not begin at its first byte"
    if content[gap_start : gap_start + 1] != b"<" or content[gap_end - 1 : gap_end] != b">":
        return "ByteRange 的空隙不是签名内容", "the gap of ByteRange is not a hexadecimal string"
    digits = content[gap_start + 1 : gap_end - 1].translate(None, _WHITE)
    try:
        value = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    except ValueError:
        return "ByteRange 的空隙不是签名内容", "the gap of ByteRange is not a hexadecimal string"
    if value != field.contents:
        return "ByteRange 的空隙不是本签名的内容", "the gap of ByteRange is not this signature's /Contents"
    offset = offsets.get(field.holder)
    if offset is None or not 0 <= offset < gap_start or gap_start - offset > _MOST_DICTIONARY:
        return "签名对象不在其覆盖的字节内", "the gap of ByteRange does not lie in this signature's object"
    last = None
    for last in _OBJECT.finditer(content, offset, gap_start):  # noqa: B007 - the last one counts
        pass
    if last is None or last.start() > offset + len(_WHITE) or (int(last[1]), int(last[2])) != field.holder:
        return "ByteRange 的空隙在另一个对象中", "the gap of ByteRange lies in another object"
    return None
