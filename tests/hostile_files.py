"""Hostile documents, each named by its defect (ISO 32000-2), made when asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tests import hostile_bytes as h

Maker = Callable[[], bytes]


def _revisions(count: int) -> bytes:
    content = h.document()
    pieces, base = [content], len(content)
    previous = int(content[content.rindex(b"startxref") + 9 :].split()[0])
    for _ in range(count):
        text = b"4 0 obj\nnull\nendobj\n"
        start = base + len(text)
        section = b"xref\n4 1\n%010d 00000 n \ntrailer\n<</Size 5/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
            base, previous, start,
        )  # fmt: skip
        pieces.append(text + section)
        base, previous = start + len(section), start
    return b"".join(pieces)


def _deep_pages(depth: int) -> bytes:
    nodes = [
        b"<</Type/Pages/Kids[%d 0 R]/Count 1%s>>" % (at + 1, b"" if at == 2 else b"/Parent %d 0 R" % (at - 1))
        for at in range(2, depth + 2)
    ]
    leaf = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 100 100]>>" % (depth + 1)
    return h.written([h.catalog(), *nodes, leaf])


def _wide_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % at for at in range(3, count + 3))
    return h.written([h.catalog(), b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, count), *[h.page()] * count])


def _shared_annotations(pages: int, annotations: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % at for at in range(4, pages + 4))
    shared = b"[%b]" % (b" ".join([b"<</Subtype/Text/Rect[0 0 1 1]>>"] * annotations))
    return h.written(
        [h.catalog(), b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, pages), shared] + [h.page(b"/Annots 3 0 R")] * pages
    )


@cache
def hostile(defect: str) -> bytes:
    """The document with this defect."""
    return HOSTILE[defect]()


HOSTILE: dict[str, Maker] = {
    # no documents
    "zero bytes": lambda: b"",
    "one byte": lambda: b"%",
    "a file of ten million zero bytes": lambda: bytes(10_000_000),
    "a JPEG called PDF": lambda: b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(5000) + b"\xff\xd9",
    "a ZIP called PDF": lambda: b"PK\x03\x04" + bytes(5000),
    "a header alone": lambda: h.HEADER,
    "half a document": lambda: h.document()[:200],
    # bombs
    "an object stream that unpacks to 640 MB": lambda: h.with_object_stream(
        h.stream(h.flate_of_zeros(640 << 20, byte=b" "), b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode")
    ),
    "a cross-reference stream that unpacks to 640 MB": lambda: h.streamed(
        [h.catalog(), h.PAGES, h.page()], data=h.flate_of_zeros(640 << 20), dictionary=b"/Filter/FlateDecode"
    ),
    "an object stream packed four times, 640 MB": lambda: h.with_object_stream(
        h.stream(h.flate_of_zeros(640 << 20, 4), b"/Type/ObjStm/N 1/First 4/Filter[%b]" % (b"/FlateDecode" * 4))
    ),
    "page content that unpacks to 640 MB": lambda: h.document(
        h.stream(h.flate_of_zeros(640 << 20), b"/Filter/FlateDecode"), leaf=b"/Contents 4 0 R"
    ),
    "a predictor with rows of 2 GB": lambda: h.with_object_stream(
        h.packed(bytes(1000), b"/Type/ObjStm/N 1/First 4/DecodeParms<</Predictor 15/Columns 2147483647>>")
    ),
    # many and deep
    "a million objects in a table": lambda: h.document(*[b"0"] * 1_000_000),
    "a million objects in object streams": lambda: h.in_object_streams([b"0"] * 1_000_000, 50_000),
    "ten million values in one array": lambda: h.document(b"[%b]" % (b"0 " * 10_000_000), root=b"/AA 4 0 R"),
    "arrays a million deep": lambda: h.document(b"[" * 1_000_000, root=b"/AA 4 0 R"),
    "dictionaries a hundred thousand deep": lambda: h.document(
        b"<</AA" * 100_000 + b"0" + b">>" * 100_000, root=b"/AA 4 0 R"
    ),
    "five thousand revisions": lambda: _revisions(5000),
    "a hundred thousand pages": lambda: _wide_pages(100_000),
    "pages a hundred thousand deep": lambda: _deep_pages(100_000),
    "a million fields": lambda: h.document(b"<</T(a)>>", root=b"/AcroForm<</Fields[%b]>>" % (b"4 0 R " * 1_000_000)),
    "twenty thousand annotations that five hundred pages share": lambda: _shared_annotations(500, 20_000),
    "a security store of a hundred thousand references": lambda: h.document(
        h.stream(b"x"), root=b"/DSS<</Certs[%b]>>" % (b"4 0 R " * 100_000)
    ),
    # loops
    "a page tree that holds itself": lambda: h.written([h.catalog(), b"<</Type/Pages/Kids[2 0 R]/Count 1>>"]),
    "a page that is its own parent": lambda: h.written([h.catalog(), h.PAGES, b"<</Type/Page/Parent 3 0 R>>"]),
    "outlines in a circle": lambda: h.document(
        b"<</Title(a)/Next 5 0 R/Parent 4 0 R>>", b"<</Title(b)/Next 4 0 R/First 5 0 R>>", root=b"/Outlines 4 0 R"
    ),
    "names in a circle": lambda: h.document(
        b"<</Kids[5 0 R]>>", b"<</Kids[4 0 R]>>", root=b"/Names<</JavaScript 4 0 R/EmbeddedFiles 4 0 R>>"
    ),
    "fields in a circle": lambda: h.document(
        b"<</T(a)/Kids[5 0 R]>>", b"<</T(b)/Kids[4 0 R]>>", root=b"/AcroForm<</Fields[4 0 R]>>"
    ),
    "actions in a circle": lambda: h.document(
        b"<</S/GoTo/Next 5 0 R>>", b"<</S/GoTo/Next 4 0 R>>", root=b"/OpenAction 4 0 R"
    ),
    "cross-references before themselves": lambda: h.appended(h.document(), {4: b"0"}).replace(
        b"/Prev ", b"/Prev 9%", 1
    ),
    "a length that is its own stream": lambda: h.document(h.stream(b"x", length=b"4 0 R"), leaf=b"/Contents 4 0 R"),
    # numbers
    "a size of 2^63": lambda: h.document(size=1 << 63),
    "a size of a hundred digits": lambda: h.document(size=10**100),
    "a size of 2^31 - 1": lambda: h.document(size=(1 << 31) - 1),
    "a page of 1e300": lambda: h.written([h.catalog(), h.PAGES, h.page(box=b"0 0 %b %b" % ((b"9" * 300,) * 2))]),
    "a page turned by 10^30": lambda: h.document(leaf=b"/Rotate 1%b" % (b"0" * 30)),
    "a unit of 10^300": lambda: h.document(leaf=b"/UserUnit 1%b" % (b"0" * 300)),
    "entries of eight bytes each": lambda: h.streamed([h.catalog(), h.PAGES, h.page()], widths=b"[8 8 8]"),
    "an index of 2^31 entries": lambda: h.streamed([h.catalog(), h.PAGES, h.page()], index=b"[0 2147483647]"),
    # strings
    "a string of 10 MB": lambda: h.document(b"(%b)" % (b"x" * 10_000_000), root=b"/Lang 4 0 R"),
    "a string of ten million open parentheses": lambda: h.document(b"(%b" % (b"(" * 10_000_000)),
    "a name of 10 MB": lambda: h.document(b"/%b" % (b"x" * 10_000_000)),
    "a name of a million escapes": lambda: h.document(b"<</%b 1>>" % (b"#41" * 1_000_000)),
    # signatures
    "a signature of 8 MB without content": lambda: h.signed(room=4_000_000),
    "a signature of nested indefinite lengths": lambda: h.signed(contents=b"\x30\x80" * 50_000),
    "a byte range beyond the file": lambda: h.signed().replace(b"/ByteRange [0 ", b"/ByteRange [9 "),
}
