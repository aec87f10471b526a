"""可疑对象: which objects of a document may be active, told by its bytes without reading each of them.

An object is active by a name in it (`active_content`). Where the bytes of an object can be told from what surrounds
them, they are searched for such names; an object in which one is found and one whose end cannot be told are suspect
and are read. So an object that encloses another, or hides its end in a string or a name, gains nothing.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import repeat
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
_NAMES = (
    rb"JS|JavaScript|OnInstantiate|RichMedia|Launch|GoToR|GoToE|SubmitForm|ImportData|Thread|AA|OpenAction"
    rb"|FFilter|FS|Filespec|UF|Poster|Aspect|Ref|OPI|Movie|MCD|SetOCGState|OCMD"
)
_ESCAPED = rb"/[^\0\t\n\f\r ()<>\[\]{}/%%#]*+#[0-9A-Fa-f]{2}"
_SUSPECT = re.compile(rb"/(?:%s|F(?!%s+[0-9]+%s*[/>]))(?![A-Za-z0-9])|%s" % (_NAMES, _WHITE, _WHITE, _ESCAPED))
"""As `active_content`, for bytes as anyone writes them, and every name with an escaped character (7.3.5). An /F that is
a whole number is the flags of an annotation."""
_SUSPECT_WITHOUT_DATA = re.compile(
    rb"/(?:%s|F(?!%s+[0-9]+(?:%s+[0-9]+%s+R)?%s*[/>]))(?![A-Za-z0-9])|%s"
    % (_NAMES, _WHITE, _WHITE, _WHITE, _WHITE, _ESCAPED)
)
"""The same for what is no stream, where an /F that refers to an object alone does nothing: many name a font so."""
_SIMPLE = rb"[^<>()\[\]%]"
_NESTED = rb"%s*+" % _SIMPLE
for _ in range(3):
    _NESTED = rb"(?:%s++|<<%s>>|\[%s\])*+" % (_SIMPLE, _NESTED, _NESTED)
_PLAIN = re.compile(rb"[0-9 ]++obj%s*+<<%s>>%s*+(?:endobj|stream)" % (_WHITE, _NESTED, _WHITE))
"""A dictionary or a stream's, up to its end, without a string or comment: most objects are written so."""
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
            if _SUSPECT_WITHOUT_DATA.search(self._unpacked(number)):
                yield from identities
        self._check_headers()
        ends = [*self._offsets[1:], len(self._content)]
        if len(self._content) < _SEARCHED_LIKE_AN_OBJECT * len(self._plain):
            indexes: Iterable[int] = self._suspected_at_once(ends)
        else:
            indexes = range(len(self._plain))
        for index in indexes:
            value, pattern = self._value(self._offsets[index], ends[index])
            if not _is_whole(value) or pattern.search(value):
                yield self._plain[index]

    def _suspected_at_once(self, ends: list[int]) -> Iterable[int]:
        """Which objects are to be looked at one by one: none in a file without any such name, else those that have one
        between their offset and the next, and those that may reach beyond that."""
        named: set[int] = set()
        found = _SUSPECT.search(self._content)
        while found:
            index = bisect_right(self._offsets, found.start())
            named.add(index - 1)
            if index == len(self._offsets):
                break
            found = _SUSPECT.search(self._content, self._offsets[index])
        if not named:
            return ()
        plain = map(_PLAIN.match, repeat(self._content), self._offsets, ends)
        return [index for index, one in enumerate(plain) if one is None or index in named]

    def _value(self, offset: int, end: int) -> tuple[bytes, re.Pattern[bytes]]:
        """The bytes of an object before the data of its stream or its end, nothing where neither is near; and what
        makes them suspect."""
        content = self._content
        for reach in _SEARCHED:
            limit = min(end, offset + reach)
            told = content.find(b"endobj", offset, limit)
            data = content.find(b"stream", offset, limit if told < 0 else told)
            if data >= 0 or told >= 0:
                if data >= 0:
                    return content[offset:data], _SUSPECT
                return content[offset:told], _SUSPECT_WITHOUT_DATA
        return b"", _SUSPECT

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
