"""What the contract tests run on."""

from __future__ import annotations

import sqlite3.dbapi2
from collections.abc import Iterator
from pathlib import Path

import pytest

from seal_service.ports.records import Records, Transaction
from seal_service.storage.engine import Database, open_database
from seal_service.storage.schema import upgrade
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.testing import MemoryRecords
from tests.storage_samples import add_seal_with_grant

SQLITE = {"sqlite": None, "sqlite of Python": sqlite3.dbapi2}


def sqlite_database(engine: str, directory: Path) -> Database:
    """An empty database with the present schema."""
    database = open_database(f"sqlite:///{directory / 'seal.db'}", SQLITE[engine])
    upgrade(database.owner)
    return database


@pytest.fixture(params=SQLITE)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database on each engine that has one."""
    opened = sqlite_database(request.param, tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=[*SQLITE, "fake"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    """Records on each engine, and the fake of `seal_service.testing`."""
    if request.param == "fake":
        yield MemoryRecords()
        return
    opened = sqlite_database(request.param, tmp_path)
    yield SqlRecords(opened)
    opened.close()


@pytest.fixture
def written(records: Records) -> Iterator[Transaction]:
    """A write transaction in which a seal with its grant exists."""
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        yield transaction
