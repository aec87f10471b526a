"""防重放: what was signed for one use is accepted once, by all processes of the service together.

A DPoP proof comes with every call, so remembering it stands on the path of every seal use, and memory of one process is
not enough where several workers share an address. RFC 9449, 11.1, lets a server remember a proof for the short time in
which it would be accepted at all (a minute here); so nothing has to outlast a crash, only the moment:

* On PostgreSQL, which several machines may share, a row in an unlogged table, in a transaction that waits for no disk.
* On SQLite, which serves one machine and lets one transaction write at a time, a file that only one process can create
  (O_EXCL), in a directory for each time in which it has to be remembered. It waits for no lock, and is as durable as
  the running machine: a proof from before a power cut is too old when the machine is up again.
"""

from __future__ import annotations

import os
import shutil
import threading
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import bindparam, delete, text
from sqlalchemy.dialects import postgresql

from seal_service.storage.engine import Database
from seal_service.storage.refusals import database_failures
from seal_service.storage.statement import Statement
from seal_service.storage.tables import EPOCH, PresentedProofRow

_BUCKET = timedelta(seconds=60)
_CLEANED_EVERY = timedelta(seconds=30)
_HEX = frozenset("0123456789abcdef")
_NO_WAIT = Statement(text("SET LOCAL synchronous_commit = off"))
_INSERT = Statement(
    postgresql.insert(PresentedProofRow)
    .values(once=bindparam("once"), until=bindparam("until"))
    .on_conflict_do_nothing(index_elements=["once"])
)


def replay_guard(database: Database, directory: Path) -> FileReplayGuard | SqlReplayGuard:
    """The one that fits the engine."""
    if database.writer.dialect.name == "postgresql":
        return SqlReplayGuard(database)
    return FileReplayGuard(directory)


class FileReplayGuard:
    """Files that are created once, in directories by the minute until which they count."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._cleaned = EPOCH
        self._turn = threading.Lock()

    def is_first(self, once: str, until: datetime, now: datetime) -> bool:
        """Whether this call created the file. ValueError for a name that is not hexadecimal."""
        if not once or not set(once) <= _HEX:
            raise ValueError("what is shown once is named in hexadecimal")
        bucket = self._directory / str((until - EPOCH) // _BUCKET + 1)
        self._clean(now)
        try:
            return _created(bucket / once)
        except FileNotFoundError:
            bucket.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _created(bucket / once)

    def _clean(self, now: datetime) -> None:
        """Remove directories whose time is over; a run that another process is at is left to it."""
        if now - self._cleaned < _CLEANED_EVERY or not self._turn.acquire(blocking=False):
            return
        try:
            self._cleaned = now
            present = (now - EPOCH) // _BUCKET
            for old in self._directory.glob("[0-9]*"):
                if old.name.isdecimal() and int(old.name) < present:
                    shutil.rmtree(old, ignore_errors=True)
        finally:
            self._turn.release()


class SqlReplayGuard:
    """Rows of an unlogged table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cleaned = EPOCH

    def is_first(self, once: str, until: datetime, now: datetime) -> bool:
        """Whether this call wrote the row: the others wait for its commit and find it. Unavailable."""
        cleaning = now - self._cleaned >= _CLEANED_EVERY
        with database_failures(), self._database.writer.begin() as connection:
            _NO_WAIT.run(connection, {})
            written = _INSERT.run(connection, {"once": once, "until": until}) == 1
            if cleaning:
                self._cleaned = now
                connection.execute(delete(PresentedProofRow).where(PresentedProofRow.until < now - _BUCKET))
        return written


def _created(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True
