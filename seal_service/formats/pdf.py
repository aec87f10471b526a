"""PDF 结构: what sealing and verification read of a document's structure (ISO 32000-2), with pikepdf, bounded.

Nothing here recurses into a document, and nothing decodes page content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_CUR, SEEK_END, SEEK_SET, BytesIO, RawIOBase
from typing import Any, BinaryIO, TypeGuard, cast

import pikepdf

from seal_service.formats.document_file import DocumentFile
from seal_service.ports.documents import Content, DocumentBytes

MM_PER_POINT = 25.4 / 72
"""Default user space has 72 units an inch (ISO 32000-2, 8.3.2.3); UserUnit multiplies them."""

_DEEPEST = 128
"""Of page and field trees; deeper ones exist only to exhaust readers."""
_MOST_FIELDS = 100_000
_SMALL = 1 << 18
"""Bytes that are read through Python's own buffers; larger files are left to qpdf to map, which reads them faster."""
_COPIED = 16 << 20
"""Bytes that are copied together with what was appended rather than read in pieces."""
_PATH = "/proc/self/fd/{}"
_FILE = re.compile(r"(?:stream <[^>]*>|/proc/self/fd/[0-9]+)[,:]? ?")

LARGEST_STREAM = 256 << 20
"""Bytes that one compressed stream of a document may grow to in qpdf."""


class PdfStructureError(ValueError):
    """The document's structure is not what ISO 32000-2 asks for."""


@dataclass(frozen=True, slots=True)
class ShownPage:
    """可见页面: the part of a page that is shown: its box in default user space, turned clockwise by `rotation`."""

    left: float
    bottom: float
    right: float
    top: float
    rotation: int = 0
    """0, 90, 180 or 270."""
    user_unit: float = 1.0

    @property
    def unit_mm(self) -> float:
        """One unit of user space in mm."""
        return self.user_unit * MM_PER_POINT

    @property
    def width_mm(self) -> float:
        """Width as shown."""
        return (self.top - self.bottom if self.rotation % 180 else self.right - self.left) * self.unit_mm

    @property
    def height_mm(self) -> float:
        """Height as shown."""
        return (self.right - self.left if self.rotation % 180 else self.top - self.bottom) * self.unit_mm


def open_pdf(content: Content, appended: bytes = b"") -> pikepdf.Pdf:
    """A document as its cross-references say, nothing repaired; pikepdf.PdfError when that cannot be done.

    `appended` is its end; it is not copied into one piece with a large one.
    """
    if len(content) <= _SMALL:
        return _opened(BytesIO(content[:] + appended))
    if isinstance(content, DocumentBytes) and not appended:
        return _opened(_PATH.format(content.file.fileno()))
    if len(content) > _COPIED:
        return _opened(cast(BinaryIO, _Joined(content, appended)))
    file = DocumentFile()
    file.write(memoryview(content))
    file.write(appended)
    return _opened(_PATH.format(file.descriptor))


def open_revision(content: Content, end: int) -> pikepdf.Pdf:
    """A document as it was when it ended at an offset; nothing is copied of a large one."""
    if end <= _SMALL:
        return _opened(BytesIO(content[:end]))
    return _opened(cast(BinaryIO, _Joined(memoryview(content)[:end], b"")))


def _opened(source: str | BinaryIO) -> pikepdf.Pdf:
    return pikepdf.open(source, attempt_recovery=False, suppress_warnings=True, inherit_page_attributes=False)


class _Joined(RawIOBase):
    """Two pieces read as one file."""

    def __init__(self, content: Content | memoryview, appended: bytes) -> None:
        self._content, self._appended = content, appended
        self._size = len(content) + len(appended)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        self._at = offset + {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        end = min(self._at + len(buffer), self._size)
        border = len(self._content)
        found = bytes(self._content[self._at : end]) if self._at < border else b""
        if end > border:
            found += self._appended[max(self._at - border, 0) : end - border]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


def complaint(told: object) -> str:
    """What qpdf says against a document, without the name it has for the file; MemoryError if it ran out of memory."""
    text = _FILE.sub("", str(told))
    if "std::bad_alloc" in text:
        raise MemoryError
    return text[-200:]


def bound_parsing() -> None:
    """Limit what a hostile PDF can make qpdf allocate; for the whole process, so it is set before any is read."""
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=LARGEST_STREAM,
        run_length_max_memory=LARGEST_STREAM,
        png_max_memory=LARGEST_STREAM,
        tiff_max_memory=LARGEST_STREAM,
        dct_max_memory=LARGEST_STREAM,
    )


