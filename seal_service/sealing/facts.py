"""读取: the facts that decide on a document's admission, and the page that is to be sealed.

With qpdf, which repairs nothing here. Only what decides is read: objects are looked into where the bytes of the file
say that there may be something, so that the cost does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pikepdf

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
    complaint,
    fields,
    header_offset,
    is_mapping,
    open_pdf,
    shown_page,
)
from seal_service.ports.documents import Content
from seal_service.sealing.active_content import hides_layers, kinds_in
from seal_service.sealing.admission import DocumentFacts, DocumentLimits
from seal_service.sealing.counted_values import CountedValues
from seal_service.sealing.suspects import Suspects

_HARMLESS = ("xref entry for the xref stream itself is missing", "Resources is missing or invalid; repairing")
"""Warnings of qpdf about what every reader takes alike: nothing refers to a cross-reference stream by its number, and
a page whose content needs no resources may be without."""
_HEADER_WITHIN = 1024
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
    """A document that was read: its facts, the page asked for, and the document itself, as long as it is open."""

    facts: DocumentFacts
    page: PageToSeal
    field_names: frozenset[str]
    pdf: pikepdf.Pdf


@contextmanager
def read_document(content: Content, page: int, limits: DocumentLimits) -> Iterator[ReadDocument]:
    """Facts of a document and its page (from 1; −1: the last), open while it is used.

    Raises DocumentUnsupported, DocumentEncrypted, DocumentDamaged, DocumentOverLimit, InvalidPlacement.
    """
    if len(content) > limits.bytes:
        raise DocumentOverLimit(f"The document has more than {limits.bytes} bytes", what="bytes", limit=limits.bytes)
    offset = header_offset(content[:_HEADER_WITHIN])
    if offset < 0:
        raise DocumentUnsupported
    if offset > 0:
        raise DocumentDamaged("There are bytes before the PDF header", cause="bytes_before_header")
    with damage_reported(), open_pdf(content) as pdf:
        if "/Encrypt" in pdf.trailer:
            raise DocumentEncrypted
        facts = _facts(pdf, content, limits)
        if facts.pages > limits.pages:
            raise DocumentOverLimit(
                f"The document has more than {limits.pages} pages", what="pages", limit=limits.pages
            )
        yield ReadDocument(
            facts=facts,
            page=_page(pdf, page),
            field_names=frozenset(name for name, _, _ in fields(pdf)),
            pdf=pdf,
        )


@contextmanager
def damage_reported() -> Iterator[None]:
    """Turn whatever a parser raises on an untrusted document into DocumentDamaged or DocumentOverLimit.

    With crafted files that is nearly every built-in one.
    """
    try:
        yield
    except SealServiceError:
        raise
    except MemoryError:
        raise
    except pikepdf.PasswordError as error:
        raise DocumentEncrypted from error
    except Exception as error:
        raise DocumentDamaged(cause=complaint(f"{type(error).__name__}: {error}")) from error


def _facts(pdf: pikepdf.Pdf, content: Content, limits: DocumentLimits) -> DocumentFacts:
    table = pdf.get_xref_table()
    size, highest = int(pdf.trailer["/Size"]), max((number for number, _ in table), default=0)
    if max(size - 1, highest) > limits.objects:
        raise DocumentOverLimit(
            f"The document has more than {limits.objects} objects", what="objects", limit=limits.objects
        )
    if highest >= size:
        raise DocumentDamaged("The trailer's /Size is too small: new objects would replace others", cause="size")
    values = CountedValues(limits.objects * _VALUES_OF_AN_OBJECT)
    active: set[ContentKind] = set()
    for identity in Suspects(pdf, content, table, limits.objects * _BYTES_OF_AN_OBJECT).identities():
        suspect = pdf.get_object(identity)
        if isinstance(suspect, pikepdf.Object):
            active |= kinds_in(suspect, values)
    if hides_layers(pdf, values):
        active.add(ContentKind.HIDDEN_LAYERS)
    pages = len(pdf.pages)
    damage = [one for one in map(str, pdf.get_warnings()) if not any(harmless in one for harmless in _HARMLESS)]
    if damage:
        raise DocumentDamaged(cause=complaint(damage[0]))
    form = pdf.Root.get("/AcroForm")
    return DocumentFacts(
        bytes=len(content),
        pages=pages,
        objects=highest,
        encrypted=pdf.is_encrypted,
        xfa=is_mapping(form) and "/XFA" in form,
        locked=_locked(pdf, values),
        active=frozenset(active),
    )


def _page(pdf: pikepdf.Pdf, number: int) -> PageToSeal:
    count = len(pdf.pages)
    if count == 0:
        raise DocumentDamaged("The document has no pages", cause="no_pages")
    wanted = count if number == -1 else number
    if wanted > count:
        raise InvalidPlacement(f"The document has {count} pages; there is no page {number}", field="page", pages=count)
    page = pdf.pages[wanted - 1].obj
    if page.objgen[0] == 0:
        raise PdfStructureError("the page is not an indirect object of its own")
    return PageToSeal(number=wanted, object_id=page.objgen, shown=shown_page(page))


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
