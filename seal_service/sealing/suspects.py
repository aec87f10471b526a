"""可疑对象: which objects of a document may be active, told by its bytes without reading each of them.

An object is active by a name in it (`active_content`). Where the bytes of an object can be told from what surrounds
them, they are searched for such names; an object in which one is found and one whose end cannot be told are suspect
and are read. So an object that encloses another, or hides its end in a string or a name, gains nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from operator import add
from typing import Any

import pikepdf

from seal_service.domain.errors import DocumentDamaged, DocumentOverLimit
from seal_service.ports.documents import Content

Identity = tuple[int, int]

_WHITE = rb"[\0\t\n\f\r ]"
_HEADER = re.compile(rb"%s*0*([0-9]{1,10})%s+0*([0-9]{1,5})%s+obj" % (_WHITE, _WHITE, _WHITE))
_TEXT = re.compile(
    rb"\((?:[^()\\]++|\\[\s\S]|\((?:[^()\\]++|\\[\s\S])*+\))*+\)"
    rb"|%[^\r\n]*+[\r\n]"
    rb"|(?<!<)<[0-9A-Fa-f\0\t\n\f\r ]*+>"
)
"""Whole literal strings (7.3.4.2), with one string's depth of further parentheses, whole comments, hexadecimal ones."""
_BEFORE_A_KEYWORD = frozenset(b"\0\t\n\f\r )>]")
_SUSPECT = re.compile(
    rb"/(?:JS|JavaScript|OnInstantiate|RichMedia|Launch|GoToR|GoToE|SubmitForm|ImportData|Thread|AA|OpenAction"
    rb"|F(?!%s+[0-9]+%s*[/>])|FFilter|FS|Filespec|UF|Ref|OPI|Movie|MCD|SetOCGState|OCMD)(?![A-Za-z0-9])"
    rb"|/[^\0\t\n\f\r ()<>\[\]{}/%%#]*+#[0-9A-Fa-f]{2}" % (_WHITE, _WHITE)
)
"""As `active_content`, for bytes as anyone writes them, and every name with an escaped character (7.3.5). An /F that is
a whole number is the flags of an annotation."""
_SEARCHED = (1 << 10, 1 << 16)
"""Bytes of an object, at first and then; a longer one is read."""
_SEARCHED_LIKE_AN_OBJECT = 1500
"""Bytes that are searched in the time that it takes to tell where one object ends."""


class Suspects:
    """The suspect objects of one document."""

    def __init__(self, pdf: pikepdf.Pdf, content: Content, table: Mapping[Identity, Any], unpacked: int) -> None:
        """Take the document, its cross-reference table, and how many bytes object streams may unpack to."""
        self._pdf = pdf
        self._content = content
        self._left = unpacked
        self._packed: dict[int, list[Identity]] = {}
        plain: list[tuple[int, Identity]] = []
        for identity, entry in table.items():
            kind = entry.type
            if kind == 1:
                plain.append((entry.offset, identity))
            elif kind == 2:
                self._packed.setdefault(entry.obj_stream_number, []).append(identity)
        plain.sort()
        self._offsets = [offset for offset, _ in plain]
        self._plain = [identity for _, identity in plain]

    def identities(self) -> Iterable[Identity]:
        """Each once; DocumentDamaged where an object is not at its offset, DocumentOverLimit for object streams."""
        for number, identities in self._packed.items():
            if _SUSPECT.search(self._unpacked(number)):
                yield from identities
        self._check_headers()
        content = self._content
        dense = len(content) < _SEARCHED_LIKE_AN_OBJECT * len(self._plain)
        if dense and not _SUSPECT.search(content):
            return
        ends = [*self._offsets[1:], len(content)]
        for identity, offset, end in zip(self._plain, self._offsets, ends, strict=True):
            value = self._value(offset, end)
            if not _is_whole(value) or _SUSPECT.search(value):
                yield identity

    def _value(self, offset: int, end: int) -> bytes:
        """The bytes of an object before the data of its stream or its end; nothing where neither is near."""
        content = self._content
        for reach in _SEARCHED:
            limit = min(end, offset + reach)
            told = content.find(b"endobj", offset, limit)
            data = content.find(b"stream", offset, limit if told < 0 else told)
            if data >= 0 or told >= 0:
                return content[offset : data if data >= 0 else told]
        return b""

    def _check_headers(self) -> None:
        """Every object begins where the cross-references say (7.5.4): in nearly every file, in the usual form."""
        headers = list(map(b"%d %d obj".__mod__, self._plain))
        ends = map(add, self._offsets, map(len, headers))
        if list(map(self._content.__getitem__, map(slice, self._offsets, ends))) == headers:
            return
        for offset, identity in zip(self._offsets, self._plain, strict=True):
            found = _HEADER.match(self._content, offset, offset + 100)
            if found is None or (int(found[1]), int(found[2])) != identity:
                raise DocumentDamaged("An object is not where the cross-references say", cause="cross_references")

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


def _is_whole(value: bytes) -> bool:
    """Whether the keyword that ended these bytes (7.3.8, 7.3.10) ended the object: no part of a name, in no string,
    comment, array or dictionary."""
    if not value or value[-1] not in _BEFORE_A_KEYWORD:
        return False
    if b"(" in value or b"%" in value or value.count(b"<") != 2 * value.count(b"<<"):
        value = _TEXT.sub(b" ", value)
        if b"(" in value or b")" in value or b"%" in value:
            return False
    opened = value.count(b"<<")
    return (
        value.count(b"<") == value.count(b">") == 2 * opened == 2 * value.count(b">>")
        and value.count(b"[") == value.count(b"]")
    )  # fmt: skip
