"""用印授权."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from seal_service.domain.errors import AlreadyRegistered, GrantNotFound
from seal_service.domain.grant import Grant
from seal_service.storage.locking import locked
from seal_service.storage.mapping import grant_of, grant_values
from seal_service.storage.refusals import unique
from seal_service.storage.tables import GrantRow

_BY_ID = locked(select(GrantRow).where(GrantRow.id == bindparam("grant_id")))
_CANDIDATES = locked(
    select(GrantRow)
    .where(
        GrantRow.seal_code == bindparam("seal_code"),
        GrantRow.grantee_id == bindparam("grantee_id"),
        GrantRow.scenario == bindparam("scenario"),
    )
    .order_by(GrantRow.granted_at.desc(), GrantRow.id.desc())
)


@dataclass(frozen=True, slots=True)
class SqlGrants:
    """Grants."""

    connection: Connection

    def add(self, grant: Grant) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(GrantRow), grant_values(grant))

    def lock(self, grant_id: str) -> Grant:
        """Read, locked; GrantNotFound."""
        row = _BY_ID.on(self.connection).one(self.connection, grant_id=grant_id)
        if row is None:
            raise GrantNotFound(grant_id=grant_id)
        return grant_of(row)

    def lock_candidates(self, seal_code: str, grantee_id: str, scenario: str) -> Sequence[Grant]:
        """All grants of a seal to a system for a scenario, also ended ones (they are the reasons of a denial)."""
        asked = {"seal_code": seal_code, "grantee_id": grantee_id, "scenario": scenario}
        return [grant_of(row) for row in _CANDIDATES.on(self.connection).all(self.connection, **asked)]

    def replace(self, grant: Grant) -> None:
        """Write the present form; GrantNotFound."""
        changed = update(GrantRow).where(GrantRow.id == grant.id)
        if self.connection.execute(changed, grant_values(grant)).rowcount == 0:
            raise GrantNotFound(grant_id=grant.id)
