"""修复: a damaged document that nobody signed, written anew with qpdf so that it can be extended.

A repair changes a document. It is done only when the caller asks for it, it is said in the answer and in the log, and
it is never done to a document that holds a trace of a signature, which it would break (ISO 32000-2, 12.8.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO

import pikepdf

from seal_service.domain.errors import DocumentDamaged, DocumentEncrypted, DocumentOverLimit
from seal_service.formats.pdf import PdfStructureError, complaint, fields, header_offset, is_mapping
from seal_service.ports.documents import Content, Upload
from seal_service.ports.isolation import Isolation
from seal_service.sealing.admission import DocumentLimits

_BEYOND_REPAIR = "The document is damaged beyond repair"
_END_WITHIN = 1024


def _written(name: str) -> str:
    """A pattern for a name in any way that it may be written: `#xx` stands for a character (ISO 32000-2, 7.3.5)."""
    return "".join(f"(?:{re.escape(one)}|#(?i:{ord(one):02x}))" for one in name)


_TRACE_NAMES = (
    _written("ByteRange"),  # required of every signature of a field, and of usage rights (ISO 32000-2, table 255)
    _written("DocTimeStamp"),
    _written("DocMDP"),
    _written("UR3"),
    _written("ETSI."),
    _written("adbe."),
    _written("Type") + r"[\s\0]*/" + _written("Sig") + r"(?![A-Za-z0-9#])",
    _written("SigFlags") + r"[\s\0]*\+?[0-9]*[13579](?![0-9])",  # SignaturesExist (table 225)
)
_TRACES = re.compile(rf"/(?=[#ABDESTUabdestu])(?:{'|'.join(_TRACE_NAMES)})".encode("ascii"))
"""What only a signature leaves in a document, or one that was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairLimits:
    """修复限额: what a document that is to be repaired may hold."""

    objects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """修复结果: what was written, beside the document itself."""

    pages: int


def repaired_document(
    document: Upload, damage: DocumentDamaged, allowed: bool, isolation: Isolation, limits: DocumentLimits
) -> Upload:
    """What is sealed in the place of a document that was refused for its damage, if its caller allowed that.

    Raises DocumentDamaged (signed; or not allowed, and then that it may be sent again; or beyond repair),
    DocumentEncrypted, DocumentOverLimit.
    """
    if not allowed:
        if isolation.run(bears_signature, document.content, None):
            raise signed_and_damaged() from damage
        told = (
            f"{damage.message} It bears no signature: sent again with allow_repair it is repaired first, if it can be"
        )
        raise DocumentDamaged(told, **{**damage.details, "repairable": True}) from damage
    arguments = RepairLimits(objects=limits.objects)
    repaired, _ = isolation.rewrite(repair, document.content, arguments, limits.bytes)
    return replace(repaired, name=document.name)


def bears_signature(document: Content, arguments: None) -> bool:
    """Whether the bytes of a document, as they stand there, hold what only a signature leaves; for `Isolation.run`.

    A signature dictionary cannot be compressed, as its /ByteRange leaves out its own /Contents (ISO 32000-2, 12.8.1);
    so this sees signatures too that a damaged document's cross-references no longer lead to. In doubt there is one.
    """
    del arguments
    return _TRACES.search(document) is not None


