"""Several processes write one database, and some are killed while they do."""

from __future__ import annotations

import os
import signal
import sqlite3.dbapi2
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from seal_service.storage.engine import open_database
from seal_service.storage.schema import upgrade
from seal_service.storage.unit_of_work import SqlRecords
from tests.storage_samples import CODE

ROOT = Path(__file__).parents[2]
MODULES = {"pysqlite3 or Python's": None, "Python's": sqlite3.dbapi2}

WRITER = """
import sqlite3.dbapi2, sys
sys.path.insert(0, {root!r})
from seal_service.storage.engine import open_database
from seal_service.storage.unit_of_work import SqlRecords
from tests.storage_samples import CODE, log_row

records = SqlRecords(open_database({url!r}, sqlite3.dbapi2 if {own!r} else None))
for number in range({count}):
    with records.write() as transaction:
        seq = transaction.log.next_seq(CODE)
        transaction.log.insert(log_row(f"{name}-{{number}}", seq=seq, seal_code=CODE))
        serial = transaction.seals.next_serial("999900")
        transaction.commit()
    print(seq, serial, flush=True)
"""


def start(url: str, module: ModuleType | None, name: str, count: int) -> subprocess.Popen[str]:
    program = WRITER.format(root=str(ROOT), url=url, own=module is not None, name=name, count=count)
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_processes_share_counters_without_gap_or_double(tmp_path: Path, module: ModuleType | None) -> None:
    url = f"sqlite:///{tmp_path / 'seal.db'}"
    database = open_database(url, module)
    upgrade(database.owner)
    writers = [start(url, module, name, 40) for name in "ab"]
    outputs = [writer.communicate(timeout=120)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    given = [tuple(map(int, line.split())) for output in outputs for line in output.splitlines()]
    assert sorted(given) == [(number, number) for number in range(1, 81)]
    database.close()


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_what_a_killed_process_committed_is_there_and_whole(tmp_path: Path, module: ModuleType | None) -> None:
    """Readers that come first after a kill must be able to roll back what was left half written."""
    url = f"sqlite:///{tmp_path / 'seal.db'}"
    database = open_database(url, module)
    upgrade(database.owner)
    database.close()
    committed = 0
    for life in range(2):
        writer = start(url, module, f"life {life}", 100_000)
        assert writer.stdout is not None
        for _ in range(30 + 7 * life):
            committed = int(writer.stdout.readline().split()[0])
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().splitlines()
        writer.wait()
        writer.stdout.close()
        whole = [line for line in rest if len(line.split()) == 2]
        committed = int(whole[-1].split()[0]) if whole else committed
        database = open_database(url, module)
        records = SqlRecords(database)
        with records.read() as transaction:
            following = transaction.log.next_seq(CODE)
        assert committed < following <= committed + 2  # one more may be committed and not yet told
        with records.write() as transaction:
            assert transaction.seals.next_serial("999900") == following
        with database.reader.connect() as connection:
            pending = connection.exec_driver_sql("SELECT count(*) FROM log_pending").scalar()
        assert pending == following - 1
        database.close()
