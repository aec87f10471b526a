"""Whether two revisions show different pages: a plain comparison for files in which no finer one succeeds."""

from __future__ import annotations

import io

import pikepdf

from seal_service.ports.documents import Content

_READ_ERRORS = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
_LEFT_OUT = frozenset({"/Annots", "/Parent", "/StructParents", "/Metadata", "/PieceInfo"})
_MOST_OBJECTS = 100_000

_Pair = tuple[pikepdf.Object | None, pikepdf.Object | None]


def shows_the_same(signed: Content, current: Content) -> bool:
    """False when a page, its content or its resources differ, annotations apart; also when that cannot be told."""
    try:
        with pikepdf.open(io.BytesIO(signed)) as before, pikepdf.open(io.BytesIO(current)) as after:
            pairs: list[_Pair] = [(one.obj, other.obj) for one, other in zip(before.pages, after.pages, strict=True)]
            return _same(pairs)
    except _READ_ERRORS:
        return False


def _same(pairs: list[_Pair]) -> bool:
    seen: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    for _ in range(_MOST_OBJECTS):
        if not pairs:
            return True
        was, now = pairs.pop()
        if type(was) is not type(now):
            return False
        if was is None or now is None:
            continue
        if isinstance(was, (pikepdf.Dictionary, pikepdf.Stream, pikepdf.Array)):
            if was.is_indirect and now.is_indirect:
                both = (was.objgen, now.objgen)
                if both in seen:
                    continue
                seen.add(both)
            if not _same_shape(was, now):
                return False
            pairs.extend(_parts(was, now))
        elif was != now:
            return False
    return False


def _same_shape(was: pikepdf.Object, now: pikepdf.Object) -> bool:
    if isinstance(was, pikepdf.Array):
        return len(was) == len(now)
    if isinstance(was, pikepdf.Stream) and was.read_raw_bytes() != now.read_raw_bytes():
        return False
    return set(was.keys()) - _LEFT_OUT == set(now.keys()) - _LEFT_OUT


def _parts(was: pikepdf.Object, now: pikepdf.Object) -> list[_Pair]:
    if isinstance(was, pikepdf.Array):
        return list(zip(was, now, strict=True))
    return [(was.get(key), now.get(key)) for key in was.keys() if key not in _LEFT_OUT]  # noqa: SIM118
