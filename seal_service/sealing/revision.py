"""签名修订: a signature field with its dictionary, as an incremental update with a gap for the signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pikepdf

from seal_service.formats.pdf_update import (
    Identity,
    PdfUpdate,
    array,
    dictionary,
    entries_of,
    items_of,
    name,
    number,
    octets,
    reference,
    text,
)

_BYTE_RANGE_WIDTH = 48
_PRINT_AND_LOCKED = b"132"
"""Annotation flags 3 and 8 (ISO 32000-2, table 167)."""
_APPEND_ONLY = b"3"
"""SignaturesExist and AppendOnly (table 225)."""
_PADES = {"/BaseVersion": b"/1.7", "/ExtensionLevel": b"1"}
"""Says, before PDF 2.0, that the document uses PAdES (ETSI TS 102 778-4, 4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRevision:
    """待签修订: an appended revision with a gap for /Contents."""

    base: int
    """Length of what it is appended to."""
    appended: bytes
    gap: tuple[int, int]
    """Where `<…>` lies in the whole file: from its first to after its last character."""

    @property
    def room(self) -> int:
        """Bytes of DER that fit."""
        return (self.gap[1] - self.gap[0] - 2) // 2

    @property
    def covered(self) -> tuple[bytes, bytes]:
        """The appended bytes that are signed (ISO 32000-2, 12.8.1): before the gap and after it."""
        return self.appended[: self.gap[0] - self.base], self.appended[self.gap[1] - self.base :]

    def filled(self, der: bytes) -> bytes:
        """The appended bytes with /Contents filled in, padded with zeros; `der` fits into `room`."""
        if len(der) > self.room:
            raise ValueError("the signature does not fit into the room reserved for it")
        before, after = self.covered
        return b"%s<%s>%s" % (before, der.hex().encode("ascii").ljust(2 * self.room, b"0"), after)


def signature_dictionary(sub_filter: str, kind: str = "/Sig") -> dict[str, bytes]:
    """签名字典 (ISO 32000-2, table 255), still without /Contents and /ByteRange."""
    return {"/Type": name(kind), "/Filter": b"/Adobe.PPKLite", "/SubFilter": name(sub_filter)}


def seal_dictionary(at: datetime, unit_name: str, reason: str) -> dict[str, bytes]:
    """签名字典 of a seal: PAdES (EN 319 142-1, 5.3), /M as claimed time, the unit and what was applied."""
    return {
        **signature_dictionary("/ETSI.CAdES.detached"),
        "/M": b"(D:%sZ)" % f"{at:%Y%m%d%H%M%S}".encode("ascii"),
        "/Name": text(unit_name),
        "/Reason": text(reason),
    }


def write_signature(
    pdf: pikepdf.Pdf,
    update: PdfUpdate,
    field_name: str,
    page: Identity,
    rectangle: tuple[float, float, float, float],
    appearance: Identity | None,
    signature: dict[str, bytes],
    room: int,
    base: int,
) -> OpenRevision:
    """A new signature field on a page, with its dictionary, written. `room`: bytes of DER that /Contents must take.

    What the document says of itself (information, metadata) stays as it is: it is not ours.
    """
    unfilled = dictionary({**signature, "/ByteRange": b" " * _BYTE_RANGE_WIDTH})[:-2] + b"/Contents "
    value = update.add(b"%s<%s>>>" % (unfilled, b"0" * (2 * room)))
    widget = {
        "/Type": b"/Annot",
        "/Subtype": b"/Widget",
        "/FT": b"/Sig",
        "/T": octets(field_name.encode("ascii")),
        "/F": _PRINT_AND_LOCKED,
        "/P": reference(page),
        "/Rect": array(number(side) for side in rectangle),
        "/V": reference(value),
    }
    if appearance is not None:
        widget["/AP"] = dictionary({"/N": reference(appearance)})
    field = update.add(dictionary(widget))
    _add_field(pdf, update, field)
    _add_annotation(pdf, update, page, field)
    written = update.write()
    start = written.starts[value] + len(unfilled)
    end = start + 2 * room + 2
    at = written.starts[value] + unfilled.rindex(b"/ByteRange ") + len(b"/ByteRange ") - base
    numbers = b"[0 %d %d %d]" % (start, end, base + len(written.appended) - end)
    written.appended[at : at + _BYTE_RANGE_WIDTH] = numbers.ljust(_BYTE_RANGE_WIDTH)
    return OpenRevision(base=base, appended=bytes(written.appended), gap=(start, end))


def _add_field(pdf: pikepdf.Pdf, update: PdfUpdate, field: Identity) -> None:
    """Into the form, a new one if there is none (ISO 32000-2, 12.7.3); the catalog only where it changes.

    NeedAppearances goes, as viewers that heed it do not draw signature fields.
    """
    root = pdf.Root
    form = root.get("/AcroForm")
    entries = entries_of(form)
    held = items_of(form.get("/Fields")) if isinstance(form, pikepdf.Dictionary) else []
    entries |= {"/Fields": array([*held, reference(field)]), "/SigFlags": _APPEND_ONLY}
    entries.pop("/NeedAppearances", None)
    catalog = entries_of(root)
    before = dict(catalog)
    if isinstance(form, pikepdf.Dictionary) and form.is_indirect:
        update.set(form.objgen, dictionary(entries))
    elif isinstance(form, pikepdf.Dictionary):
        catalog["/AcroForm"] = dictionary(entries)
    else:
        catalog["/AcroForm"] = reference(update.add(dictionary(entries)))
    if _version(pdf) < (2, 0):
        extensions = entries_of(root.get("/Extensions"))
        if "/ESIC" not in extensions:
            catalog["/Extensions"] = dictionary(extensions | {"/ESIC": dictionary(_PADES)})
    if catalog != before:
        update.set(root.objgen, dictionary(catalog))


def _version(pdf: pikepdf.Pdf) -> tuple[int, int]:
    """Of the header or of the catalog, whichever is later (7.2.2)."""
    stated = [pdf.pdf_version, str(pdf.Root.get("/Version", "/0.0"))[1:]]
    return max(tuple(int(part) for part in one.split(".")[:2]) for one in stated)  # type: ignore[return-value]


def _add_annotation(pdf: pikepdf.Pdf, update: PdfUpdate, page: Identity, annotation: Identity) -> None:
    """In a new array: the old one may be shared, as by the pages of a document."""
    shown = pdf.get_object(page)
    entries = entries_of(shown)
    entries["/Annots"] = array([*items_of(shown.get("/Annots")), reference(annotation)])
    update.set(page, dictionary(entries))
