"""备案: what is to be sent to the province, and how far it got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, String, bindparam, exists, func, literal, or_, select, text, update

from seal_service.domain.events import EventKind
from seal_service.domain.filing import Backlog, Filing, FilingState, FilingTask, tasks_of
from seal_service.storage.mapping.filing import filing_of
from seal_service.storage.tables import FilingRow, Moment, SealRow, SignLogRow

_COLUMNS = FilingRow.__table__.columns
LANES = """
WITH RECURSIVE lane(seal_code) AS (
    SELECT min(seal_code) FROM filing WHERE acknowledged_at IS NULL
    UNION ALL
    SELECT (SELECT min(f.seal_code) FROM filing AS f WHERE f.acknowledged_at IS NULL AND f.seal_code > lane.seal_code)
    FROM lane WHERE lane.seal_code IS NOT NULL
),
head(id) AS (
    SELECT (SELECT f.id FROM filing AS f WHERE f.acknowledged_at IS NULL AND f.seal_code = lane.seal_code
            ORDER BY f.seq, f.task LIMIT 1)
    FROM lane WHERE lane.seal_code IS NOT NULL
)
"""
"""Each seal's next filing, found by steps from seal to seal: what waits behind it costs nothing, however much it is."""
NEXT_OF_SEALS = text(f"{LANES} SELECT id FROM head").columns(FilingRow.id)  # noqa: S608 - constants
_OF_HEADS = f"{LANES} SELECT {{}} FROM head JOIN filing AS o ON o.id = head.id"  # noqa: S608 - constants
_DUE = (
    text(
        f"{_OF_HEADS.format(', '.join(f'o.{one.name}' for one in _COLUMNS))} WHERE o.due_at <= :now "
        "AND (o.claimed_until IS NULL OR o.claimed_until <= :now) ORDER BY o.id LIMIT :limit"
    )
    .bindparams(bindparam("now", type_=Moment))
    .columns(*_COLUMNS)
)
_REFUSED = "sum(CASE WHEN o.state = 'refused' THEN 1 ELSE 0 END) AS refused"
_HEADS = text(
    f"{_OF_HEADS.format(f'min(o.at) AS oldest_at, {_REFUSED}')} "
    "WHERE CAST(:area AS VARCHAR) IS NULL OR o.area_code = CAST(:area AS VARCHAR)"
).columns(oldest_at=Moment)
_HURRY_WAITING = text(
    "UPDATE filing SET due_at = :now WHERE state = 'waiting' AND due_at > :now AND id NOT IN :but "  # noqa: S608 - constants
    f"AND id IN ({LANES} SELECT id FROM head)"
).bindparams(bindparam("now", type_=Moment), bindparam("but", type_=String, expanding=True))
MOST_COUNTED = 100_000
_TO_BE_FILED = [kind.value for kind in EventKind if tasks_of(kind)]


