"""后续修改: whether what was appended after a signature is what its standard and its author permit.

Each revision is compared once, with its neighbour, by pyHanko's rules for incremental updates (ISO 32000-2, 12.8.2.2;
EN 319 142-1, 5.4): further signatures, time-stamps, the security store and permitted form filling.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from itertools import islice

from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel, SuspiciousModification

from seal_service.domain.verdict import Check, Modifications, Outcome
from seal_service.formats.pdf_signatures import SignatureField
from seal_service.ports.documents import Content
from seal_service.verification.byte_range import CoveredBytes
from seal_service.verification.findings import check
from seal_service.verification.limits import Deadline
from seal_service.verification.proof_revisions import Revision, adds_proofs_alone
from seal_service.verification.revision_rules import compare_revisions
from seal_service.verification.shown_pages import shows_the_same

_WHITE = b"\0\t\n\f\r "
_ENDING = re.compile(rb"startxref[\0\t\n\f\r ]+([0-9]{1,12})[\0\t\n\f\r ]+%%EOF")
READING_FAULTS = (
    PdfReadError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    OverflowError,
    RecursionError,
)
"""What pyHanko raises for files that are not what they should be."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What one revision did to the one before: a level and the fields changed, or a reason against it."""

    level: ModificationLevel | None
    changed_fields: frozenset[str] = frozenset()
    reason: str = ""
    readable: bool = True