def repair(document: Content, arguments: RepairLimits, output: BinaryIO) -> Repair:
    """Read with qpdf's recovery, look for signatures in all that was found, write; for `Isolation.rewrite`.

    The same document always gives the same bytes: no moment and no chance enters them. What is compressed stays as it
    is, what is not becomes so. Pages that are counted and cannot be found, and content of pages that cannot be found
    or read to its end, are not given up silently; what else the damage took away cannot be told.
    Raises DocumentDamaged (also for a signed document, which is then said), DocumentEncrypted, DocumentOverLimit.
    """
    if bears_signature(document, None):
        raise signed_and_damaged()
    try:
        with pikepdf.open(BytesIO(_ended(document)), suppress_warnings=True, inherit_page_attributes=False) as pdf:
            if pdf.is_encrypted:
                raise DocumentEncrypted
            pages = _pages(pdf)
            _look_through(pdf, arguments.objects)
            _read_contents(pdf, document[:])
            pdf.trailer.Size = len(pdf.objects)  # qpdf writes the right one, but only where there was one
            pdf.save(
                output,
                fix_metadata_version=False,
                stream_decode_level=pikepdf.StreamDecodeLevel.none,
                object_stream_mode=pikepdf.ObjectStreamMode.preserve,
                deterministic_id=True,
            )
            return Repair(pages=pages)
    except pikepdf.PasswordError as error:
        raise DocumentEncrypted from error
    except (
        pikepdf.PdfError,
        PdfStructureError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as error:
        raise DocumentDamaged(_BEYOND_REPAIR, cause=complaint(error)) from error


def _ended(document: Content) -> bytes:
    """The document, with an end if it has none: without `startxref` qpdf does not look for cross-reference streams."""
    return document[:] if b"startxref" in document[-_END_WITHIN:] else document[:] + b"\nstartxref\n0\n%%EOF\n"


def signed_and_damaged() -> DocumentDamaged:
    """What is told of a damaged document that is signed, or was."""
    return DocumentDamaged("The document is damaged, and a repair would break the signature in it", signed=True)


@contextmanager
def still_damaged() -> Iterator[None]:
    """Say of a repaired document that is refused for damage all the same that the repair was tried."""
    try:
        yield
    except DocumentDamaged as damage:
        raise DocumentDamaged(_BEYOND_REPAIR, **damage.details) from damage


def _pages(pdf: pikepdf.Pdf) -> int:
    """How many pages were found; PdfStructureError when the document counts others (ISO 32000-2, 7.7.3.2)."""
    found, root = len(pdf.pages), pdf.Root.get("/Pages")
    counted = root.get("/Count") if is_mapping(root) else None
    if not isinstance(counted, int) or counted != found:
        raise PdfStructureError(f"{found} of its pages were found, and it does not count as many")
    return found


def _look_through(pdf: pikepdf.Pdf, limit: int) -> None:
    """Every object that was found, compressed ones too."""
    objects = pdf.objects
    if len(objects) > limit:
        raise DocumentOverLimit(f"The document has more than {limit} objects", what="objects", limit=limit)
    for one in objects:
        if not isinstance(one, pikepdf.Object):
            continue
        if isinstance(one, pikepdf.Stream) and not all(_names_filters(one)):
            raise PdfStructureError("the filter of a stream has no name")
        written = one.stream_dict if isinstance(one, pikepdf.Stream) else one
        if _TRACES.search(written.unparse(resolved=True)):
            raise signed_and_damaged()
    if any(kind == "/Sig" and "/V" in node for _, node, kind in fields(pdf)):
        raise signed_and_damaged()


def _read_contents(pdf: pikepdf.Pdf, document: bytes) -> None:
    """The content streams of every page (ISO 32000-2, 7.7.3.3), to their ends."""
    before = [str(one) for one in pdf.get_warnings()]  # which forgets them
    table = pdf.get_xref_table()
    read: set[tuple[int, int]] = set()
    for number, page in enumerate(pdf.pages, 1):
        contents = page.obj.get("/Contents")
        if contents is None and _is_blank(page.obj.objgen, table, document):
            continue
        for one in contents if isinstance(contents, pikepdf.Array) else [contents]:
            if not isinstance(one, pikepdf.Stream):
                raise PdfStructureError(f"content of page {number} was not found")
            if one.objgen not in read:
                read.add(one.objgen)
                one.read_bytes()
    if pdf.get_warnings() or any("treating stream as empty" in one for one in before):
        raise PdfStructureError("content of a page was not found to its end")


def _is_blank(page: tuple[int, int], table: Mapping[tuple[int, int], Any], document: bytes) -> bool:
    """Whether a page has no content by what stands in the file: qpdf leaves out references to lost objects (7.3.10)."""
    entry = table.get(page)
    if entry is None or entry.type != 1:
        return False  # compressed: it cannot be told
    start = entry.offset + header_offset(document)
    written = document[start : document.find(b"endobj", start)]
    return re.match(rb"%d\s+%d\s+obj" % page, written) is not None and b"/Contents" not in written


def _names_filters(stream: pikepdf.Stream) -> Iterator[bool]:
    """Whether each filter has a name (ISO 32000-2, table 5): what a stream without holds is anybody's guess."""
    filters = stream.stream_dict.get("/Filter")
    for one in filters if isinstance(filters, pikepdf.Array) else [filters]:
        yield one is None or isinstance(one, pikepdf.Name)
