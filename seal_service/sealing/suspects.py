"""可疑对象: which objects of a document may be active, told by its bytes without reading each of them.

An object is active by a name in it (`active_content`). Where the bytes of an object can be told from what surrounds
them, they are searched for such names; an object in which one is found, a stream, and one whose end cannot be told are
suspect and are read. So an object that encloses another, or hides its end in a string, gains nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import pikepdf

from seal_service.domain.errors import DocumentDamaged, DocumentOverLimit
from seal_service.ports.documents import Content

Identity = tuple[int, int]

_WHITE = rb"[\0\t\n\f\r ]"
_HEADER = re.compile(rb"%s*0*([0-9]{1,10})%s+0*([0-9]{1,5})%s+obj" % (_WHITE, _WHITE, _WHITE))
_BALANCED = re.compile(rb"(?:[^()%]++|\((?:[^()\\]++|\\[\s\S]|\((?:[^()\\]++|\\[\s\S])*+\))*+\)|%[^\r\n]*+[\r\n])*+")
"""Whole literal strings (7.3.4.2), with one string's depth of further parentheses, and whole comments."""
_SUSPECT = re.compile(
    rb"/(?:JS|JavaScript|OnInstantiate|RichMedia|Launch|GoToR|GoToE|SubmitForm|ImportData|Thread|AA|OpenAction"
    rb"|F(?!%s+[0-9]+%s*[/>])|FFilter|FS|Filespec|UF|Ref|OPI|Movie|MCD|SetOCGState|OCMD)(?![A-Za-z0-9])"
    rb"|#[0-9A-Fa-f]{2}" % (_WHITE, _WHITE)
)
"""As `active_content`, for bytes as anyone writes them, and whatever may be the escape of a character (7.3.5). An /F
that is a whole number is the flags of an annotation."""
_LONGEST_SEARCHED = 1 << 16
"""Bytes of an object; a longer one is read."""


class Suspects:
    """The suspect objects of one document."""

    def __init__(self, pdf: pikepdf.Pdf, content: Content, table: Mapping[Identity, Any], unpacked: int) -> None:
        """Take the document, its cross-reference table, and how many bytes object streams may unpack to."""
        self._pdf = pdf
        self._content = content
        self._left = unpacked
        self._packed: dict[int, list[Identity]] = {}
        self._plain: list[tuple[int, Identity]] = []
        for identity, entry in table.items():
            if entry.type == 2:
                self._packed.setdefault(entry.obj_stream_number, []).append(identity)
            elif entry.type == 1:
                self._plain.append((entry.offset, identity))
        self._plain.sort()

    def identities(self) -> Iterable[Identity]:
        """Each once; DocumentDamaged where an object is not at its offset, DocumentOverLimit for object streams."""
        for number, identities in self._packed.items():
            if _SUSPECT.search(self._unpacked(number)):
                yield from identities
        content = self._content
        ends = [offset for offset, _ in self._plain[1:]] + [len(content)]
        for (offset, identity), end in zip(self._plain, ends, strict=True):
            header = b"%d %d obj" % identity
            if content[offset : offset + len(header)] != header and not _begins(content, offset, identity):
                raise DocumentDamaged("An object is not where the cross-references say", cause="cross_references")
            told = content.find(b"endobj", offset, min(end, offset + _LONGEST_SEARCHED))
            value = content[offset:told] if told >= 0 else b""
            if not value or b"stream" in value or not _is_whole(value) or _SUSPECT.search(value):
                yield identity

    def _unpacked(self, number: int) -> bytes:
        """What an object stream holds (7.5.7)."""
        stream = self._pdf.get_object((number, 0))
        if not isinstance(stream, pikepdf.Stream):
            raise DocumentDamaged("An object stream is none", cause="object_stream")
        if stream.get("/Filter") == pikepdf.Name.FlateDecode and "/DecodeParms" not in stream:
            unpacked = zlib.decompressobj().decompress(stream.read_raw_bytes(), self._left + 1)
        else:
            unpacked = stream.read_bytes()
        self._left -= len(unpacked)
        if self._left < 0:
            raise DocumentOverLimit("The document's compressed parts grow too large", what="compressed")
        return unpacked


def _begins(content: Content, offset: int, identity: Identity) -> bool:
    found = _HEADER.match(content, offset, offset + 100)
    return found is not None and (int(found[1]), int(found[2])) == identity


def _is_whole(value: bytes) -> bool:
    """Whether the `endobj` that ended it (7.3.10) stands in no string or comment."""
    return (b"(" not in value and b"%" not in value) or _BALANCED.fullmatch(value) is not None
