"""双人控制请求."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from seal_service.domain.dual_control import ControlledAct, ControlledRequest, ControlledState
from seal_service.domain.errors import AlreadyRegistered, ControlledRequestNotFound
from seal_service.storage.locking import locked
from seal_service.storage.mapping import Values
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Row
from seal_service.storage.tables import ControlledRequestRow

_BY_ID = locked(select(ControlledRequestRow).where(ControlledRequestRow.id == bindparam("request_id")))


@dataclass(frozen=True, slots=True)
class SqlControlledRequests:
    """双人控制请求."""

    connection: Connection

    def add(self, request: ControlledRequest) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(ControlledRequestRow), _values(request))

    def lock(self, request_id: str) -> ControlledRequest:
        """Read, locked; ControlledRequestNotFound."""
        row = _BY_ID.on(self.connection).one(self.connection, request_id=request_id)
        if row is None:
            raise ControlledRequestNotFound(request_id=request_id)
        return _of(row)

    def replace(self, request: ControlledRequest) -> None:
        """Write the present form; ControlledRequestNotFound."""
        changed = update(ControlledRequestRow).where(ControlledRequestRow.id == request.id)
        if self.connection.execute(changed, _values(request)).rowcount == 0:
            raise ControlledRequestNotFound(request_id=request.id)

    def newest(self, *, before: str | None = None, limit: int) -> Sequence[ControlledRequest]:
        """Newest first: ids begin with their time."""
        wanted = select(ControlledRequestRow).order_by(ControlledRequestRow.id.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(ControlledRequestRow.id < before)
        return [_of(row) for row in self.connection.execute(wanted)]


def _values(request: ControlledRequest) -> Values:
    return {
        "id": request.id,
        "act": request.act.value,
        "command": request.command,
        "requested_by": request.requested_by,
        "requested_at": request.requested_at,
        "state": request.state.value,
        "decided_by": request.decided_by,
        "decided_at": request.decided_at,
        "reason": request.reason,
    }


def _of(row: Row) -> ControlledRequest:
    return ControlledRequest(
        id=row.id,
        act=ControlledAct(row.act),
        command=row.command,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        state=ControlledState(row.state),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
    )
