"""增量修订: one incremental update to a document (ISO 32000-2, 7.5.6), as the bytes that are appended to it.

pyHanko keeps the book of objects and cross-references, in the form the document uses. Its embedder for signatures is
not used: it finds pages by number and hashes the whole file, where here the page is named by its object and the hash
of what is already there is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.extensions import DeveloperExtension
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader

from seal_service.ports.documents import HashState

_BYTE_RANGE_WIDTH = 48
_PRINT_AND_LOCKED = 132
"""Annotation flags 3 and 8 (ISO 32000-2, table 167)."""
_APPEND_ONLY = 3
"""SignaturesExist and AppendOnly (table 225)."""
_PADES = DeveloperExtension(
    prefix_name=pdf_name("/ESIC"), base_version=pdf_name("/1.7"), extension_level=1, compare_by_level=True
)
"""Says, before PDF 2.0, that the document uses PAdES (ETSI TS 102 778-4, 4.1)."""


class _Tail(BytesIO):
    """The appended bytes alone, at the positions they will have in the file."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self._base = base

    def tell(self) -> int:
        return self._base + super().tell()


class _Reserved(generic.PdfObject):
    """Bytes to be filled in after writing, and where they came to lie."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content
        self.start = -1

    def write_to_stream(self, stream: _Tail, handler: object = None, container_ref: object = None) -> None:
        """Note the position and write the bytes."""
        del handler, container_ref
        self.start = stream.tell()
        stream.write(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSignature:
    """待签修订: an appended revision with a gap for /Contents, and the digest of everything but the gap."""

    base: int
    """Length of what it is appended to."""
    appended: bytes
    gap: tuple[int, int]
    """Where `<…>` lies in the whole file: from its first to after its last character."""
    digest: bytes
    """SHA-256 over the byte range (ISO 32000-2, 12.8.1)."""

    @property
    def room(self) -> int:
        """Bytes of DER that fit."""
        return (self.gap[1] - self.gap[0] - 2) // 2

    def filled(self, der: bytes) -> bytes:
        """The appended bytes with /Contents filled in, padded with zeros; `der` fits into `room`."""
        if len(der) > self.room:
            raise ValueError("the signature does not fit into the room reserved for it")
        start, end = self.gap[0] - self.base, self.gap[1] - self.base
        contents = der.hex().encode("ascii").ljust(end - start - 2, b"0")
        return self.appended[: start + 1] + contents + self.appended[end - 1 :]


class Revision:
    """One update under way; used once, by one thread."""

    def __init__(self, content: bytes, reader: PdfFileReader | None = None) -> None:
        """Take the whole document so far, and a reader of it if there is one."""
        self._content = content
        reader = reader or PdfFileReader(BytesIO(content), strict=False)
        self.writer = IncrementalPdfFileWriter(reader.stream, prev=reader)

    def add_signature(
        self,
        field_name: str,
        page: tuple[int, int],
        rectangle: tuple[float, float, float, float],
        appearance: generic.IndirectObject | None,
        dictionary: generic.DictionaryObject,
        room: int,
    ) -> Callable[[HashState], OpenSignature]:
        """A new signature field on a page, with its dictionary; the answer writes the revision.

        `room` is the bytes of DER that /Contents must take; the function takes the hash state of the document so far.
        """
        if self.writer.output_version < (2, 0):
            self.writer.register_extension(_PADES)
            self.writer.update_root()
        contents, byte_range = _Reserved(b"<" + b"0" * (2 * room) + b">"), _Reserved(b" " * _BYTE_RANGE_WIDTH)
        dictionary[pdf_name("/Contents")] = contents
        dictionary[pdf_name("/ByteRange")] = byte_range
        page_reference = generic.Reference(*page, self.writer.prev)
        widget = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/Widget"),
                pdf_name("/FT"): pdf_name("/Sig"),
                pdf_name("/T"): generic.pdf_string(field_name),
                pdf_name("/F"): generic.NumberObject(_PRINT_AND_LOCKED),
                pdf_name("/P"): generic.IndirectObject(*page, self.writer.prev),
                pdf_name("/Rect"): generic.ArrayObject(generic.FloatObject(f"{side:.4f}") for side in rectangle),
                pdf_name("/V"): self.writer.add_object(dictionary),
            }
        )
        if appearance is not None:
            widget[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): appearance})
        field = self.writer.add_object(widget)
        self._add_field(field)
        self._add_annotation(page_reference, field)

        def write(state: HashState) -> OpenSignature:
            appended = bytearray(self.write())
            base = len(self._content)
            end = contents.start + len(contents.content)
            numbers = b"[0 %d %d %d]" % (contents.start, end, base + len(appended) - end)
            at = byte_range.start - base
            appended[at : at + _BYTE_RANGE_WIDTH] = numbers.ljust(_BYTE_RANGE_WIDTH)
            state.update(bytes(appended[: contents.start - base]))
            state.update(bytes(appended[end - base :]))
            return OpenSignature(base=base, appended=bytes(appended), gap=(contents.start, end), digest=state.digest())

        return write

    def write(self) -> bytes:
        """The bytes to append. Information dictionary and metadata stay as they are: they are not ours."""
        tail = _Tail(len(self._content))
        tail.write(b"\n")
        self.writer._write_updated_section(tail)
        return tail.getvalue()

    def _add_field(self, field: generic.IndirectObject) -> None:
        """Into the form, a new one if there is none (ISO 32000-2, 12.7.3).

        NeedAppearances goes, as viewers that heed it do not draw signature fields.
        """
        root = self.writer.root
        form = resolved(root, "/AcroForm")
        if not isinstance(form, generic.DictionaryObject):
            form = generic.DictionaryObject()
            root[pdf_name("/AcroForm")] = self.writer.add_object(form)
            self.writer.update_root()
        form[pdf_name("/Fields")] = _extended(form, "/Fields", field)
        form[pdf_name("/SigFlags")] = generic.NumberObject(_APPEND_ONLY)
        form.pop("/NeedAppearances", None)
        self.writer.update_container(form)

    def _add_annotation(self, page: generic.Reference, annotation: generic.IndirectObject) -> None:
        page_object = page.get_object()
        if not isinstance(page_object, generic.DictionaryObject):
            raise PdfReadError("the page is not a dictionary")
        page_object[pdf_name("/Annots")] = _extended(page_object, "/Annots", annotation)
        self.writer.mark_update(page)


def _extended(holder: generic.DictionaryObject, key: str, item: generic.IndirectObject) -> generic.ArrayObject:
    """A new array of what an entry held and the item: the old one may be shared, as by the pages of a document."""
    before = resolved(holder, key)
    return generic.ArrayObject([*(before if isinstance(before, generic.ArrayObject) else ()), item])


def resolved(dictionary: generic.DictionaryObject, key: str) -> generic.PdfObject | None:
    """The value of an entry, references followed; None without it."""
    return dictionary[key] if key in dictionary else None  # noqa: SIM401 - `get` does not follow references


def signature_dictionary(sub_filter: str, kind: str = "/Sig") -> generic.DictionaryObject:
    """签名字典 (ISO 32000-2, table 255), still without /Contents and /ByteRange."""
    return generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name(kind),
            pdf_name("/Filter"): pdf_name("/Adobe.PPKLite"),
            pdf_name("/SubFilter"): pdf_name(sub_filter),
        }
    )


def seal_dictionary(at: datetime, unit_name: str, reason: str) -> generic.DictionaryObject:
    """签名字典 of a seal: PAdES (EN 319 142-1, 5.3), /M as claimed time, the unit and what was applied."""
    dictionary = signature_dictionary("/ETSI.CAdES.detached")
    dictionary[pdf_name("/M")] = generic.pdf_date(at)
    dictionary[pdf_name("/Name")] = generic.pdf_string(unit_name)
    dictionary[pdf_name("/Reason")] = generic.pdf_string(reason)
    return dictionary
