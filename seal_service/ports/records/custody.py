"""Uses in two steps, and the media that seals' keys are on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from seal_service.domain.activation import ActivationRecord
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.medium import MediumEvent
from seal_service.domain.prepared_use import PreparedUse


class PreparedUseRecords(Protocol):
    """Prepared uses. Whoever changes one holds its seal's lock."""

    def add(self, prepared: PreparedUse) -> None:
        """Insert; AlreadyRegistered when its use has one."""

    def find(self, use_id: str) -> PreparedUse | None:
        """Read, or None."""

    def replace(self, prepared: PreparedUse) -> None:
        """Write its present form; PreparedUseNotFound."""

    def overdue(self, moment: datetime, limit: int) -> Sequence[PreparedUse]:
        """Expired before a moment and not released, longest expired first."""


class MediumRecords(Protocol):
    """The histories of media, which only grow."""

    def add(self, event: MediumEvent) -> None:
        """Insert."""

    def history(self, seal_code: str) -> Sequence[MediumEvent]:
        """All of a seal, oldest first."""

    def seal_of(self, serial_number: str) -> str | None:
        """The code of the seal that was last issued on a medium, or None."""


class ActivationRecords(Protocol):
    """Who took seals' keys into custody. Whoever changes one holds its seal's lock."""

    def any(self) -> bool:
        """Whether a keeper has taken any seal."""

    def find(self, seal_code: str) -> ActivationRecord | None:
        """Read, or None."""

    def put(self, record: ActivationRecord) -> None:
        """Write its present form, new or not."""


class ConveyanceRecords(Protocol):
    """Conveyances. Whoever changes one holds its seal's lock."""

    def add(self, conveyance: Conveyance) -> None:
        """Insert."""

    def of(self, seal_code: str, system_id: str | None = None) -> Sequence[Conveyance]:
        """Of a seal, to a system or (None) to all, oldest first; withdrawn ones too."""

    def replace(self, conveyance: Conveyance) -> None:
        """Write its present form; ConveyanceNotFound."""
