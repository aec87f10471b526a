"""用印意向 in a sealed document: which log entries its seals say stand before them; nothing is verified here."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.formats.cms import INTENT_LEAF_HASH_OID
from seal_service.formats.cms_reading import ContentKind, octets_attribute, read_contents, signed_data
from seal_service.formats.pdf_signatures import ReadingLimits, SignatureField, read_signed_pdf
from seal_service.ports.documents import Content

_HASH_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedIntent:
    """A signature field and the leaf hash in its signed bytes."""

    field: str
    leaf_hash: bytes
    """32 bytes."""


def named_intents(content: Content) -> tuple[NamedIntent, ...]:
    """What the seals on a PDF name, the first applied first; raises as `read_signed_pdf`."""
    signed = sorted(read_signed_pdf(content, ReadingLimits()).fields, key=_end)
    found = ((one.name, _leaf_hash(one.contents or b"")) for one in signed)
    return tuple(NamedIntent(field=name, leaf_hash=value) for name, value in found if value is not None)


def _end(field: SignatureField) -> int:
    """Where the bytes end that a signature covers: those of a later one end later."""
    return sum(field.byte_range[2:4]) if field.byte_range else 0


def _leaf_hash(contents: bytes) -> bytes | None:
    try:
        read = read_contents(contents)
        if read.kind is not ContentKind.CMS:
            return None
        attributes = signed_data(read.value)["signer_infos"][0]["signed_attrs"]
    except (ValueError, TypeError, KeyError):
        return None
    value = octets_attribute(attributes, INTENT_LEAF_HASH_OID, _HASH_BYTES)
    return None if value is None else bytes.fromhex(value)