class RevisionHistory:
    """The revisions of one file; the structure is read when the first question is asked."""

    def __init__(self, content: Content, deadline: Deadline, most_revisions: int, certified: bool) -> None:
        self._content = content
        self._deadline = deadline
        self._most = most_revisions
        self._certified = certified
        self._reader: PdfFileReader | None = None
        self._steps: dict[int, _Step] = {}
        self._revisions: dict[int, Revision] = {}
        self._proofs: dict[tuple[int, int], bool] = {}

    def after(self, field: SignatureField, covered: CoveredBytes) -> tuple[Modifications, Check]:
        """What came after a signature that covers a whole revision."""
        try:
            if self._proofs_alone(covered):
                return _permitted(field, ModificationLevel.LTA_UPDATES, set())
            return self._after(field, covered)
        except READING_FAULTS as error:
            return _unknown(f"the revisions cannot be read: {error}")

    def _proofs_alone(self, covered: CoveredBytes) -> bool:
        """Whether every later revision is certain to add proofs alone; they then follow each other without a gap."""
        endings = list(islice(_ENDING.finditer(self._content, covered.end), self._most + 1))
        if not endings or len(endings) > self._most or self._content[endings[-1].end() :].strip(_WHITE):
            return False
        before = self._revision(covered.end, covered.cross_reference)
        for ending in endings:
            after = self._revision(ending.end(), int(ending[1]))
            if not self._adds_proofs_alone(before, after):
                return False
            before = after
        return True

    def _revision(self, end: int, cross_reference: int) -> Revision:
        return self._revisions.setdefault(end, Revision(self._content, end, cross_reference))

    def _adds_proofs_alone(self, before: Revision, after: Revision) -> bool:
        ends = before.end, after.end
        if ends not in self._proofs:
            self._proofs[ends] = not self._deadline.passed and adds_proofs_alone(before, after)
        return self._proofs[ends]

    def _after(self, field: SignatureField, covered: CoveredBytes) -> tuple[Modifications, Check]:
        reader = self._opened()
        signed = self._signed_revision(reader, covered)
        if signed is None:
            return _changed("the signed revision is not part of the file as it is read now")
        total = reader.xrefs.total_revisions
        if total - signed > self._most:
            return _unknown(f"more than {self._most} revisions follow")
        stray = self._stray(reader, covered, signed)
        if stray is not None:
            return _changed(stray)
        level, fields = ModificationLevel.NONE, set[str]()
        for number in range(signed + 1, total):
            step = self._step(reader, number, covered)
            if step.level is None:
                if step.readable:
                    return _changed(step.reason)
                if shows_the_same(self._content[: covered.end], self._content):
                    return _unknown(step.reason)
                return _changed("other pages are shown than were signed")
            level = max(level, step.level)
            fields |= step.changed_fields
        return _permitted(field, level, fields)

    def _opened(self) -> PdfFileReader:
        if self._reader is None:
            reader = PdfFileReader(io.BytesIO(self._content), strict=False)
            if reader.encrypted:
                reader.decrypt("")
            for trailer in reader.trailer._trailer_revisions:  # no reader shows them, and they may lead nowhere
                trailer.pop("/AdditionalStreams", None)
            self._reader = reader
        return self._reader

    def _signed_revision(self, reader: PdfFileReader, covered: CoveredBytes) -> int | None:
        """The revision whose cross-reference section the covered bytes end with, all before it inside them."""
        references = reader.xrefs
        for number in range(references.total_revisions):
            if references.get_xref_container_info(number).end_location > covered.end:
                return None
            if references.get_startxref_for_revision(number) == covered.cross_reference:
                return number
        return None

    def _stray(self, reader: PdfFileReader, covered: CoveredBytes, signed: int) -> str | None:
        """Bytes after the signature that belong to no revision as the cross-reference chain tells them."""
        later = {
            reader.xrefs.get_startxref_for_revision(number)
            for number in range(signed + 1, reader.xrefs.total_revisions)
        }
        last = covered.end
        for ending in _ENDING.finditer(self._content, covered.end):
            if int(ending[1]) not in later:
                return "a revision was appended that the cross-reference chain leaves out"
            last = ending.end()
        if self._content[last:].strip(_WHITE):
            return "bytes follow after the last revision"
        return None

    def _step(self, reader: PdfFileReader, number: int, covered: CoveredBytes) -> _Step:
        if number not in self._steps:
            self._steps[number] = self._compare(reader, number, covered)
        return self._steps[number]

    def _compare(self, reader: PdfFileReader, number: int, covered: CoveredBytes) -> _Step:
        if self._deadline.passed:
            return _Step(None, reason="comparing the revisions took too long", readable=False)
        before, after = (self._ending_at(reader, one, covered) for one in (number - 1, number))
        if before and after and self._adds_proofs_alone(before, after):
            return _Step(ModificationLevel.LTA_UPDATES)
        try:
            result = compare_revisions(
                reader.get_historical_resolver(number - 1), reader.get_historical_resolver(number), self._certified
            )
        except SuspiciousModification as error:
            return _Step(None, reason=str(error))
        except READING_FAULTS as error:
            return _Step(None, reason=f"revision {number + 1} cannot be compared: {error}", readable=False)
        return _Step(result.modification_level, frozenset(result.changed_form_fields))

    def _ending_at(self, reader: PdfFileReader, number: int, covered: CoveredBytes) -> Revision | None:
        """A revision at or after the signed one; None where its end is not known."""
        start = reader.xrefs.get_startxref_for_revision(number)
        if start == covered.cross_reference:
            return self._revision(covered.end, start)
        ending = next((one for one in _ENDING.finditer(self._content, covered.end) if int(one[1]) == start), None)
        return ending and self._revision(ending.end(), start)


def _permitted(field: SignatureField, level: ModificationLevel, fields: set[str]) -> tuple[Modifications, Check]:
    if field.permissions is not None and level.value > field.permissions:
        return _changed(f"the signature permits changes up to DocMDP level {field.permissions} only")
    locked = sorted(name for name in fields if field.lock is not None and field.lock.locks(name))
    if locked:
        return _changed(f"locked form fields were changed: {', '.join(locked[:5])}")
    passed = check("modifications", Outcome.PASS, "签名后仅有允许的追加", "only permitted additions follow")
    return Modifications.ALLOWED, passed


def _changed(reason: str) -> tuple[Modifications, Check]:
    return Modifications.CHANGED, check(
        "modifications", Outcome.FAIL, "签名后文件内容被修改", f"the document was changed after the signature: {reason}"
    )


def _unknown(reason: str) -> tuple[Modifications, Check]:
    return Modifications.UNKNOWN, check(
        "modifications", Outcome.UNKNOWN, "无法判断签名后的修改", f"later changes cannot be judged: {reason}"
    )
