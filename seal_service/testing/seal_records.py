"""A fake of the records of seals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seal_service.domain import errors
from seal_service.domain.seal import Seal, SealState
from seal_service.testing.state import State


@dataclass
class MemorySeals:
    """Seals."""

    state: State

    def add(self, seal: Seal) -> None:
        """Insert."""
        if seal.code in self.state.seals:
            raise errors.AlreadyRegistered
        self.state.seals[seal.code] = seal

    def find(self, code: str) -> Seal | None:
        """Read."""
        return self.state.seals.get(code)

    def lock(self, code: str) -> Seal:
        """Read."""
        if code not in self.state.seals:
            raise errors.SealNotFound
        return self.state.seals[code]

    def replace(self, seal: Seal) -> None:
        """Write."""
        self.state.seals[seal.code] = seal

    def by_certificate(self, serial: str) -> Seal | None:
        """Read by any version's certificate."""
        return next(
            (seal for seal in self.state.seals.values() if any(one.serial == serial for one in seal.credentials)), None
        )

    def names_key(self, key_reference: str) -> bool:
        """Any version of any seal."""
        seals = self.state.seals.values()
        return any(one.key_reference == key_reference for seal in seals for one in seal.credentials)

    def of_keys(self, key_references: Sequence[str]) -> Mapping[str, Seal]:
        """By key."""
        seals = self.state.seals.values()
        named = {one.key_reference: seal for seal in seals for one in seal.credentials}
        return {reference: named[reference] for reference in key_references if reference in named}

    def standing(self, unit_id: str) -> Sequence[str]:
        """In order."""
        seals = self.state.seals.values()
        return sorted(one.code for one in seals if one.unit_id == unit_id and one.state is not SealState.CANCELLED)

    def next_serial(self, area_code: str) -> int:
        """Count."""
        self.state.serials[area_code] = self.state.serials.get(area_code, 0) + 1
        return self.state.serials[area_code]
