"""悬空引用: whether a revision refers to objects that it does not have, which a later one would bring to life."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from seal_service.formats.pdf_signatures import Identity
from seal_service.ports.documents import Content

_GAP = rb"(?:[\0\t\n\f\r ]|%[^\r\n]{0,999}+[\r\n])"
_AFTER_NUMBER = rb"(?:%s++\+?[0-9]++%s*+R|%s*+(?:\+?[0-9]++%s*+)?%%[^\r\n]{1000})" % (_GAP, _GAP, _GAP, _GAP)
"""What follows the number in a reference of any generation (ISO 32000-2, 7.3.10). Comments may stand between its parts;
one that is too long to be looked through may hide the rest."""


def refers_to(content: Content, end: int, streams: Iterable[bytes], objects: Collection[Identity]) -> bool:
    """Whether the bytes up to `end`, or those of object streams, may refer to an object of any generation.

    Never False when they do; True also for what looks like a reference in a string or in the data of a stream.
    """
    searches = list(_searches([number for number, _ in objects]))
    return any(_found(content, end, *one) for one in searches) or any(
        _found(stream, len(stream), *one) for stream in streams for one in searches
    )


def _searches(numbers: Iterable[int]) -> Iterator[tuple[bytes, re.Pattern[bytes]]]:
    """Digits to look for, and what must follow them: numbers that differ in the last digit are looked for at once."""
    groups: dict[bytes, bytes] = {}
    for number in sorted(numbers):
        digits = b"%d" % number
        first, last = (digits[:-1], digits[-1:]) if number >= 100 else (digits, b"")
        groups[first] = groups.get(first, b"") + last
    for first, last in groups.items():
        yield first, re.compile((b"[%s]" % last if last else b"") + _AFTER_NUMBER)


def _found(content: Content, end: int, digits: bytes, rest: re.Pattern[bytes]) -> bool:
    at = content.find(digits, 0, end)
    while at >= 0:
        if rest.match(content, at + len(digits), end):
            return True
        at = content.find(digits, at + 1, end)
    return False
