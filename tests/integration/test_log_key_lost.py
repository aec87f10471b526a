"""日志密钥 lost, destroyed, foreign, or of a log that was restored: what still holds, and how the log goes on."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seal_service.bootstrap import build
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import (
    Conflict,
    InstanceNotReady,
    IntegrityFailed,
    InvalidInput,
    LogHalted,
    NoteRefused,
)
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.log_keys import FIRST
from seal_service.domain.publication import SignedTree
from seal_service.domain.verdict import Outcome
from seal_service.formats.checkpoint import Checkpoint, open_checkpoint
from seal_service.formats.log_keys import opening_facts
from seal_service.formats.note import verifier_key
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.proofs import LogProof, write_proof
from seal_service.testing.transparency import MemoryLogKey
from seal_service.usecases.audit_log import AuditLog
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.destroy_key import DestroyKey
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKeys
from seal_service.usecases.rotate_log_key import PrepareLogKey
from tests.instance import RealOffice
from tests.rotated_log import (
    LATER,
    ROTATE,
    Backup,
    insert_checkpoint,
    key_of,
    logged,
    lose,
    numbered,
    of_kind,
    publish,
    published,
    published_office,
    records,
    recover,
    require_sound,
    rotating,
)


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[RealOffice]:
    with published_office(tmp_path) as made:
        yield made


def test_a_key_that_is_lost_is_followed_by_the_logs_own_word(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    office.use("before")
    publish(office.service)
    old = key_of(office.service).text
    with pytest.raises(Conflict, match="is here"):
        office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=old))
    lose(office, "log")
    with pytest.raises(LogHalted, match="put that back"):
        office.use("without a key")
    with pytest.raises(LogHalted, match="put that back"):
        office.service.transparency.rotate_key(MACHINE, ROTATE)
    for other in (MemoryLogKey(office.settings.origin).verifier_key, "no key"):
        with pytest.raises(InvalidInput, match="not the key that signs this log"):
            office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=other))
    told = office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=old))
    assert (told.previous_key, told.key_reference) == (old, "log-2")
    assert of_kind(office, EventKind.LOG_CLOSED) == []
    office.clock.forward(LATER)
    assert office.use("after").content is not None
    publish(office.service)
    require_sound(office)


def test_a_key_that_is_lost_before_it_signed_anything_is_followed_too(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old = key_of(office.service).text
    use_case = rotating(office)

    def until_opened(caller: Any, command: PublishCheckpoint) -> Any:
        if len(use_case.keys()) == 1:
            use_case.publish(caller, command)

    publisher: Any = until_opened
    made = replace(use_case, publish=publisher)(MACHINE, ROTATE)
    lose(office, "log-2")
    with pytest.raises(InvalidInput, match="the log names"):
        office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=old))
    office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=made.verifier_key))
    keys = office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())
    assert [one.key_reference for one in keys] == ["log", "log-2", "log-3"]
    assert keys[2].above == keys[1].above
    office.clock.forward(LATER)
    assert office.use("after all").content is not None
    publish(office.service)
    require_sound(office)


def test_a_log_whose_key_is_lost_and_whose_guard_knows_more_stays_halted(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old = key_of(office.service).text
    office.service.close()
    shutil.copytree(office.home, office.home.parent / "backup")
    office.service = build(office.settings, clock=office.clock)
    office.use("after the backup")
    publish(office.service)
    office.service.close()
    for one in office.home.glob("seal.db*"):
        one.unlink()
    shutil.copy(office.home.parent / "backup" / "seal.db", office.home / "seal.db")
    office.service = build(office.settings, clock=office.clock)
    lose(office, "log")
    with pytest.raises(LogHalted, match="its guard knows"):
        office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=old))


@pytest.mark.parametrize(("rotations", "destroyed"), [(1, []), (1, ["log"]), (2, []), (2, ["log", "log-2"])])
def test_a_backup_from_before_rotations_gets_the_keys_back_with_the_entries(
    on_sqlite: RealOffice, rotations: int, destroyed: list[str]
) -> None:
    office = on_sqlite
    backup = Backup(office)
    for _ in range(rotations):
        told = office.service.transparency.rotate_key(MACHINE, ROTATE)
        office.clock.forward(LATER)
    office.use("after")
    publish(office.service)
    for reference in destroyed:
        office.confirmed(office.service.destroy_key, DestroyKey(reference=reference, confirmed=True))
    backup.restore()
    with pytest.raises(LogHalted, match="its guard knows"):
        office.use("another history")
    with pytest.raises(LogHalted, match="its guard knows"):
        office.service.transparency.rotate_key(MACHINE, ROTATE)
    done = recover(office)
    assert done.done
    assert [one.kind for one in done.open if one.kind is EventKind.KEY_CREATED] == []
    office.clock.forward(LATER)
    assert key_of(office.service).text == told.verifier_key
    office.clock.forward(LATER)
    publish(office.service)
    open_checkpoint(published(office), verifier_key(told.verifier_key))
    require_sound(office)
    assert office.service.transparency.rotate_key(MACHINE, ROTATE).key_reference == f"log-{rotations + 2}"


def test_a_recovery_in_the_middle_of_a_rotation_keeps_what_the_old_key_signed(on_sqlite: RealOffice) -> None:
    """The guard has the next key's first checkpoint, the published file still the old key's last one."""
    office = on_sqlite
    backup = Backup(office)
    old = key_of(office.service).text
    use_case = rotating(office)
    file = office.home / "log" / "checkpoint"
    kept: list[bytes] = []

    def keeping(caller: Any, command: PublishCheckpoint) -> Any:
        if len(use_case.keys()) == 2:
            kept.append(file.read_bytes())
        return use_case.publish(caller, command)

    publisher: Any = keeping
    told = replace(use_case, publish=publisher)(MACHINE, ROTATE)
    office.confirmed(office.service.destroy_key, DestroyKey(reference="log", confirmed=True))
    file.write_bytes(kept[0])
    backup.restore()
    assert recover(office).done
    with records(office).read() as transaction:
        signed = transaction.tree.checkpoint_of(told.last.size)
    assert signed is not None
    assert open_checkpoint(signed.note, verifier_key(old)).checkpoint.root == told.last.root
    office.clock.forward(LATER)
    publish(office.service)
    require_sound(office)


def test_a_proof_by_a_key_that_ended_of_a_tree_that_never_was_shows_nothing(on_sqlite: RealOffice) -> None:
    """Whoever has the old key can sign any tree: by this log's own word, only its own trees count."""
    office = on_sqlite
    told = office.service.transparency.rotate_key(MACHINE, ROTATE)
    office.clock.forward(LATER)
    publish(office.service)
    backup = Backup(office)
    unlogged = office.use("whose entry is lost")
    assert unlogged.content is not None
    with records(office).read() as transaction:
        row = transaction.log.find(str(unlogged.use.terminal_entry_id))
    assert row is not None
    backup.restore()
    assert logged(office, unlogged.content) is not Outcome.PASS
    signer = rotating(office).publish.signer
    for depth, by_key_of in ((3, told.last.size), (20, told.last.size), (20, None)):
        path = tuple(bytes([one]) * 32 for one in range(depth))
        root = row.leaf_hash
        for one in path:
            root = hashlib.sha256(b"\1" + root + one).digest()
        text = Checkpoint(origin=office.settings.origin, size=1 << depth, root=root).text
        forged = LogProof(index=0, path=path, checkpoint=signer.sign(text, by_key_of), extra=row.canon)
        assert logged(office, unlogged.content, (write_proof(forged),)) is not Outcome.PASS


