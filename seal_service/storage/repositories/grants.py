"""用印授权."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from seal_service.domain.errors import AlreadyRegistered, GrantNotFound
from seal_service.domain.grant import Grant
from seal_service.storage.locking import locked
from seal_service.storage.mapping import grant_of, grant_values
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Asked, Statement, together
from seal_service.storage.tables import GrantDigestRow, GrantRow

_BY_ID = locked(select(GrantRow).where(GrantRow.id == bindparam("grant_id")))
_MOST = 20
"""Grants that are looked at for one use."""
_OPEN, _LISTED, _CLOSED = "open", "listed", "closed"
_OF_USE = (
    GrantRow.seal_code == bindparam("seal_code"),
    GrantRow.grantee_id == bindparam("grantee_id"),
    GrantRow.scenario == bindparam("scenario"),
)
_IN_TIME = (GrantRow.valid_until > bindparam("now"), GrantRow.valid_from <= bindparam("now"))
# In the order of the index: a seal may have ten thousand grants, of which these twenty are read.
_ALLOWING = locked(
    select(GrantRow)
    .where(*_OF_USE, GrantRow.standing == _OPEN, *_IN_TIME)
    .order_by(GrantRow.valid_until.desc())
    .limit(_MOST)
)
# Found by the document alone: SQLite would otherwise read every grant of the seal that lists documents. What stands in
# an expression is in no index.
_LISTING = locked(
    select(GrantRow)
    .where(
        GrantRow.id.in_(select(GrantDigestRow.grant_id).where(GrantDigestRow.sha256 == bindparam("sha256"))),
        func.coalesce(GrantRow.seal_code, "") == bindparam("seal_code"),
        func.coalesce(GrantRow.grantee_id, "") == bindparam("grantee_id"),
        GrantRow.scenario == bindparam("scenario"),
        GrantRow.standing == _LISTED,
        *_IN_TIME,
    )
    .order_by(GrantRow.valid_until.desc())
    .limit(_MOST)
)
_NEWEST = locked(select(GrantRow).where(*_OF_USE).order_by(GrantRow.granted_at.desc(), GrantRow.id.desc()).limit(1))
_USED_UP = GrantRow.maximum_uses.is_not(None) & (GrantRow.uses_counted + bindparam("more") >= GrantRow.maximum_uses)
_COUNT = Statement(
    update(GrantRow)
    .where(GrantRow.id == bindparam("of_grant"))
    .values(
        uses_counted=GrantRow.uses_counted + bindparam("more"),
        standing=case(
            (GrantRow.revoked_at.is_not(None) | _USED_UP, _CLOSED), (GrantRow.digests != "", _LISTED), else_=_OPEN
        ),
    )
)


def counting(grant_id: str, more: int) -> Asked:
    """What is asked to count a use for a grant, or to give its count back; the grant is locked."""
    return _COUNT, {"of_grant": grant_id, "more": more}


@dataclass(frozen=True, slots=True)
class SqlGrants:
    """Grants."""

    connection: Connection

    def add(self, grant: Grant) -> None:
        """Insert; AlreadyRegistered."""
        standing = _CLOSED if grant.revoked_at is not None else _LISTED if grant.digests else _OPEN
        with unique(AlreadyRegistered):
            values = {**grant_values(grant), "uses_counted": 0, "standing": standing}
            self.connection.execute(insert(GrantRow), values)
            if grant.digests:
                listed = [{"grant_id": grant.id, "sha256": one} for one in grant.digests]
                self.connection.execute(insert(GrantDigestRow), listed)

    def lock(self, grant_id: str) -> Grant:
        """Read, locked; GrantNotFound."""
        row = _BY_ID.on(self.connection).one(self.connection, grant_id=grant_id)
        if row is None:
            raise GrantNotFound(grant_id=grant_id)
        return grant_of(row)

    def lock_candidates(
        self, seal_code: str, grantee_id: str, scenario: str, document_sha256: str, now: datetime
    ) -> Sequence[Grant]:
        """At most forty that may allow the use, or the newest; newest first."""
        asked = {"seal_code": seal_code, "grantee_id": grantee_id, "scenario": scenario}
        in_time = {**asked, "now": now}
        allowing, listing = together(
            self.connection,
            (_ALLOWING.on(self.connection), in_time),
            (_LISTING.on(self.connection), {**in_time, "sha256": document_sha256}),
        )
        rows = [*allowing, *listing] or _NEWEST.on(self.connection).all(self.connection, **asked)
        return sorted((grant_of(row) for row in rows), key=lambda one: (one.granted_at, one.id), reverse=True)

    def replace(self, grant: Grant) -> None:
        """Write the present form, for whoever applies the seal as well; GrantNotFound."""
        changed = update(GrantRow).where(GrantRow.id == grant.id)
        if self.connection.execute(changed, grant_values(grant)).rowcount == 0:
            raise GrantNotFound(grant_id=grant.id)
        together(self.connection, counting(grant.id, 0))
