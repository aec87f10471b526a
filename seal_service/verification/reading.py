"""验章读取: what a document says of its signatures, told where a hostile one can do no harm (`ports.isolation`).

Everything here parses the document; nothing here decides whether a signature is good, or sees a certificate.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seal_service.domain.errors import DocumentOverLimit, DocumentRefused
from seal_service.domain.verdict import Coverage, Modifications, Outcome
from seal_service.formats.pdf_signatures import SecurityStore, SignatureField, read_security_store, read_signed_pdf
from seal_service.ports.documents import Content
from seal_service.verification.byte_range import CoveredBytes, covered_bytes
from seal_service.verification.findings import Change, check
from seal_service.verification.limits import Deadline, VerificationLimits

if TYPE_CHECKING:
    from seal_service.verification.revisions import RevisionHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSignature:
    """签名字段, the bytes it covers and what came after them."""

    field: SignatureField
    covered: CoveredBytes
    change: Change
    store: SecurityStore | None
    """Of a document time-stamp: the validation data that the document held when it was stamped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """What a document says of its signatures, in the order of what they cover."""

    signatures: tuple[ReadSignature, ...]
    store: SecurityStore


def read_document(document: Content, arguments: VerificationLimits) -> ReadDocument:
    """Every signature field with a value, and the security store.

    Raises DocumentUnsupported (no PDF), DocumentDamaged, DocumentEncrypted (a password is needed), DocumentOverLimit.
    """
    from seal_service.verification.revisions import RevisionHistory  # with pyHanko: for the process that reads alone

    deadline = Deadline(arguments.seconds, time.process_time)
    pdf = read_signed_pdf(document, arguments.reading)
    found = [(field, covered_bytes(document, field, pdf.offsets)) for field in pdf.fields]
    found.sort(key=lambda one: one[1].end)
    _bound_digests([covered for _, covered in found], arguments.hashed)
    certified = any(field.permissions is not None for field, _ in found)
    history = RevisionHistory(document, deadline, arguments.revisions, certified)
    signatures = [
        ReadSignature(
            field=field,
            covered=covered,
            change=_change(field, covered, history),
            store=_stamped_store(document, field, covered, arguments),
        )
        for field, covered in found
    ]
    return ReadDocument(signatures=tuple(signatures), store=pdf.store)


def _bound_digests(covered: Sequence[CoveredBytes], most: int) -> None:
    """DocumentOverLimit when more has to be hashed than `most`: each signature may cover nearly all of a large file.

    What lies before the gaps is hashed once for all of them, what follows a gap for each (`digests`).
    """
    sound = [one for one in covered if one.sound]
    if sum(one.end - one.gap_end for one in sound) > most:
        raise DocumentOverLimit("The signatures cover too many bytes to be verified", what="bytes", limit=most)


def _change(field: SignatureField, covered: CoveredBytes, history: RevisionHistory) -> Change:
    """What came after a signature; asked of the history only when something did."""
    if not covered.sound:
        skipped = check(
            "modifications", Outcome.SKIPPED, "未检查后续修改", "not checked: the covered bytes are not sound"
        )
        return Change(modifications=Modifications.UNKNOWN, check=skipped)
    if covered.coverage is Coverage.WHOLE_FILE:
        passed = check("modifications", Outcome.PASS, "签名后文件未变", "nothing follows the signature")
        return Change(modifications=Modifications.NONE, check=passed)
    modifications, result = history.after(field, covered)
    return Change(modifications=modifications, check=result)


def _stamped_store(
    document: Content, field: SignatureField, covered: CoveredBytes, limits: VerificationLimits
) -> SecurityStore | None:
    if not field.stamps or not covered.sound:
        return None
    try:
        return read_security_store(document, covered.end, limits.reading)
    except DocumentRefused:
        return SecurityStore()
