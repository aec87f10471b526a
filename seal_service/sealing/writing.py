"""写入: what reading processes do for the sealer: read a document and write the revisions of a seal, without any key.

Each function reads one document and answers with bytes to append (ports.isolation).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.content import ContentKind
from seal_service.domain.placement import Placement
from seal_service.formats.pdf import fields, open_pdf
from seal_service.formats.pdf_update import Identity, PdfUpdate
from seal_service.ports.documents import Content
from seal_service.sealing.admission import DocumentLimits, admit
from seal_service.sealing.appearance import InkPicture, add_appearance
from seal_service.sealing.facts import damage_reported, read_document
from seal_service.sealing.placement import place
from seal_service.sealing.revision import OpenRevision, seal_dictionary, signature_dictionary, write_signature
from seal_service.sealing.security_store import add_to_store


@dataclass(frozen=True, slots=True, kw_only=True)
class SealToWrite:
    """What is asked for, and what it looks like."""

    placement: Placement
    width_mm: float
    height_mm: float
    picture: InkPicture
    at: datetime
    unit_name: str
    reason: str
    field_name: str
    """The one wanted; numbered where the document has it already."""
    room: int
    """Bytes of DER that the signature must have room for."""
    limits: DocumentLimits
    permitted_content: frozenset[ContentKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSeal:
    """The revision with a gap for the signature, and where the seal stands."""

    revision: OpenRevision
    page: int
    page_id: Identity
    box_um: tuple[int, int, int, int]
    field_name: str


def write_seal(document: Content, arguments: SealToWrite) -> WrittenSeal:
    """Admit the document, place the impression, write the revision. Raises a DocumentRefused, InvalidPlacement."""
    with damage_reported(), read_document(document, arguments.placement.page, arguments.limits) as read:
        admit(read.facts, arguments.limits, arguments.permitted_content)
        placed = place(read.page.shown, arguments.placement, arguments.width_mm, arguments.height_mm)
        field_name = _free(arguments.field_name, read.field_names)
        update = PdfUpdate(read.pdf, document)
        revision = write_signature(
            read.pdf,
            update,
            field_name,
            read.page.object_id,
            placed.rectangle,
            add_appearance(read.pdf, update, arguments.picture, placed),
            seal_dictionary(arguments.at, arguments.unit_name, arguments.reason),
            arguments.room,
            len(document),
        )
        return WrittenSeal(
            revision=revision,
            page=read.page.number,
            page_id=read.page.object_id,
            box_um=placed.box_um,
            field_name=field_name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportToSign:
    """A signature that nobody sees, over a report of our own."""

    at: datetime
    signer_name: str
    reason: str
    field_name: str
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSignature:
    """The revision with a gap for the signature, and the page that its field is on."""

    revision: OpenRevision
    page_id: Identity


def write_report_signature(document: Content, arguments: ReportToSign) -> WrittenSignature:
    """The revision of a signature without appearance, on the first page."""
    with damage_reported(), open_pdf(document) as pdf:
        page = pdf.pages[0].obj.objgen
        revision = write_signature(
            pdf,
            PdfUpdate(pdf, document),
            arguments.field_name,
            page,
            (0, 0, 0, 0),
            None,
            seal_dictionary(arguments.at, arguments.signer_name, arguments.reason),
            arguments.room,
            len(document),
        )
        return WrittenSignature(revision=revision, page_id=page)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreToWrite:
    """Validation data for the security store, DER."""

    appended: bytes
    """What was appended to the document so far."""
    certificates: tuple[bytes, ...]
    ocsp_responses: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    contents: bytes
    """/Contents of the signature that they are for."""


def write_store(document: Content, arguments: StoreToWrite) -> bytes:
    """The revision with the validation data."""
    with damage_reported(), open_pdf(document, arguments.appended) as pdf:
        update = PdfUpdate(pdf, document, arguments.appended)
        add_to_store(pdf, update, arguments.certificates, arguments.ocsp_responses, arguments.crls, arguments.contents)
        return bytes(update.write().appended)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToWrite:
    """A document time-stamp that is to come."""

    appended: bytes
    field_name: str
    page: Identity
    room: int


def write_timestamp(document: Content, arguments: TimestampToWrite) -> OpenRevision:
    """The revision of a document time-stamp (EN 319 142-1, 5.4.3), with a gap for the token."""
    with damage_reported(), open_pdf(document, arguments.appended) as pdf:
        return write_signature(
            pdf,
            PdfUpdate(pdf, document, arguments.appended),
            _free(arguments.field_name, frozenset(name for name, _, _ in fields(pdf))),
            arguments.page,
            (0, 0, 0, 0),
            None,
            signature_dictionary("/ETSI.RFC3161", "/DocTimeStamp"),
            arguments.room,
            len(document) + len(arguments.appended),
        )


def _free(name: str, taken: frozenset[str]) -> str:
    numbered = (f"{name}-{count}" for count in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)
