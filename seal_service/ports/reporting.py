"""Port to reports: what is printed, and who prints and signs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Facts = tuple[tuple[str, str], ...]
"""Label and value, one a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table: each column's title with its share of the width, then the rows."""

    columns: tuple[tuple[str, int], ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """A part with a heading: facts, then a table where there is one."""

    title: str
    facts: Facts = ()
    table: ReportTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """报告 to be printed."""

    title: str
    facts: Facts
    sections: tuple[ReportSection, ...]
    closing: str
    at: datetime


class ReportWriter(Protocol):
    """Prints reports as PDF and signs them (PAdES). Safe for threads."""

    def write(self, report: Report) -> bytes:
        """The signed PDF; InstanceNotReady without a key for reports, InvalidInput for a font that cannot be used."""
