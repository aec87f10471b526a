"""Whatever is changed behind the service's back, the deep check names the invariant that no longer holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from seal_service.bootstrap import build
from seal_service.config import Settings
from seal_service.domain.access import Caller
from seal_service.domain.errors import AuthorizationDenied, SealServiceError
from seal_service.domain.invariants import Checked, Invariant
from seal_service.domain.use import Operator, SignatureLevel
from seal_service.storage.database_check import sqlite_faults
from seal_service.storage.sqlite import plain_connection
from seal_service.storage.sqlite_copies import SqliteCopies
from seal_service.usecases.check_database import MOST_OF_EACH, CheckDatabase
from tests.instance import RealOffice, blank_pdf

OPERATOR = Operator(id="样-001", name="样某")


@dataclass
class Damaged:
    """A copy of an instance that a test may damage."""

    settings: Settings
    operator: Caller

    def change(self, *statements: str) -> None:
        """Change rows as one who owns the file can: without triggers, without references."""
        with closing(plain_connection(self.settings.home / "seal.db")) as connection:
            triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert connection.execute(statement).rowcount, statement

    def one(self, question: str) -> Any:
        with closing(plain_connection(self.settings.home / "seal.db")) as connection:
            return connection.execute(question).fetchone()[0]

    def check(self, *, deep: bool = True) -> Checked:
        service = build(self.settings)
        try:
            return service.check_database(self.operator, CheckDatabase(deep=deep))
        finally:
            service.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> RealOffice:
    made = RealOffice(tmp_path_factory.mktemp("check") / "instance", uses=3)
    with pytest.raises(AuthorizationDenied):
        made.service.apply_seal(made.system, replace(made.request("denied"), scenario="another"))
    made.person(OPERATOR.id, OPERATOR.name)
    for number in range(3):
        request = made.request(f"use-{number}", blank_pdf(mark=str(number)), SignatureLevel.B_B)
        made.service.apply_seal(made.system, replace(request, operator=OPERATOR))
    made.service.close()
    return made


@pytest.fixture
def damaged(office: RealOffice, tmp_path: Path) -> Damaged:
    home = Path(shutil.copytree(office.home, tmp_path / "instance"))
    return Damaged(Settings(home=home, keys=home / "keys"), office.operator)


def test_an_instance_that_nobody_changed_is_clean(damaged: Damaged) -> None:
    found = damaged.check()
    assert found.findings == ()
    assert found.clean
    assert found.checked == {"log_entries": damaged.one("SELECT count(*) FROM sign_log"), "documents": 4, "keys": 7}


COMPLETED = "SELECT entry_id FROM sign_log WHERE kind = 'seal.completed' ORDER BY seq LIMIT 1"
INTENT = "SELECT entry_id FROM sign_log WHERE kind = 'seal.intent' ORDER BY seq LIMIT 1"
USE = "SELECT id FROM seal_use ORDER BY reserved_at LIMIT 1"

CHANGES: dict[str, tuple[Invariant, str]] = {
    "a byte of an entry": (
        Invariant.LEAF,
        "UPDATE sign_log SET canon = CAST(replace(CAST(canon AS TEXT), 'permit', 'permjt') AS BLOB) "
        f"WHERE entry_id = ({INTENT})",
    ),
    "the leaf hash of an entry": (
        Invariant.LEAF,
        f"UPDATE sign_log SET leaf_hash = zeroblob(32) WHERE entry_id = ({INTENT})",
    ),
    "the kind of an entry": (Invariant.PROJECTION, f"UPDATE sign_log SET kind = 'x.y' WHERE entry_id = ({COMPLETED})"),
    "the time of an entry": (Invariant.PROJECTION, f"UPDATE sign_log SET at = at + 1000 WHERE entry_id = ({INTENT})"),
    "the result of an entry": (
        Invariant.PROJECTION,
        "UPDATE sign_log SET result = 'success' WHERE kind = 'seal.denied'",
    ),
    "the operator of an entry": (
        Invariant.PROJECTION,
        f"UPDATE sign_log SET operator_ref = 'another' WHERE entry_id = ({INTENT})",
    ),
    "a personal field": (
        Invariant.PERSONAL,
        f"UPDATE private_field SET ciphertext = zeroblob(60) WHERE name = 'operator_name' AND entry_id = ({INTENT})",
    ),
    "a personal field of another entry": (
        Invariant.PERSONAL,
        "UPDATE private_field AS one SET ciphertext = (SELECT ciphertext FROM private_field AS other WHERE "
        "other.name = one.name AND other.entry_id <> one.entry_id LIMIT 1) "
        f"WHERE one.name = 'document_name' AND entry_id = ({INTENT})",
    ),
    "a denied use that is taken out of the log": (Invariant.COUNTER, "DELETE FROM sign_log WHERE kind = 'seal.denied'"),
    "a use that is taken out": (Invariant.INTENT, f"DELETE FROM seal_use WHERE id = ({USE})"),
    "a use of another seal's intent": (
        Invariant.INTENT,
        f"UPDATE seal_use SET intent_leaf_hash = zeroblob(32) WHERE id = ({USE})",
    ),
    "an end that is taken out": (Invariant.TERMINAL, f"DELETE FROM log_terminal WHERE entry_id = ({COMPLETED})"),
    "an end of another intent": (
        Invariant.TERMINAL,
        f"UPDATE log_terminal SET entry_id = ({INTENT}) WHERE entry_id = ({COMPLETED})",
    ),
    "a completed use that is open again": (
        Invariant.COMPLETED,
        f"UPDATE seal_use SET state = 'reserved' WHERE id = ({USE})",
    ),
    "a completed use that is said to have failed": (
        Invariant.COMPLETED,
        f"UPDATE seal_use SET state = 'failed' WHERE id = ({USE})",
    ),
    "a failed use with a document": (
        Invariant.RELEASED,
        f"UPDATE seal_use SET state = 'abandoned' WHERE id = ({USE})",
    ),
    "the count of a grant": (Invariant.GRANTED, "UPDATE use_grant SET uses_counted = 1"),
    "the state of a seal": (Invariant.STATUS, "UPDATE seal SET state = 'suspended'"),
    "a document that nobody has": (
        Invariant.DOCUMENT,
        f"UPDATE seal_use SET sealed_sha256 = '{'0' * 64}' WHERE id = ({USE})",
    ),
    "the picture of a seal": (Invariant.DOCUMENT, f"UPDATE seal SET impression_digest = '{'1' * 64}'"),
    "the key of a seal": (Invariant.KEY, "UPDATE seal_credential SET key_reference = 'nobodys'"),
    "a row without the row that it refers to": (
        Invariant.REFERENCES,
        f"UPDATE seal_use SET grant_id = 'nobodys' WHERE id = ({USE})",
    ),
}


@pytest.mark.parametrize(("invariant", "statement"), CHANGES.values(), ids=CHANGES)
def test_a_change_behind_the_service_breaks_its_invariant(
    damaged: Damaged, invariant: Invariant, statement: str
) -> None:
    damaged.change(statement)
    found = damaged.check()
    assert not found.clean
    assert invariant in found.counts
    assert invariant in {one.invariant for one in found.findings}


def _flip_the_last_bit(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def _missing_document(home: Path) -> None:
    next(one for one in sorted((home / "blobs").glob("??/??/*"))).unlink()


def _changed_document(home: Path) -> None:
    file = next(one for one in sorted((home / "blobs").glob("??/??/*")))
    _flip_the_last_bit(file)


def _missing_key(home: Path) -> None:
    next(one for one in sorted((home / "keys").glob("*.key")) if one.name != "master.key").unlink()


def _changed_key(home: Path) -> None:
    file = next(one for one in sorted((home / "keys").glob("*.key")) if one.name != "master.key")
    _flip_the_last_bit(file)


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        (_missing_document, Invariant.DOCUMENT),
        (_changed_document, Invariant.DOCUMENT),
        (_missing_key, Invariant.KEY),
        (_changed_key, Invariant.KEY),
    ],
)
def test_a_file_that_is_gone_or_changed_is_found(
    damaged: Damaged, damage: Callable[[Path], None], invariant: Invariant
) -> None:
    damage(damaged.settings.home)
    assert set(damaged.check().counts) == {invariant}


def test_a_damaged_page_is_found_without_looking_deep(damaged: Damaged) -> None:
    damaged.change("UPDATE unit SET name = name")
    root, size = damaged.one("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_sign_log_at'"), 4096
    with (damaged.settings.home / "seal.db").open("r+b") as file:
        file.seek((root - 1) * size + size // 2)
        file.write(b"\xff" * (size // 2))
    found = damaged.check(deep=False)
    assert Invariant.DATABASE in found.counts


def test_a_file_that_is_too_damaged_to_be_checked_is_found_too(damaged: Damaged) -> None:
    damaged.change("UPDATE unit SET name = name")
    file = damaged.settings.home / "seal.db"
    damaged.one("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2 // 4096 * 4096])
    assert next(one.invariant for one in sqlite_faults(file, 5)) is Invariant.DATABASE
    with pytest.raises(SealServiceError), SqliteCopies(file).state(lambda *_: None):
        pass
    assert list((damaged.settings.home / ".backup").iterdir()) == []


def test_findings_are_counted_all_and_kept_few(damaged: Damaged) -> None:
    rows = damaged.one("SELECT count(*) FROM sign_log")
    assert rows > MOST_OF_EACH
    damaged.change("UPDATE sign_log SET leaf_hash = zeroblob(32)")
    found = damaged.check()
    assert found.counts[Invariant.LEAF] == rows
    assert len([one for one in found.findings if one.invariant is Invariant.LEAF]) == MOST_OF_EACH
