"""导出清单: what a file of exported entries is, as the text of a note that the log's key signs (C2SP signed-note).

Two lines: the name of this format, which no checkpoint can begin with since a log's origin stands there, and one
JSON object (RFC 8785).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from seal_service.domain.errors import InvalidInput, NoteRefused
from seal_service.formats import canonical

HEADER = "seal-log-export/v1"
MEDIA_TYPE = "text/plain; charset=utf-8"
_TEXTS = ("log", "file", "format", "sha256", "by", "by_name", "at", "begun", "entry")
_NUMBERS = ("bytes", "entries", "upto_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportManifest:
    """导出清单."""

    log: str
    """Origin."""
    file: str
    format: str
    sha256: str
    bytes: int
    entries: int
    filter: dict[str, str]
    """What was asked for, by the names of the query; a person as the pseudonym of the log's column."""
    period_from: str | None
    """RFC 3339; None: from the first entry on."""
    period_until: str | None
    """RFC 3339; None: up to the newest entry there was."""
    upto_size: int
    """How many entries the log had when the export began: newer ones are not in the file."""
    by: str
    """The account that took it."""
    by_name: str
    at: str
    """When the file was complete, by the entry that says so."""
    begun: str
    """The entry that was written before the first byte went out."""
    entry: str
    """The entry that this manifest repeats."""


def manifest_text(manifest: ExportManifest) -> str:
    """The text to be signed."""
    return f"{HEADER}\n{canonical.encode(asdict(manifest)).decode()}\n"


def read_manifest(text: str) -> ExportManifest:
    """The manifest of a note's text; NoteRefused for everything that `manifest_text` would not have written."""
    header, _, rest = text.partition("\n")
    if header != HEADER or not rest.endswith("\n"):
        raise NoteRefused("This is no manifest of an export")
    try:
        found: dict[str, Any] = dict(canonical.decode(rest[:-1].encode()))
    except InvalidInput as error:
        raise NoteRefused("The manifest is not in canonical form") from error
    texts = (*(found.get(name) for name in _TEXTS), *_values(found.get("filter")))
    periods = (found.get("period_from"), found.get("period_until"))
    if (
        set(found) != {one.name for one in fields(ExportManifest)}
        or not all(isinstance(one, str) for one in texts)
        or not all(isinstance(one, str | None) for one in periods)
        or not all(type(found[name]) is int and found[name] >= 0 for name in _NUMBERS)
    ):
        raise NoteRefused("The manifest has not the fields of one")
    return ExportManifest(**found)


def _values(chosen: object) -> tuple[object, ...]:
    return tuple(chosen.values()) if isinstance(chosen, dict) else (None,)
