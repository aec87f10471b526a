"""保存期限: what is kept of sealed documents, as two people confirmed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seal_service.domain.errors import InvalidInput
from seal_service.domain.operation import DocumentKeeping

LONGEST_HOLD_HOURS = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """保存期限: whether sealed documents are kept, and for how long a held one waits for its caller."""

    documents: DocumentKeeping
    hold_hours: int
    """1 to 72."""

    def __post_init__(self) -> None:
        """Raise InvalidInput outside the bounds."""
        if not 1 <= self.hold_hours <= LONGEST_HOLD_HOURS:
            raise InvalidInput(f"A document is held for 1 to {LONGEST_HOLD_HOURS} hours", field="hold_hours")


def retention_facts(retention: Retention) -> dict[str, str | int]:
    """As the log has it."""
    return {"documents": retention.documents.value, "document_hold_hours": retention.hold_hours}


def retention_of(facts: Mapping[str, Any]) -> Retention:
    """Of the log's facts; ValueError or KeyError when they are none."""
    return Retention(documents=DocumentKeeping(facts["documents"]), hold_hours=int(facts["document_hold_hours"]))
