"""印章申请."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from seal_service.domain.application import Application
from seal_service.domain.errors import AlreadyRegistered, ApplicationNotFound
from seal_service.storage.locking import locked
from seal_service.storage.mapping import application_of, application_values
from seal_service.storage.refusals import unique
from seal_service.storage.tables import ApplicationRow

_BY_ID = locked(select(ApplicationRow).where(ApplicationRow.id == bindparam("application_id")))


@dataclass(frozen=True, slots=True)
class SqlApplications:
    """Applications."""

    connection: Connection

    def add(self, application: Application) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(ApplicationRow), application_values(application))

    def lock(self, application_id: str) -> Application:
        """Read, locked; ApplicationNotFound."""
        row = _BY_ID.on(self.connection).one(self.connection, application_id=application_id)
        if row is None:
            raise ApplicationNotFound(application_id=application_id)
        return application_of(row)

    def replace(self, application: Application) -> None:
        """Write the present form; ApplicationNotFound."""
        changed = update(ApplicationRow).where(ApplicationRow.id == application.id)
        if self.connection.execute(changed, application_values(application)).rowcount == 0:
            raise ApplicationNotFound(application_id=application.id)
