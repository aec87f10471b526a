"""文档安全存储 (DSS): validation data kept in the document itself (ISO 32000-2, 12.8.4.3; EN 319 142-1, 5.4.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from seal_service.sealing.revision import resolved
from seal_service.sealing.validation_data import ValidationData


def vri_key(contents: bytes) -> str:
    """The name of a signature's entry in /VRI: SHA-1 of its /Contents, padding included, in upper-case hex."""
    return hashlib.sha1(contents, usedforsecurity=False).hexdigest().upper()


def add_to_store(writer: IncrementalPdfFileWriter, data: ValidationData, contents: bytes) -> None:
    """Add validation data to the document's store, a new one if there is none, with an entry for one signature.

    What another seal put there stays, with its references.
    """
    store = _dictionary(writer, writer.root, "/DSS")
    entry = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/VRI")})
    for values, in_store, in_entry in (
        (data.certificates, "/Certs", "/Cert"),
        (data.ocsp_responses, "/OCSPs", "/OCSP"),
        (data.crls, "/CRLs", "/CRL"),
    ):
        if values:
            references = _add(writer, store, in_store, values)
            entry[pdf_name(in_entry)] = generic.ArrayObject(references)
    related = _dictionary(writer, store, "/VRI")
    related[pdf_name(f"/{vri_key(contents)}")] = writer.add_object(entry)
    writer.update_container(related)


def _dictionary(
    writer: IncrementalPdfFileWriter, parent: generic.DictionaryObject, key: str
) -> generic.DictionaryObject:
    found = resolved(parent, key)
    if isinstance(found, generic.DictionaryObject):
        return found
    made = generic.DictionaryObject()
    parent[pdf_name(key)] = writer.add_object(made)
    if parent is writer.root:
        writer.update_root()
    else:
        writer.update_container(parent)
    return made


def _add(
    writer: IncrementalPdfFileWriter, store: generic.DictionaryObject, key: str, values: Iterable[bytes]
) -> list[generic.IndirectObject]:
    """References to the values as streams, those that are there already used again."""
    array = resolved(store, key)
    if not isinstance(array, generic.ArrayObject):
        array = generic.ArrayObject()
        store[pdf_name(key)] = array
    present = {
        stream.data: reference
        for reference, stream in ((one, one.get_object()) for one in array if isinstance(one, generic.IndirectObject))
        if isinstance(stream, generic.StreamObject)
    }
    references = []
    for value in values:
        reference = present.get(value)
        if reference is None:
            stream = generic.StreamObject(stream_data=value)
            stream.compress()
            reference = writer.add_object(stream)
            array.append(reference)
        references.append(reference)
    writer.update_container(array)
    writer.update_container(store)
    return references