@dataclass(frozen=True, slots=True)
class SqlFilings:
    """Filings."""

    connection: Connection

    def find(self, filing_id: str) -> Filing | None:
        """Read, or None."""
        row = self.connection.execute(select(FilingRow).where(FilingRow.id == filing_id)).one_or_none()
        return None if row is None else filing_of(row)

    def due(self, now: datetime, limit: int) -> Sequence[Filing]:
        """Of each seal the next, if it is due and no relay works on it; oldest first."""
        return [filing_of(row) for row in self.connection.execute(_DUE, {"now": now, "limit": limit})]

    def claim(self, filing_id: str, now: datetime, until: datetime) -> bool:
        """Compare-and-set."""
        row = FilingRow
        free = or_(row.claimed_until.is_(None), row.claimed_until <= now)
        taken = update(row).where(row.id == filing_id, row.acknowledged_at.is_(None), row.due_at <= now, free)
        return self.connection.execute(taken.values(claimed_until=until)).rowcount == 1

    def following(self, filing: Filing, limit: int) -> Sequence[Filing]:
        """The seal's open filings from this one on, in their order."""
        row = FilingRow
        wanted = (
            select(row)
            .where(row.seal_code == filing.seal_code, row.acknowledged_at.is_(None), row.seq >= filing.seq)
            .order_by(row.seq, row.task)
            .limit(limit)
        )
        return [filing_of(one) for one in self.connection.execute(wanted)]

    def acknowledge(self, filing_id: str, receipt: str, at: datetime) -> bool:
        """Note that the province has it."""
        row = FilingRow
        done = update(row).where(row.id == filing_id, row.acknowledged_at.is_(None))
        values = {
            "state": FilingState.ACKNOWLEDGED.value,
            "receipt": receipt,
            "acknowledged_at": at,
            "claimed_until": None,
            "failure": None,
        }
        return self.connection.execute(done.values(values)).rowcount == 1

    def fail(self, filing: Filing, state: FilingState, failure: str, due_at: datetime) -> bool:
        """Note a failed attempt and let go of it."""
        row = FilingRow
        same = update(row).where(row.id == filing.id, row.acknowledged_at.is_(None), row.attempts == filing.attempts)
        values = {
            "state": state.value,
            "failure": failure,
            "due_at": due_at,
            "attempts": filing.attempts + 1,
            "claimed_until": None,
        }
        return self.connection.execute(same.values(values)).rowcount == 1

    def hurry(self, seal_code: str, now: datetime) -> Filing | None:
        """Make the seal's next filing due."""
        row = FilingRow
        wanted = (
            select(row)
            .where(row.seal_code == seal_code, row.acknowledged_at.is_(None))
            .order_by(row.seq, row.task)
            .limit(1)
        )
        found = self.connection.execute(wanted).one_or_none()
        if found is None:
            return None
        self.connection.execute(update(row).where(row.id == found.id).values(due_at=now))
        return self.find(found.id)

    def hurry_waiting(self, now: datetime, but: Sequence[str]) -> int:
        """Make due what waits for an answer."""
        return self.connection.execute(_HURRY_WAITING, {"now": now, "but": list(but)}).rowcount

    def backlog(self, area_code: str | None = None) -> Backlog:
        """What is open."""
        row = FilingRow
        # Counted along the index of what is open, and no further than anyone wants to know.
        waiting = select(literal(1)).where(row.acknowledged_at.is_(None)).order_by(row.seal_code, row.seq, row.task)
        if area_code is not None:
            waiting = waiting.where(row.seal_code.between(area_code, area_code + "~"))
        wanted = select(func.count()).select_from(waiting.limit(MOST_COUNTED).subquery())
        heads = self.connection.execute(_HEADS, {"area": area_code}).one()
        return Backlog(
            waiting=self.connection.scalar(wanted) or 0, refused=heads.refused or 0, oldest_at=heads.oldest_at
        )

    def counts(self) -> Mapping[FilingState, int]:
        """How many there are in each state."""
        counted = select(FilingRow.state, func.count()).group_by(FilingRow.state)
        found = {FilingState(state): count for state, count in self.connection.execute(counted)}
        return {state: found.get(state, 0) for state in FilingState}

    def acknowledged_between(self, start: datetime, end: datetime) -> int:
        """How many were acknowledged in [start, end)."""
        row = FilingRow
        wanted = select(func.count()).select_from(row).where(row.acknowledged_at >= start, row.acknowledged_at < end)
        return self.connection.scalar(wanted) or 0

    def missing(self, since: datetime, limit: int) -> Sequence[str]:
        """Ids of entries since a moment that are to be filed and have no filing."""
        log, row = SignLogRow, FilingRow
        filed = exists().where(row.id.in_([log.entry_id + f"-{task.value}" for task in FilingTask]))
        to_be = log.kind.in_(_TO_BE_FILED), log.at >= since, log.seal_code.is_not(None), log.seq.is_not(None)
        return self.connection.scalars(
            select(log.entry_id).where(*to_be, ~filed).order_by(log.entry_id).limit(limit)
        ).all()

    def settled_seals(self, after: str, limit: int) -> Sequence[str]:
        """Seals of which something was filed and nothing is open, by code."""
        row, seal = FilingRow, SealRow
        filed = exists().where(row.seal_code == seal.code)
        waits = exists().where(row.seal_code == seal.code, row.acknowledged_at.is_(None))
        wanted = select(seal.code).where(seal.code > after, filed, ~waits).order_by(seal.code).limit(limit)
        return self.connection.scalars(wanted).all()
