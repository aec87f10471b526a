"""读取: the facts that decide on a document's admission, and the page that is to be sealed.

Two parsers with limits: pyHanko first, because it bounds what compressed objects may grow to and because the update is
written with it; then qpdf, which reads what pyHanko's lenient mode would guess at and repairs nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import (
    DEFAULT_PURPOSE_LIMITS,
    DecodeLimits,
    DecodePurpose,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.misc import PdfDecodeLimitError
from pyhanko.pdf_utils.reader import PdfFileReader

from seal_service.domain.content import ContentKind
from seal_service.domain.errors import (
    DocumentDamaged,
    DocumentEncrypted,
    DocumentOverLimit,
    DocumentUnsupported,
    InvalidPlacement,
    SealServiceError,
)
from seal_service.formats.pdf import (
    PdfStructureError,
    ShownPage,
    fields,
    header_offset,
    is_mapping,
    open_pdf,
    shown_page,
)
from seal_service.sealing.active_content import hides_layers, kinds_in
from seal_service.sealing.admission import DocumentFacts, DocumentLimits
from seal_service.sealing.counted_values import CountedValues

_BYTES_OF_AN_XREF_ENTRY = 20
_HARMLESS = ("xref entry for the xref stream itself is missing", "Resources is missing or invalid; repairing")
"""Warnings of qpdf about what every reader takes alike: nothing refers to a cross-reference stream by its number, and
a page whose content needs no resources may be without."""
_NAME_OF_THE_STREAM = re.compile(r"stream <[^>]*>[,:]? ?")
_BYTES_OF_AN_OBJECT = 512
"""What an object in an object stream may take on average."""
_VALUES_OF_AN_OBJECT = 2
"""How many values may be read for each object that is allowed. Only objects that may be active are read into: the real
documents of the tests take fewer than 200 values each, and a million take some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToSeal:
    """The page that a placement names."""

    number: int
    """From 1."""
    object_id: tuple[int, int]
    """Object and generation number."""
    shown: ShownPage


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """A document that was read: its facts, the page asked for, and pyHanko's reader to write the update with."""

    facts: DocumentFacts
    page: PageToSeal
    field_names: frozenset[str]
    reader: PdfFileReader


def read_document(content: bytes, page: int, limits: DocumentLimits) -> ReadDocument:
    """Facts of a document and its page (from 1; −1: the last).

    Raises DocumentUnsupported, DocumentEncrypted, DocumentDamaged, DocumentOverLimit, InvalidPlacement.
    """
    if len(content) > limits.bytes:
        raise DocumentOverLimit(f"The document has more than {limits.bytes} bytes", what="bytes", limit=limits.bytes)
    offset = header_offset(content)
    if offset < 0:
        raise DocumentUnsupported
    if offset > 0:
        raise DocumentDamaged("There are bytes before the PDF header", cause="bytes_before_header")
    with damage_reported():
        reader = PdfFileReader(BytesIO(content), strict=False, decode_limits=_decode_limits(limits))
        if "/Encrypt" in reader.trailer:
            raise DocumentEncrypted
        objects = _count_objects(reader, limits)
        with open_pdf(content) as pdf:
            facts = _facts(pdf, len(content), objects, CountedValues(limits.objects * _VALUES_OF_AN_OBJECT))
            if facts.pages > limits.pages:
                raise DocumentOverLimit(
                    f"The document has more than {limits.pages} pages", what="pages", limit=limits.pages
                )
            return ReadDocument(
                facts=facts,
                page=_page(pdf, reader, page),
                field_names=frozenset(name for name, _, _ in fields(pdf)),
                reader=reader,
            )


@contextmanager
def damage_reported() -> Iterator[None]:
    """Turn whatever a parser raises on an untrusted document into DocumentDamaged or DocumentOverLimit.

    pyHanko raises its own errors, and with crafted files nearly every built-in one too.
    """
    try:
        yield
    except SealServiceError:
        raise
    except PdfDecodeLimitError as error:
        raise DocumentOverLimit("The document's compressed parts grow too large", what="compressed") from error
    except pikepdf.PasswordError as error:
        raise DocumentEncrypted from error
    except Exception as error:
        cause = _NAME_OF_THE_STREAM.sub("", f"{type(error).__name__}: {error}")
        raise DocumentDamaged(cause=cause[-200:]) from error


def _decode_limits(limits: DocumentLimits) -> DecodeLimits:
    compressed_objects = limits.objects * _BYTES_OF_AN_OBJECT
    return DecodeLimits(
        per_purpose={
            **DEFAULT_PURPOSE_LIMITS,
            DecodePurpose.XREF_STREAM: StreamDecodeLimits(max_output_size=limits.objects * _BYTES_OF_AN_XREF_ENTRY),
        },
        document_budget=DocumentDecodeBudget(base_allowance=compressed_objects, max_ratio=0),
    )


