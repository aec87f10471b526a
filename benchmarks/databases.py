"""The instances that are measured, one on each database, and their seals: founded when first asked for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.office import GrantedSeal, Office
from seal_service.domain.algorithms import Suite
from tests import postgresql

SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"


def has_postgresql() -> bool:
    """Whether a throw-away cluster can be had here."""
    return postgresql.programs() is not None and shutil.which("setpriv") is not None


class Instances:
    """Instances in a directory, until their context ends."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._offices: dict[str, Office] = {}
        self._seals: dict[tuple[str, Suite], GrantedSeal] = {}
        self._to_be_closed = ExitStack()
        self._started: postgresql.Cluster | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._to_be_closed.close()

    def on(self, database: str = SQLITE) -> Office:
        """The instance on a database."""
        if database not in self._offices:
            changes = self._cluster().create("measured").settings if database == POSTGRESQL else {}
            office = Office(self._directory / f"instance-{database}", changes)
            self._to_be_closed.callback(office.close)
            self._offices[database] = office
        return self._offices[database]

    def apart(self, name: str, database: str = SQLITE, changes: Mapping[str, object] | None = None) -> Office:
        """A further instance on a database of its own, for what fills it, with changes of its settings."""
        of_database = self._cluster().create("apart").settings if database == POSTGRESQL else {}
        office = Office(self._directory / f"apart-{name}", {**of_database, **(changes or {})})
        self._to_be_closed.callback(office.close)
        return office

    def seal(self, suite: Suite, database: str = SQLITE) -> GrantedSeal:
        """Its seal of a suite."""
        if (database, suite) not in self._seals:
            self._seals[database, suite] = self.on(database).granted_seal(suite)
        return self._seals[database, suite]

    def _cluster(self) -> postgresql.Cluster:
        """A throw-away one beside the instances, on the same disk."""
        if self._started is None:
            self._directory.chmod(0o711)  # the server runs as a user of its own, who must come through
            self._started = postgresql.Cluster(place=self._directory)
            self._to_be_closed.callback(self._started.stop)
        return self._started