def test_without_the_key_in_force_nothing_is_sealed(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    office.service.transparency.rotate_key(MACHINE, ROTATE)
    lose(office, "log-2")
    with pytest.raises(LogHalted, match="log-2 is not here"):
        office.use("without it")
    assert not next(
        one.ready
        for one in office.service.check_readiness(PUBLIC_CALLER, CheckReadiness())
        if one.name == "publication"
    )


def test_an_entry_that_names_a_foreign_key_stops_the_log_and_gives_that_key_nothing(on_sqlite: RealOffice) -> None:
    """Whoever can insert into the database halts the log, and is no key of it."""
    office = on_sqlite
    real, foreign = key_of(office.service).text, MemoryLogKey(office.settings.origin)
    use_case = rotating(office)
    with records(office).write() as transaction:
        signed = transaction.tree.latest_checkpoint()
        assert signed is not None
        facts = opening_facts(
            office.settings.origin,
            FIRST,
            foreign.verifier_key,
            foreign.verifier_key,
            SignedTree(size=signed.size, root=signed.root),
        )
        use_case.log.append(transaction, act_of(MACHINE, Event(kind=EventKind.LOG_OPENED, facts=facts)))
        transaction.commit()
    office.clock.forward(LATER)
    for asked in (key_of, lambda service: service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())):
        with pytest.raises((InstanceNotReady, IntegrityFailed)):
            asked(office.service)
    with pytest.raises((NoteRefused, IntegrityFailed, InstanceNotReady)):
        use_case.publish.signer.open(foreign.sign(Checkpoint(origin=foreign.name, size=3, root=bytes(32)).text))
    with pytest.raises(LogHalted):
        office.use("halted")
    assert real != foreign.verifier_key


def test_a_prepared_key_signs_nothing_that_counts(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    office.service.transparency.prepare_key(MACHINE, PrepareLogKey())
    office.use("a")
    publish(office.service)
    office.use("b")
    signer = rotating(office).publish.signer
    size = insert_checkpoint(office, lambda text: signer.sign(text, periods=[numbered(office, 2)]))
    found = office.service.transparency.checks.audit(office.operator, AuditLog()).findings
    assert [one.subject for one in found] == [str(size)]


def test_a_new_guard_brings_no_new_key(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    office.service.transparency.rotate_key(MACHINE, ROTATE)
    office.confirmed(office.service.destroy_key, DestroyKey(reference="log", confirmed=True))
    publish(office.service)
    shutil.rmtree(office.settings.guard_directory)
    made = office.service.transparency.initialise(MACHINE, InitialiseLog(guard_lost=True))
    assert not made.key_made
    assert made.verifier_key == key_of(office.service).text
    assert not (office.settings.key_directory / "log.key").exists()
    office.clock.forward(LATER)
    assert office.use("after").content is not None


def test_a_guard_and_a_key_that_are_both_lost_are_put_right_one_after_the_other(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old = key_of(office.service).text
    lose(office, "log")
    shutil.rmtree(office.settings.guard_directory)
    made = office.service.transparency.initialise(MACHINE, InitialiseLog(guard_lost=True))
    assert (made.key_made, made.verifier_key) == (False, None)
    office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=old))
    office.clock.forward(LATER)
    assert office.use("after").content is not None
    require_sound(office)