def _count_objects(reader: PdfFileReader, limits: DocumentLimits) -> int:
    """The highest object number in use, after every object stream was decoded once under the limits."""
    size = int(reader.trailer["/Size"])
    highest, streams = 0, set()
    for revision in range(reader.xrefs.total_revisions):
        section = reader.xrefs.get_xref_data(revision)
        own = reader.xrefs.get_xref_container_info(revision).stream_ref
        highest = max(highest, own.idnum if own is not None else 0)
        for data in (section, section.hybrid.xref_data if section.hybrid is not None else None):
            if data is not None:
                highest = max([highest, *(number for number, _ in data.explicit_refs_in_revision)])
                streams.update(data.obj_streams_used)
    if max(size - 1, highest) > limits.objects:
        raise DocumentOverLimit(
            f"The document has more than {limits.objects} objects", what="objects", limit=limits.objects
        )
    if highest >= size:
        raise DocumentDamaged("The trailer's /Size is too small: new objects would replace others", cause="size")
    for number in streams:
        stream = reader.get_object(generic.Reference(number, 0, reader))
        stream.read_data(DecodePurpose.OBJECT_STREAM)
    return highest


def _facts(pdf: pikepdf.Pdf, size: int, objects: int, values: CountedValues) -> DocumentFacts:
    active: set[ContentKind] = set()
    for indirect in pdf.objects:
        if isinstance(indirect, pikepdf.Object):
            active |= kinds_in(indirect, values)
    if hides_layers(pdf, values):
        active.add(ContentKind.HIDDEN_LAYERS)
    pages = len(pdf.pages)
    damage = [one for one in map(str, pdf.get_warnings()) if not any(harmless in one for harmless in _HARMLESS)]
    if damage:
        raise DocumentDamaged(cause=_NAME_OF_THE_STREAM.sub("", damage[0])[-200:])
    form = pdf.Root.get("/AcroForm")
    return DocumentFacts(
        bytes=size,
        pages=pages,
        objects=objects,
        encrypted=pdf.is_encrypted,
        xfa=is_mapping(form) and "/XFA" in form,
        locked=_locked(pdf, values),
        active=frozenset(active),
    )


def _page(pdf: pikepdf.Pdf, reader: PdfFileReader, number: int) -> PageToSeal:
    count = len(pdf.pages)
    if count == 0:
        raise DocumentDamaged("The document has no pages", cause="no_pages")
    wanted = count if number == -1 else number
    if wanted > count:
        raise InvalidPlacement(f"The document has {count} pages; there is no page {number}", field="page", pages=count)
    page = pdf.pages[wanted - 1].obj
    object_id = page.objgen
    if object_id[0] == 0 or reader.xrefs[generic.Reference(*object_id, reader)] is None:
        raise PdfStructureError("the page is not an indirect object of its own")
    return PageToSeal(number=wanted, object_id=object_id, shown=shown_page(page))


def _locked(pdf: pikepdf.Pdf, values: CountedValues) -> bool:
    """Whether an existing signature permits no further field (ISO 32000-2, 12.8.2.2, 12.8.2.4 and 12.7.5.5)."""
    signed = [node for _, node, field_type in fields(pdf) if field_type == "/Sig" and is_mapping(node.get("/V"))]
    signatures: list[object] = [node.get("/V") for node in signed]
    permissions = pdf.Root.get("/Perms")
    if is_mapping(permissions):
        signatures.append(permissions.get("/DocMDP"))
    locks = [node.get("/Lock") for node in signed]
    transforms = [one for signature in signatures if is_mapping(signature) for one in _transforms(signature, values)]
    return any(_forbids_fields(lock) for lock in [*locks, *transforms])


def _transforms(signature: pikepdf.Object, values: CountedValues) -> Iterator[object]:
    """The parameters of the DocMDP and FieldMDP transforms of a signature dictionary."""
    for reference in values.items(signature.get("/Reference")):
        if is_mapping(reference) and str(reference.get("/TransformMethod")) in ("/DocMDP", "/FieldMDP"):
            yield reference.get("/TransformParams")


def _forbids_fields(parameters: object) -> bool:
    """A permission of 1, or every field locked, whether all of them or all but some (never ours)."""
    if not is_mapping(parameters):
        return False
    permission = parameters.get("/P")
    action = str(parameters.get("/Action"))
    return permission == 1 or action in ("/All", "/Exclude")
