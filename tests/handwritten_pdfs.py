"""Documents and updates written object by object, as no library would write them."""

from __future__ import annotations

import io
import re

import pikepdf


def written(objects: list[bytes]) -> bytes:
    """A document of these objects, numbered from 1; the first is its catalog."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, value in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    start, size = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size + b"".join(b"%010d 00000 n \n" % one for one in places)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(out)


def appended(content: bytes, objects: dict[int, bytes], entries: bytes = b"") -> bytes:
    """An update of objects written by hand, cross-references that fit them included."""
    out = bytearray(content + b"\n")
    table = b"xref\n"
    for number, value in objects.items():
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        root, size = pdf.Root.objgen[0], max(int(pdf.trailer.Size), *(number + 1 for number in objects))
    previous = re.findall(rb"startxref\s+([0-9]+)", content)[-1]
    start = len(out)
    out += table + b"trailer\n<</Root %d 0 R/Size %d/Prev %s%s>>\n" % (root, size, previous, entries)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start
