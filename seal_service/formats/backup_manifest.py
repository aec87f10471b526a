"""备份清单 as JSON. It is decoded only after its seal was opened: what does not fit is another program's."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from seal_service.domain.backup import DatabaseFacts, FileList, LogHead, Manifest, NeededKey
from seal_service.domain.errors import BackupRefused
from seal_service.domain.operation import KeyPlace

FORMAT = "seal-service-backup/1"


def encode(manifest: Manifest) -> bytes:
    """The manifest's bytes: JSON in UTF-8, for people to read too."""
    fields = {"format": FORMAT, **asdict(manifest), "made_at": manifest.made_at.astimezone(UTC).isoformat()}
    return json.dumps(fields, ensure_ascii=False, indent=2).encode() + b"\n"


def decode(content: bytes) -> Manifest:
    """The manifest of its bytes; BackupRefused for another format."""
    try:
        fields: dict[str, Any] = json.loads(content)
        form = fields.pop("format")
        if form != FORMAT:
            raise BackupRefused(f"The backup has the format {form}; this program reads {FORMAT}: take a newer program")
        database = fields.pop("database")
        return Manifest(
            made_at=datetime.fromisoformat(fields.pop("made_at")),
            database=DatabaseFacts(log=LogHead(**database.pop("log")), **database),
            files=FileList(**fields.pop("files")),
            keys=tuple(
                NeededKey(reference=one["reference"], place=KeyPlace(one["place"])) for one in fields.pop("keys")
            ),
            missing=tuple(fields.pop("missing")),
            **fields,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupRefused("The backup's manifest was written by another version of this program") from error
