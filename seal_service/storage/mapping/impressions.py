"""印模 as columns of its owner, and back."""

from __future__ import annotations

from seal_service.domain.impression import Impression
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def impression_values(impression: Impression) -> Values:
    """The columns of 印模."""
    return {
        "impression_digest": impression.digest,
        "impression_width_mm": impression.width_mm,
        "impression_height_mm": impression.height_mm,
        "impression_dpi": impression.dpi,
        "impression_ink_rgb": impression.ink_rgb,
    }


def impression_of(row: Row) -> Impression:
    """印模 of its owner's row."""
    return Impression(
        digest=row.impression_digest,
        width_mm=row.impression_width_mm,
        height_mm=row.impression_height_mm,
        dpi=row.impression_dpi,
        ink_rgb=row.impression_ink_rgb,
    )
