"""What checking a configuration finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """With this the instance does not work, or not as it was meant."""
    WARNING = "warning"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    severity: Severity
    about: str
    """A setting's variable, or what belongs to several."""
    detail: str
    mend: str | None = None
    """What to do; None for what is as it should be."""


def error(about: str, detail: str, mend: str) -> Finding:
    """Something that has to be mended."""
    return Finding(severity=Severity.ERROR, about=about, detail=detail, mend=mend)


def warning(about: str, detail: str, mend: str) -> Finding:
    """Something that may be meant, and may be a mistake."""
    return Finding(severity=Severity.WARNING, about=about, detail=detail, mend=mend)


def ok(about: str, detail: str) -> Finding:
    """Something that is as it should be."""
    return Finding(severity=Severity.OK, about=about, detail=detail)
