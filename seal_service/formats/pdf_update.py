"""增量更新: one incremental update to a document (ISO 32000-2, 7.5.6), as the bytes that are appended to it.

Objects are written as bytes, those of the document by qpdf. Nothing of the document is read but what is changed, so
that the cost does not grow with its size.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import pikepdf

from seal_service.formats.pdf import PdfStructureError
from seal_service.ports.documents import Content

Identity = tuple[int, int]
"""Object and generation number."""

_TAIL = 4096
"""Bytes at the end in which the last startxref is; readers look into the last 1024."""
_STARTXREF = re.compile(rb"startxref[\0\t\n\f\r ]+([0-9]{1,12})")
_TABLE = re.compile(rb"[\0\t\n\f\r ]*xref")
_LONGEST_OFFSET = 10**10


def written(value: object) -> bytes:
    """A value of a document as it stands in a file: what is indirect as its reference."""
    if isinstance(value, pikepdf.Object):
        return value.unparse()
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, Decimal):
        return format(value, "f").encode("ascii")
    if value is None:
        return b"null"
    raise PdfStructureError(f"a value of the kind {type(value).__name__}")


def dictionary(entries: Mapping[str, bytes]) -> bytes:
    """A dictionary of values that are written already."""
    return b"<<%s>>" % b"".join(b"%s %s" % (name(key), value) for key, value in entries.items())


def entries_of(value: object) -> dict[str, bytes]:
    """The entries of a document's dictionary, written; {} of anything else."""
    return {key: written(one) for key, one in value.items()} if isinstance(value, pikepdf.Dictionary) else {}


def array(items: Iterable[bytes]) -> bytes:
    """An array of values that are written already."""
    return b"[%s]" % b" ".join(items)


def items_of(value: object) -> list[bytes]:
    """The items of a document's array, written; [] of anything else."""
    return [written(one) for one in value] if isinstance(value, pikepdf.Array) else []


def name(key: str) -> bytes:
    """A name, `/` included (7.3.5)."""
    return pikepdf.Name(key).unparse()


def text(value: str) -> bytes:
    """A text string (7.9.2.2): UTF-16 with its mark, in hexadecimal."""
    return octets(b"\xfe\xff" + value.encode("utf-16-be"))


def octets(value: bytes) -> bytes:
    """A byte string, in hexadecimal."""
    return b"<%s>" % value.hex().encode("ascii")


def number(value: float) -> bytes:
    """A real number, to four places."""
    return f"{value:.4f}".encode("ascii")


def stream(entries: Mapping[str, bytes], content: bytes) -> bytes:
    """A stream object; `content` is encoded already."""
    whole = dictionary({**entries, "/Length": b"%d" % len(content)})
    return b"%s\nstream\n%s\nendstream" % (whole, content)


def reference(identity: Identity) -> bytes:
    """An indirect reference."""
    return b"%d %d R" % identity


@dataclass(frozen=True, slots=True)
class WrittenUpdate:
    """The appended bytes, and where in the whole file each object's value begins."""

    appended: bytearray
    starts: Mapping[Identity, int]


class PdfUpdate:
    """One update under way, in the form of cross-references that the document uses last."""

    def __init__(self, pdf: pikepdf.Pdf, content: Content, appended: bytes = b"") -> None:
        """Take the document, of which `appended` is the end already; PdfStructureError when its end is not found."""
        self._base = len(content) + len(appended)
        end = appended if len(appended) >= _TAIL else content[-_TAIL:] + appended
        found = _STARTXREF.findall(end[-_TAIL:])
        if not found:
            raise PdfStructureError("the end of the file does not say where its cross-references are")
        self._previous = int(found[-1])
        at = self._previous
        beginning = content[at : at + 20] if at < len(content) else appended[at - len(content) :][:20]
        self._has_table = _TABLE.match(beginning) is not None
        self._trailer = pdf.trailer
        self._next = int(pdf.trailer["/Size"])
        self._objects: dict[Identity, bytes] = {}

    def reserve(self) -> Identity:
        """The identity of a new object that is set later."""
        identity = self._next, 0
        self._next += 1
        return identity

    def add(self, value: bytes) -> Identity:
        """A new object."""
        identity = self.reserve()
        self._objects[identity] = value
        return identity

    def set(self, identity: Identity, value: bytes) -> None:
        """An object's new value."""
        self._objects[identity] = value

    def write(self) -> WrittenUpdate:
        """The bytes to append; ValueError for a file that is too large for a cross-reference table."""
        out = bytearray(b"\n")
        starts: dict[Identity, int] = {}
        offsets: dict[Identity, int] = {}
        for identity, value in self._objects.items():
            offsets[identity] = self._base + len(out)
            out += b"%d %d obj\n" % identity
            starts[identity] = self._base + len(out)
            out += value
            out += b"\nendobj\n"
        start = self._base + len(out)
        if start >= _LONGEST_OFFSET:
            raise ValueError("the file is too large for cross-references")
        changed = hashlib.sha256(out).digest()[:16]
        if self._has_table:
            out += _table(offsets)
            out += b"trailer\n%s" % dictionary(self._trailer_entries(self._next, changed))
        else:
            identity = self.reserve()
            offsets[identity] = start
            out += b"%d %d obj\n" % identity
            out += self._stream(offsets, changed)
            out += b"\nendobj"
        out += b"\nstartxref\n%d\n%%%%EOF\n" % start
        return WrittenUpdate(out, starts)

    def _stream(self, offsets: Mapping[Identity, int], changed: bytes) -> bytes:
        numbers = sorted(offsets)
        index = array(b"%d %d" % (run[0][0], len(run)) for run in _runs(numbers))
        rows = b"".join(b"\x01" + offsets[one].to_bytes(5, "big") + one[1].to_bytes(2, "big") for one in numbers)
        entries = {"/Type": b"/XRef", "/W": b"[1 5 2]", "/Index": index}
        return stream(entries | self._trailer_entries(self._next, changed), rows)

    def _trailer_entries(self, size: int, changed: bytes) -> dict[str, bytes]:
        """/Root and /Info stay; the second part of /ID is new with every update (14.4)."""
        kept = {key: written(self._trailer[key]) for key in ("/Root", "/Info") if key in self._trailer}
        identifier = self._trailer.get("/ID")
        first = octets(changed)
        if isinstance(identifier, pikepdf.Array) and len(identifier) == 2 and isinstance(identifier[0], pikepdf.String):
            first = octets(bytes(identifier[0]))
        return {**kept, "/ID": array([first, octets(changed)]), "/Size": b"%d" % size, "/Prev": b"%d" % self._previous}


def _table(offsets: Mapping[Identity, int]) -> bytes:
    sections = [b"xref\n"]
    for run in _runs(sorted(offsets)):
        sections.append(b"%d %d\n" % (run[0][0], len(run)))
        sections.extend(b"%010d %05d n \n" % (offsets[one], one[1]) for one in run)
    return b"".join(sections)


def _runs(numbers: list[Identity]) -> list[list[Identity]]:
    """Consecutive object numbers together."""
    runs: list[list[Identity]] = []
    for one in numbers:
        if runs and runs[-1][-1][0] + 1 == one[0]:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs
