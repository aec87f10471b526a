"""PDF files written byte by byte, so that every rule can be broken: objects, tables, streams, revisions."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import accumulate

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
SIGNATURE_NAME = b"<</FT/Sig/T(Seal)/Subtype/Widget/Rect[0 0 0 0]/V %d 0 R>>"


def catalog(more: bytes = b"") -> bytes:
    """文档目录 whose page tree is object 2."""
    return b"<</Type/Catalog/Pages 2 0 R%b>>" % more


def page(more: bytes = b"", box: bytes = b"0 0 595 842") -> bytes:
    """A page under object 2."""
    return b"<</Type/Page/Parent 2 0 R/MediaBox[%b]%b>>" % (box, more)


def stream(data: bytes, more: bytes = b"", length: bytes | None = None) -> bytes:
    """A stream object."""
    return b"<</Length %b%b>>stream\n%b\nendstream" % (length or b"%d" % len(data), more, data)


def packed(data: bytes, more: bytes = b"") -> bytes:
    """A stream object under FlateDecode."""
    return stream(zlib.compress(data, 9), b"/Filter/FlateDecode" + more)


def flate_of_zeros(size: int, layers: int = 1, byte: bytes = b"\0") -> bytes:
    """Flate data that unpacks, layer by layer, to `size` equal bytes; made without ever holding them."""
    squeeze, block = zlib.compressobj(9), byte * (1 << 20)
    data = b"".join(squeeze.compress(block) for _ in range(size >> 20)) + squeeze.flush()
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    return data


def body(objects: Sequence[bytes], first: int = 1, base: int = 0) -> tuple[bytes, list[int]]:
    """Objects numbered from `first`, and where they begin when the first one lies at `base`."""
    written = [b"%d 0 obj\n%b\nendobj\n" % (number, one) for number, one in enumerate(objects, first)]
    return b"".join(written), list(accumulate((len(one) for one in written[:-1]), initial=base))


def table(offsets: Iterable[int], base: int, first: int = 0, size: int | None = None, trailer: bytes = b"") -> bytes:
    """交叉引用表 at `base` and what follows it; from object 0 the head of the free list is written too."""
    entries = [b"%010d 00000 n \n" % one for one in offsets]
    if first == 0:
        entries.insert(0, b"0000000000 65535 f \n")
    stated = first + len(entries) if size is None else size
    return b"xref\n%d %d\n%btrailer\n<</Size %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (
        first, len(entries), b"".join(entries), stated, trailer, base,
    )  # fmt: skip


def written(objects: Sequence[bytes], trailer: bytes = b"/Root 1 0 R", size: int | None = None) -> bytes:
    """A file with a cross-reference table; its objects are numbered from 1."""
    data, offsets = body(objects, base=len(HEADER))
    start = len(HEADER) + len(data)
    return HEADER + data + table(offsets, start, size=size, trailer=trailer)


def document(
    *more: bytes, root: bytes = b"", leaf: bytes = b"", trailer: bytes = b"", size: int | None = None
) -> bytes:
    """A file of one page, object 3; `more` are the objects from 4, `root`, `leaf`, `trailer` further entries."""
    return written([catalog(root), PAGES, page(leaf), *more], b"/Root 1 0 R" + trailer, size)


def entries(rows: Iterable[tuple[int, int, int]], widths: tuple[int, int, int] = (1, 4, 2)) -> bytes:
    """Rows of a cross-reference stream (7.5.8.3)."""
    a, b, c = widths
    return b"".join(
        kind.to_bytes(a, "big") + first.to_bytes(b, "big") + second.to_bytes(c, "big") for kind, first, second in rows
    )


def streamed(
    objects: Sequence[bytes],
    rows: Sequence[tuple[int, int, int]] = (),
    dictionary: bytes = b"",
    *,
    data: bytes | None = None,
    widths: bytes = b"[1 4 2]",
    index: bytes | None = None,
    size: bytes | None = None,
) -> bytes:
    """A file with a cross-reference stream: plain objects from 1, then the stream's own row, then `rows`.

    `dictionary` adds entries to the cross-reference stream, `data` replaces its (unpacked) content.
    """
    text, offsets = body(objects, base=len(HEADER))
    start, own = len(HEADER) + len(text), len(objects) + 1
    content = entries([(0, 0, 65535), *((1, one, 0) for one in offsets), (1, start, 0), *rows])
    stated = size or b"%d" % (own + 1 + len(rows))
    head = b"/Type/XRef/Size %b/Root 1 0 R/W%b%b" % (stated, widths, b"/Index" + index if index else b"")
    filled = packed(content, head + dictionary) if data is None else stream(data, head + dictionary)
    return HEADER + text + b"%d 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (own, filled, start)


def object_stream(values: Sequence[bytes], first: int, more: bytes = b"") -> bytes:
    """对象流 (7.5.7) of values numbered from `first`."""
    places = accumulate((len(one) + 1 for one in values[:-1]), initial=0)
    head = b" ".join(b"%d %d" % (first + at, place) for at, place in enumerate(places)) + b"\n"
    return packed(head + b" ".join(values), b"/Type/ObjStm/N %d/First %d%b" % (len(values), len(head), more))


def with_object_stream(container: bytes, held: int = 1) -> bytes:
    """A file whose object 4 is the object stream `container`, said to hold the `held` objects from 6 on."""
    plain = [catalog(b"/PieceInfo 6 0 R"), PAGES, page(), container]
    return streamed(plain, [(2, 4, at) for at in range(held)])


def in_object_streams(values: Sequence[bytes], each: int) -> bytes:
    """A file whose `values` lie in object streams of `each` objects; the first has number 4 + streams + 1."""
    groups = [values[start : start + each] for start in range(0, len(values), each)]
    first = 3 + len(groups) + 2
    containers = [object_stream(one, first + at * each) for at, one in enumerate(groups)]
    rows = [(2, 4 + at, place) for at, one in enumerate(groups) for place in range(len(one))]
    return streamed([catalog(), PAGES, page(), *containers], rows)


def appended(before: bytes, objects: dict[int, bytes], trailer: bytes = b"/Root 1 0 R", size: int = 0) -> bytes:
    """增量更新 (7.5.6): the file with a further revision that sets objects."""
    previous = int(before[before.rindex(b"startxref") + 9 :].split()[0])
    text, sections = b"", b""
    for number, one in sorted(objects.items()):
        sections += b"%d 1\n%010d 00000 n \n" % (number, len(before) + len(text))
        text += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    stated = size or max(objects) + 1
    start = len(before) + len(text)
    return before + text + b"xref\n%btrailer\n<</Size %d/Prev %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (
        sections, stated, previous, trailer, start,
    )  # fmt: skip


def signed(*more: bytes, root: bytes = b"", leaf: bytes = b"", contents: bytes = b"\x30\0", room: int = 64) -> bytes:
    """A file with a signature field (object 4, its dictionary 5) whose ByteRange is sound; `more` from 6.

    What lies in /Contents is no signature: whoever wrote the file has no key, and needs none to make work.
    """
    form = b"/AcroForm<</Fields[4 0 R]/SigFlags 3>>" + root
    digits = contents.hex().encode().ljust(2 * max(room, len(contents)), b"0")
    dictionary = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange %b/Contents<%b>>>" % (
        b" " * 48,
        digits,
    )
    field = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/P 3 0 R/Rect[0 0 0 0]/F 132/V 5 0 R>>"
    objects = [catalog(form), PAGES, page(b"/Annots[4 0 R]" + leaf), field, dictionary, *more]
    content = written(objects)
    start = content.index(b"/Contents<") + 9
    end = start + len(digits) + 2
    ranges = b"[0 %d %d %d]" % (start, end, len(content) - end)
    return content.replace(b" " * 48, ranges.ljust(48), 1)
