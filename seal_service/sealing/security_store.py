"""文档安全存储 (DSS): validation data kept in the document itself (ISO 32000-2, 12.8.4.3; EN 319 142-1, 5.4.2)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence

import pikepdf

from seal_service.formats.pdf_update import PdfUpdate, array, dictionary, entries_of, items_of, reference, stream

_MOST_VALUES = 1000
"""Of the document's store that are compared with new ones; the rest stays, and may stand there twice."""


def vri_key(contents: bytes) -> str:
    """The name of a signature's entry in /VRI: SHA-1 of its /Contents, padding included, in upper-case hex."""
    return hashlib.sha1(contents, usedforsecurity=False).hexdigest().upper()


def add_to_store(
    pdf: pikepdf.Pdf,
    update: PdfUpdate,
    certificates: Sequence[bytes],
    ocsp_responses: Sequence[bytes],
    crls: Sequence[bytes],
    contents: bytes,
) -> None:
    """Add validation data to the document's store, a new one if there is none, with an entry for one signature.

    What another seal put there stays, with its references.
    """
    store = pdf.Root.get("/DSS")
    entries = entries_of(store)
    entry = {"/Type": b"/VRI"}
    for values, in_store, in_entry in (
        (certificates, "/Certs", "/Cert"),
        (ocsp_responses, "/OCSPs", "/OCSP"),
        (crls, "/CRLs", "/CRL"),
    ):
        if values:
            held = store.get(in_store) if isinstance(store, pikepdf.Dictionary) else None
            references, new = _references(update, held, values)
            entries[in_store] = array([*items_of(held), *new])
            entry[in_entry] = array(references)
    related = store.get("/VRI") if isinstance(store, pikepdf.Dictionary) else None
    entries["/VRI"] = dictionary(
        entries_of(related) | {f"/{vri_key(contents)}": reference(update.add(dictionary(entry)))}
    )
    if isinstance(store, pikepdf.Dictionary) and store.is_indirect:
        update.set(store.objgen, dictionary(entries))
    else:
        catalog = entries_of(pdf.Root) | {"/DSS": reference(update.add(dictionary(entries)))}
        update.set(pdf.Root.objgen, dictionary(catalog))


def _references(update: PdfUpdate, held: object, values: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """References to the values, those that are there already used again; and the new ones among them."""
    present: dict[bytes, bytes] = {}
    if isinstance(held, pikepdf.Array):
        for one in list(held)[:_MOST_VALUES]:
            if isinstance(one, pikepdf.Stream):
                present[one.read_bytes()] = reference(one.objgen)
    references, new = [], []
    for value in values:
        found = present.get(value)
        if found is None:
            found = reference(update.add(stream({"/Filter": b"/FlateDecode"}, zlib.compress(value))))
            new.append(found)
        references.append(found)
    return references, new