def header_offset(content: bytes) -> int:
    """Where the PDF header begins; -1 without one in the first 1024 bytes (ISO 32000-2, 7.5.2, annex I)."""
    found = re.search(rb"%PDF-[12]\.[0-9]", content[:1024])
    return found.start() if found else -1


def is_mapping(value: object) -> TypeGuard[pikepdf.Object]:
    """Whether an object is a dictionary or a stream (whose dictionary is meant)."""
    return isinstance(value, pikepdf.Dictionary | pikepdf.Stream)


def inherited(page: pikepdf.Object, key: str) -> object:
    """A page attribute, from the nearest ancestor that has it (ISO 32000-2, 7.7.3.4), or None."""
    node: object = page
    for _ in range(_DEEPEST):
        if not is_mapping(node):
            return None
        value = node.get(key)
        if value is not None:
            return value
        node = node.get("/Parent")
    raise PdfStructureError("the page tree is too deep")


def shown_page(page: pikepdf.Object) -> ShownPage:
    """可见页面 of a page object: crop box within media box, rotation and user unit, inherited ones too.

    Raises PdfStructureError when programs would show it differently from each other.
    """
    media = _box(inherited(page, "/MediaBox"))
    if media is None:
        raise PdfStructureError("the page has no media box")
    crop = _box(inherited(page, "/CropBox")) or media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    if right <= left or top <= bottom:
        raise PdfStructureError("the page's crop box shows nothing of it")
    rotation = _number(inherited(page, "/Rotate"), 0.0)
    if rotation % 90:
        raise PdfStructureError("the page's rotation is not a multiple of 90 degrees")
    user_unit = _number(page.get("/UserUnit"), 1.0)
    if user_unit <= 0:
        raise PdfStructureError("the page's user unit is not positive")
    return ShownPage(left, bottom, right, top, int(rotation) % 360, user_unit)


def fields(pdf: pikepdf.Pdf) -> Iterator[tuple[str, pikepdf.Object, str | None]]:
    """Every node of the form: fully qualified name, object, field type (inherited ones too).

    Raises PdfStructureError for a tree that is too deep or too large.
    """
    form = pdf.Root.get("/AcroForm")
    kids = form.get("/Fields") if is_mapping(form) else None
    waiting: list[tuple[pikepdf.Object, str, str | None, int]] = [(kid, "", None, 0) for kid in _items(kids)]
    visited = 0
    while waiting:
        node, prefix, field_type, depth = waiting.pop()
        visited += 1
        if depth > _DEEPEST or visited + len(waiting) > _MOST_FIELDS:  # one array may be the /Kids of many
            raise PdfStructureError("the form's field tree is too deep or too large")
        if not is_mapping(node):
            continue
        partial = node.get("/T")
        name = prefix if partial is None else f"{prefix}.{partial}" if prefix else str(partial)
        own_type = node.get("/FT")
        field_type = str(own_type) if own_type is not None else field_type
        yield name, node, field_type
        waiting.extend((kid, name, field_type, depth + 1) for kid in _items(node.get("/Kids")))


def _items(value: object) -> list[pikepdf.Object]:
    return list(value) if isinstance(value, pikepdf.Array) else []


def _number(value: object, default: float) -> float:
    if value is None:
        return default
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise PdfStructureError("a number was expected") from error


def _box(value: object) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    corners = [_number(corner, 0.0) for corner in _items(value)]
    if len(corners) != 4:
        raise PdfStructureError("a page box is not four numbers")
    x, y = sorted((corners[0], corners[2])), sorted((corners[1], corners[3]))
    return x[0], y[0], x[1], y[1]
