"""Filings with the province (备案)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from seal_service.domain.filing import Backlog, Filing, FilingState


class FilingRecords(Protocol):
    """备案: rows are inserted with their log entry (`LogRecords.insert`), changed here and never deleted.

    Open is what is not acknowledged. A seal's next filing is the open one of the lowest place among its entries.
    """

    def find(self, filing_id: str) -> Filing | None:
        """Read, or None."""

    def due(self, now: datetime, limit: int) -> Sequence[Filing]:
        """Of each seal the next filing, if it is due and no relay works on it; oldest first."""

    def claim(self, filing_id: str, now: datetime, until: datetime) -> bool:
        """Compare-and-set: keep others from a seal's next filing until a moment; False when it is not to be had."""

    def following(self, filing: Filing, limit: int) -> Sequence[Filing]:
        """The seal's open filings from this one on, in their order."""

    def acknowledge(self, filing_id: str, receipt: str, at: datetime) -> bool:
        """Note that the province has it; False when that was known."""

    def fail(self, filing: Filing, state: FilingState, failure: str, due_at: datetime) -> bool:
        """Note a failed attempt and let go of it, unless another attempt was noted meanwhile; whether it was."""

    def hurry(self, seal_code: str, now: datetime) -> Filing | None:
        """Make the seal's next filing due, whoever works on it; None when there is none."""

    def hurry_waiting(self, now: datetime, but: Sequence[str]) -> int:
        """Make due, but for these, what waits for no other reason than that the province did not answer; how many."""

    def backlog(self, area_code: str | None = None) -> Backlog:
        """What is open, counted up to 100,000, of one area only if it is named."""

    def counts(self) -> Mapping[FilingState, int]:
        """How many there are in each state."""

    def acknowledged_between(self, start: datetime, end: datetime) -> int:
        """How many were acknowledged in [start, end)."""

    def missing(self, since: datetime, limit: int) -> Sequence[str]:
        """Ids of entries since a moment that are to be filed and have no filing."""

    def settled_seals(self, after: str, limit: int) -> Sequence[str]:
        """Codes of seals with filings of which none is open, by code, after a code."""
