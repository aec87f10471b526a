"""What the contract tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seal_service.ports.records import Records, Transaction
from seal_service.storage.engine import Database
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.testing import MemoryRecords
from tests.engines import ENGINES, lent
from tests.storage_samples import add_seal_with_grant


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the present schema, on each engine."""
    with lent(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture(params=[*ENGINES, "fake"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    """Records on each engine, and the fake of `seal_service.testing`."""
    if request.param == "fake":
        yield MemoryRecords()
        return
    with lent(request.param, tmp_path) as opened:
        yield SqlRecords(opened)


@pytest.fixture
def written(records: Records) -> Iterator[Transaction]:
    """A write transaction in which a seal with its grant exists."""
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        yield transaction
