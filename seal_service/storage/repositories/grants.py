"""用印授权."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from seal_service.domain.errors import AlreadyRegistered, GrantNotFound
from seal_service.domain.grant import Grant
from seal_service.storage.locking import locked
from seal_service.storage.mapping import grant_of, grant_values
from seal_service.storage.refusals import unique
from seal_service.storage.tables import GrantRow


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
        wanted = locked(self.connection, select(GrantRow).where(GrantRow.id == grant_id))
        row = self.connection.execute(wanted).one_or_none()
        if row is None:
            raise GrantNotFound(grant_id=grant_id)
        return grant_of(row)

    def lock_candidates(self, seal_code: str, grantee_id: str, scenario: str) -> Sequence[Grant]:
        """All grants of a seal to a system for a scenario, also ended ones (they are the reasons of a denial)."""
        wanted = (
            select(GrantRow)
            .where(GrantRow.seal_code == seal_code, GrantRow.grantee_id == grantee_id, GrantRow.scenario == scenario)
            .order_by(GrantRow.granted_at.desc(), GrantRow.id.desc())
        )
        return [grant_of(row) for row in self.connection.execute(locked(self.connection, wanted))]

    def replace(self, grant: Grant) -> None:
        """Write the present form; GrantNotFound."""
        changed = update(GrantRow).where(GrantRow.id == grant.id)
        if self.connection.execute(changed, grant_values(grant)).rowcount == 0:
            raise GrantNotFound(grant_id=grant.id)
