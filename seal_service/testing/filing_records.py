"""Fakes of filing: the rows, and a province that takes everything, or what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from seal_service.domain.filing import Backlog, Filing, FilingState, tasks_of
from seal_service.domain.seal import Seal
from seal_service.ports.filing import FiledSource, Receipt
from seal_service.ports.records.log import LogRow


class FilingsState(Protocol):
    """The part of the state that the fake keeps."""

    filings: dict[str, Filing]
    entries: dict[str, LogRow]
    seals: dict[str, Seal]


@dataclass
class MemoryFilings:
    """备案."""

    state: FilingsState

    def find(self, filing_id: str) -> Filing | None:
        """Read."""
        return self.state.filings.get(filing_id)

    def due(self, now: datetime, limit: int) -> Sequence[Filing]:
        """Heads that are due and free."""
        found = [one for one in self._heads() if one.due_at <= now and _is_free(one, now)]
        return sorted(found, key=lambda one: one.id)[:limit]

    def claim(self, filing_id: str, now: datetime, until: datetime) -> bool:
        """Compare and set."""
        one = self.state.filings[filing_id]
        if one.acknowledged_at is not None or one.due_at > now or not _is_free(one, now):
            return False
        self.state.filings[filing_id] = replace(one, claimed_until=until)
        return True

    def following(self, filing: Filing, limit: int) -> Sequence[Filing]:
        """In order."""
        return [one for one in self._open() if one.seal_code == filing.seal_code and one.seq >= filing.seq][:limit]

    def acknowledge(self, filing_id: str, receipt: str, at: datetime) -> bool:
        """Compare and set."""
        one = self.state.filings[filing_id]
        if one.acknowledged_at is not None:
            return False
        self.state.filings[filing_id] = replace(
            one,
            state=FilingState.ACKNOWLEDGED,
            receipt=receipt,
            acknowledged_at=at,
            claimed_until=None,
            failure=None,
        )
        return True

    def fail(self, filing: Filing, state: FilingState, failure: str, due_at: datetime) -> bool:
        """Compare and set."""
        one = self.state.filings[filing.id]
        if one.acknowledged_at is not None or one.attempts != filing.attempts:
            return False
        self.state.filings[filing.id] = replace(
            one, state=state, failure=failure, due_at=due_at, attempts=one.attempts + 1, claimed_until=None
        )
        return True

    def hurry(self, seal_code: str, now: datetime) -> Filing | None:
        """The head."""
        head = next((one for one in self._heads() if one.seal_code == seal_code), None)
        if head is None:
            return None
        self.state.filings[head.id] = replace(head, due_at=now)
        return self.state.filings[head.id]

    def hurry_waiting(self, now: datetime, but: Sequence[str]) -> int:
        """Heads."""
        heads = (one for one in self._heads() if one.id not in but)
        late = [one for one in heads if one.state is FilingState.WAITING and one.due_at > now]
        self.state.filings |= {one.id: replace(one, due_at=now) for one in late}
        return len(late)

    def backlog(self, area_code: str | None = None) -> Backlog:
        """Count."""
        found = [one for one in self._open() if area_code in (None, one.area_code)]
        return Backlog(
            waiting=len(found),
            refused=sum(one.state is FilingState.REFUSED for one in self._heads() if one in found),
            oldest_at=min((one.at for one in found), default=None),
        )

    def counts(self) -> Mapping[FilingState, int]:
        """Count."""
        return {state: sum(one.state is state for one in self.state.filings.values()) for state in FilingState}

    def acknowledged_between(self, start: datetime, end: datetime) -> int:
        """Count."""
        moments = (one.acknowledged_at for one in self.state.filings.values())
        return sum(one is not None and start <= one < end for one in moments)

    def missing(self, since: datetime, limit: int) -> Sequence[str]:
        """Entries that are to be filed and are not."""
        filed = {one.entry_id for one in self.state.filings.values()}
        found = [
            row.entry_id
            for row in self.state.entries.values()
            if row.at >= since and tasks_of(row.kind) and row.seal_code and row.seq and row.entry_id not in filed
        ]
        return sorted(found)[:limit]

    def settled_seals(self, after: str, limit: int) -> Sequence[str]:
        """By code."""
        waiting = {one.seal_code for one in self._open()}
        codes = {one.seal_code for one in self.state.filings.values()} - waiting
        return [code for code in sorted(codes & set(self.state.seals)) if code > after][:limit]

    def _open(self) -> list[Filing]:
        found = (one for one in self.state.filings.values() if one.acknowledged_at is None)
        return sorted(found, key=lambda one: (one.seal_code, one.seq, one.task))

    def _heads(self) -> list[Filing]:
        heads: dict[str, Filing] = {}
        for one in self._open():
            heads.setdefault(one.seal_code, one)
        return list(heads.values())


def _is_free(one: Filing, now: datetime) -> bool:
    return one.claimed_until is None or one.claimed_until <= now


@dataclass
class MemoryProvince:
    """A province that notes what it gets; `answers` are raised instead, one a message, as long as there are any."""

    taken: list[str] = field(default_factory=list)
    answers: list[Exception | None] = field(default_factory=list)
    valid: dict[str, bool] = field(default_factory=dict)
    name: str = "province.example"

    def file(self, source: FiledSource) -> Receipt:
        """Take it, or raise the next answer."""
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        known = source.filing.id in self.taken
        if not known:
            self.taken.append(source.filing.id)
        return Receipt(text=f"receipt of {source.filing.id}", already_there=known)

    def is_valid(self, seal_code: str, seal_name: str) -> bool | None:
        """What a test says."""
        del seal_name
        return self.valid.get(seal_code)
