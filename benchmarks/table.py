"""Measurements as a table for people."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.figures import Figure, significant

_MARKS = {True: "met", False: "MISSED", None: ""}


def lines(figures: Iterable[Figure]) -> Iterable[str]:
    """The table's lines: a heading a part, a figure a line."""
    part = ""
    for one in figures:
        if one.part != part:
            part = one.part
            yield ""
            yield part
        yield f"  {one.name:<90} {number(one.value):>10} {one.unit:<14} {one.target:<16} {_MARKS[one.met]}".rstrip()


def number(value: float) -> str:
    """A number as people read it."""
    rounded = significant(value, 3)
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"
