"""Fakes of the records of custody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain import errors
from seal_service.domain.activation import ActivationRecord
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.medium import MediumAct, MediumEvent
from seal_service.domain.prepared_use import PreparedUse


class CustodyState(Protocol):
    """The part of the state that these fakes keep."""

    prepared_uses: dict[str, PreparedUse]
    medium_events: dict[str, MediumEvent]
    activations: dict[str, ActivationRecord]
    conveyances: dict[str, Conveyance]


@dataclass
class MemoryPreparedUses:
    """待签用印."""

    state: CustodyState

    def add(self, prepared: PreparedUse) -> None:
        """Insert."""
        if prepared.use_id in self.state.prepared_uses:
            raise errors.AlreadyRegistered
        self.state.prepared_uses[prepared.use_id] = prepared

    def find(self, use_id: str) -> PreparedUse | None:
        """Read."""
        return self.state.prepared_uses.get(use_id)

    def replace(self, prepared: PreparedUse) -> None:
        """Write."""
        if prepared.use_id not in self.state.prepared_uses:
            raise errors.PreparedUseNotFound
        self.state.prepared_uses[prepared.use_id] = prepared

    def overdue(self, moment: datetime, limit: int) -> Sequence[PreparedUse]:
        """Longest expired first."""
        found = [
            one for one in self.state.prepared_uses.values() if one.released_at is None and one.expires_at < moment
        ]
        return sorted(found, key=lambda one: (one.expires_at, one.use_id))[:limit]


@dataclass
class MemoryMedia:
    """印章介质."""

    state: CustodyState

    def add(self, event: MediumEvent) -> None:
        """Insert."""
        if event.id in self.state.medium_events:
            raise errors.AlreadyRegistered
        self.state.medium_events[event.id] = event

    def history(self, seal_code: str) -> Sequence[MediumEvent]:
        """Oldest first."""
        found = [one for one in self.state.medium_events.values() if one.seal_code == seal_code]
        return sorted(found, key=lambda one: one.position)

    def seal_of(self, serial_number: str) -> str | None:
        """By the newest issue."""
        issued = [
            one
            for one in self.state.medium_events.values()
            if one.serial_number == serial_number and one.act is MediumAct.ISSUED
        ]
        return max(issued, key=lambda one: (one.recorded_at, one.id)).seal_code if issued else None


@dataclass
class MemoryActivations:
    """激活口令."""

    state: CustodyState

    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.state.activations)

    def find(self, seal_code: str) -> ActivationRecord | None:
        """Read."""
        return self.state.activations.get(seal_code)

    def put(self, record: ActivationRecord) -> None:
        """Write."""
        self.state.activations[record.seal_code] = record


@dataclass
class MemoryConveyances:
    """导入记录."""

    state: CustodyState

    def add(self, conveyance: Conveyance) -> None:
        """Insert."""
        self.state.conveyances[conveyance.id] = conveyance

    def of(self, seal_code: str, system_id: str | None = None) -> Sequence[Conveyance]:
        """Oldest first."""
        found = [
            one
            for one in self.state.conveyances.values()
            if one.seal_code == seal_code and system_id in (None, one.system_id)
        ]
        return sorted(found, key=lambda one: (one.conveyed_at, one.id))

    def replace(self, conveyance: Conveyance) -> None:
        """Write."""
        if conveyance.id not in self.state.conveyances:
            raise errors.ConveyanceNotFound
        self.state.conveyances[conveyance.id] = conveyance
