"""待签: a prepared PDF as bytes, so that another process can complete it once its signature has come."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seal_service.domain.errors import IntegrityFailed
from seal_service.formats.pieces import joined, separated
from seal_service.ports.documents import Content
from seal_service.sealing.revision import OpenRevision
from seal_service.sealing.writing import WrittenSeal


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What is packed of a prepared PDF."""

    written: WrittenSeal
    attributes: bytes
    certificates: tuple[bytes, ...]
    repaired: Content | None
    """The repaired document, where it is not the one that came in."""


def pack(packed: Packed) -> tuple[Content, ...]:
    """As bytes."""
    written = packed.written
    values: dict[str, Any] = {
        "base": written.revision.base,
        "gap": list(written.revision.gap),
        "page": written.page,
        "page_id": list(written.page_id),
        "box_um": list(written.box_um),
        "field_name": written.field_name,
        "attributes": base64.b64encode(packed.attributes).decode(),
        "certificates": [base64.b64encode(one).decode() for one in packed.certificates],
    }
    return joined(values, [written.revision.appended, *([packed.repaired] if packed.repaired is not None else [])])


def unpack(kept: bytes) -> Packed:
    """From its bytes; IntegrityFailed."""
    values, pieces = separated(kept)
    if not 1 <= len(pieces) <= 2:
        raise IntegrityFailed
    try:
        written = WrittenSeal(
            revision=OpenRevision(base=values["base"], appended=pieces[0], gap=_pair(values["gap"])),
            page=values["page"],
            page_id=_pair(values["page_id"]),
            box_um=_box(values["box_um"]),
            field_name=values["field_name"],
        )
        return Packed(
            written=written,
            attributes=base64.b64decode(values["attributes"], validate=True),
            certificates=tuple(base64.b64decode(one, validate=True) for one in values["certificates"]),
            repaired=pieces[1] if len(pieces) == 2 else None,
        )
    except (KeyError, TypeError, ValueError):
        raise IntegrityFailed from None


def _pair(numbers: Sequence[int]) -> tuple[int, int]:
    first, second = numbers
    return first, second


def _box(numbers: Sequence[int]) -> tuple[int, int, int, int]:
    x, y, width, height = numbers
    return x, y, width, height
