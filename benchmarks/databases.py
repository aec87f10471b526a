"""The databases that an instance is measured on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.session import Session
from tests import postgresql

SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"


def measured_on(session: Session) -> list[str]:
    """Those that can be had here; what is missing is said."""
    found = [SQLITE]
    if not session.amounts.postgresql:
        session.skip("PostgreSQL, in a quick run")
    elif postgresql.programs() is None or shutil.which("setpriv") is None:
        session.skip("PostgreSQL, which is not installed (Debian: apt-get install postgresql)")
    else:
        found.append(POSTGRESQL)
    return found


@contextmanager
def lent(name: str, session: Session) -> Iterator[dict[str, object]]:
    """The settings by which an instance stands on it; a throw-away cluster beside the instance, on the same disk."""
    if name == SQLITE:
        yield {}
        return
    session.directory.chmod(0o711)  # the server runs as a user of its own, who must come through
    cluster = postgresql.Cluster(place=session.directory)
    try:
        yield cluster.create("measured").settings
    finally:
        cluster.stop()
