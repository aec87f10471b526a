"""Seals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from seal_service.domain.seal import Seal


class SealRecords(Protocol):
    """Seals with their credentials."""

    def add(self, seal: Seal) -> None:
        """Insert; AlreadyRegistered when the code is taken."""

    def find(self, code: str) -> Seal | None:
        """Read, or None."""

    def lock(self, code: str) -> Seal:
        """Read, locked until the transaction ends; SealNotFound."""

    def replace(self, seal: Seal) -> None:
        """Write the seal's present form; credentials are only ever added."""

    def by_certificate(self, serial: str) -> Seal | None:
        """The seal whose credential of any version has this certificate serial number."""

    def names_key(self, key_reference: str) -> bool:
        """Whether any seal's credential names this key."""

    def of_keys(self, key_references: Sequence[str]) -> Mapping[str, Seal]:
        """The seals whose credentials of any version name these keys (at most 1,000), by key."""

    def standing(self, unit_id: str) -> Sequence[str]:
        """Codes of a unit's seals that are not cancelled, in order."""

    def next_serial(self, area_code: str) -> int:
        """The next number of an area's sequence, from 1; never given twice."""
