"""查找: what a parser that did not write the document finds of our signatures in it (reading processes do this)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pikepdf

from seal_service.formats.pdf import fields, is_mapping, open_pdf
from seal_service.ports.documents import Content
from seal_service.sealing.facts import damage_reported


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldsToFind:
    """Signature fields by name, in the document and what was appended to it."""

    appended: bytes
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundField:
    """签名字段: what its dictionary says, and where it is shown."""

    sub_filter: str
    byte_range: tuple[int, ...]
    contents: bytes
    shown_on: tuple[int, ...]
    """Pages, from 1, whose annotations it is among."""
    stored_certificates: int
    """That the security store names for it."""
    stored_revocations: int


def find_fields(document: Content, arguments: FieldsToFind) -> tuple[FoundField | None, ...]:
    """Each field; None for a name that not exactly one signature field has. DocumentDamaged."""
    with damage_reported(), open_pdf(document, arguments.appended) as pdf:
        held = [(name, node) for name, node, kind in fields(pdf) if kind == "/Sig" and name in arguments.names]
        return tuple(
            _found(pdf, nodes[0]) if len(nodes := [node for one, node in held if one == name]) == 1 else None
            for name in arguments.names
        )


def _found(pdf: pikepdf.Pdf, node: pikepdf.Object) -> FoundField | None:
    dictionary = node.get("/V")
    if not is_mapping(dictionary):
        return None
    contents = bytes(dictionary["/Contents"])
    certificates, revocations = _stored(pdf, contents)
    return FoundField(
        sub_filter=str(dictionary.get("/SubFilter")),
        byte_range=tuple(int(number) for number in dictionary["/ByteRange"]),
        contents=contents,
        shown_on=tuple(_shown_on(pdf, node)),
        stored_certificates=certificates,
        stored_revocations=revocations,
    )


def _shown_on(pdf: pikepdf.Pdf, node: pikepdf.Object) -> list[int]:
    shared: dict[tuple[int, int], bool] = {}
    """Whether an array that pages may share holds it: each is read once, however many do."""
    shown_on: list[int] = []
    for number, page in enumerate(pdf.pages, 1):
        annotations = page.obj.get("/Annots")
        if not isinstance(annotations, pikepdf.Array):
            continue
        holds = shared.get(annotations.objgen)
        if holds is None:
            holds = any(isinstance(one, pikepdf.Object) and one.objgen == node.objgen for one in annotations)
            if annotations.is_indirect:
                shared[annotations.objgen] = holds
        if holds:
            shown_on.append(number)
    return shown_on


def _stored(pdf: pikepdf.Pdf, contents: bytes) -> tuple[int, int]:
    """Certificates and revocation data in the store's entry for a signature (EN 319 142-1, 5.4.2.3)."""
    key = hashlib.sha1(contents, usedforsecurity=False).hexdigest().upper()
    store = pdf.Root.get("/DSS")
    related = store.get("/VRI") if is_mapping(store) else None
    entry = related.get(f"/{key}") if is_mapping(related) else None
    if not is_mapping(entry):
        return 0, 0
    return len(entry.get("/Cert", ())), len(entry.get("/OCSP", ())) + len(entry.get("/CRL", ()))
