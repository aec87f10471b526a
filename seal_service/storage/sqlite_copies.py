"""Copies of an SQLite database while it is in use, by SQLite's online backup."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection

from seal_service.domain.backup import DatabaseFacts, NamedBlob
from seal_service.domain.errors import Conflict, IntegrityFailed, Unavailable
from seal_service.ports.backup import Told
from seal_service.storage.database_facts import blobs_named, facts_of
from seal_service.storage.engine import open_database
from seal_service.storage.refusals import database_failures
from seal_service.storage.sqlite import plain_connection, sqlite_module

SCRATCH = ".backup"
"""Directory beside the database for the copy, which is not encrypted yet: it never leaves the instance's volume."""
_PAGES_AT_ONCE = 2048
_CHUNK = 1 << 20


class CopiedState:
    """A copy of the file, and a connection that reads it."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self.facts: DatabaseFacts = facts_of(connection)
        self._path = path
        self._connection = connection

    def blobs(self) -> AbstractContextManager[Iterator[NamedBlob]]:
        """Every blob that this state names."""
        return blobs_named(self._connection)

    def content(self) -> Iterator[bytes]:
        """The database file."""
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


class SqliteCopies:
    """Copies of the database file at a path. In WAL mode writers go on; else they wait while it is copied."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def state(self, told: Told) -> Iterator[CopiedState]:
        """The state now; Conflict while another backup is made here, IntegrityFailed when the file is damaged."""
        with database_failures(), _scratch(self._path.parent / SCRATCH) as scratch:
            copy = scratch / self._path.name
            try:
                _copy(self._path, copy, told)
            except sqlite_module().Error as error:
                raise Unavailable(f"The database cannot be copied: {error}") from error
            database = open_database(f"sqlite:///{copy}")
            try:
                with database.reader.begin() as connection:
                    yield CopiedState(copy, connection)
            finally:
                database.close()


def _copy(source: Path, target: Path, told: Told) -> None:
    def progress(_status: int, remaining: int, total: int) -> None:
        told("copying the database", total - remaining, total)

    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(plain_connection(source)) as reading, closing(plain_connection(target)) as writing:
        reading.execute("PRAGMA query_only=ON")
        writing.execute("PRAGMA synchronous=OFF")  # of use only once it is encrypted elsewhere
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the state of this moment, to the end
        reading.backup(writing, pages=_PAGES_AT_ONCE, progress=progress)
        reading.execute("ROLLBACK")
        writing.execute("PRAGMA journal_mode=DELETE")  # one file, without a write-ahead log beside it
        found = writing.execute("PRAGMA quick_check(1)").fetchone()
        if found != ("ok",):
            raise IntegrityFailed(f"The database is damaged and was not backed up: {found[0]}; see `seal db check`")


@contextmanager
def _scratch(directory: Path) -> Iterator[Path]:
    """The directory, empty, for one backup at a time; what a killed one left in it is removed first."""
    directory.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another backup of this instance is being made: wait for its end") from None
        _empty(directory)
        try:
            yield directory
        finally:
            _empty(directory)
    finally:
        os.close(descriptor)


def _empty(directory: Path) -> None:
    for one in directory.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink()
