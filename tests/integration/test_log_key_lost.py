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
    AlreadyRegistered,
    Conflict,
    InstanceNotReady,
    IntegrityFailed,
    InvalidInput,
    LogDamaged,
    LogHalted,
    NoteRefused,
)
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.log_keys import FIRST
from seal_service.domain.publication import DAMAGED_FILES, SignedTree
from seal_service.domain.verdict import Outcome
from seal_service.formats.checkpoint import Checkpoint, open_checkpoint
from seal_service.formats.log_keys import opening_facts
from seal_service.formats.note import verifier_key
from seal_service.formats.upload import upload_of
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.proofs import LogProof, write_proof
from seal_service.ports.records import Observation
from seal_service.testing.transparency import MemoryLogKey
from seal_service.usecases.audit_log import AuditLog
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.destroy_key import DestroyKey
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.read_log_key import ReadLogKeys
from seal_service.usecases.rotate_log_key import PrepareLogKey
from seal_service.usecases.verify_document import VerifyDocument
from tests.instance import RealOffice
from tests.rotated_log import (
    LATER,
    ROTATE,
    Backup,
    insert_checkpoint,
    keeping,
    key_of,
    logged,
    lose,
    numbered,
    of_kind,
    proof,
    publish,
    published,
    published_office,
    records,
    recover,
    require_going_on,
    require_sound,
    rotating,
    unfinished,
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
    for other, told_so in (
        (MemoryLogKey(office.settings.origin).verifier_key, "not the key that"),
        ("no", "given out"),
    ):
        with pytest.raises(InvalidInput, match=told_so):
            office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=other))
    told = office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=old))
    assert (told.previous_key, told.key_reference) == (old, "log-2")
    assert of_kind(office, EventKind.LOG_CLOSED) == []
    require_going_on(office)


def test_a_key_that_is_lost_before_it_signed_anything_is_followed_too(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old = key_of(office.service).text
    made = unfinished(rotating(office))(MACHINE, ROTATE)
    lose(office, "log-2")
    with pytest.raises(InvalidInput, match="the log names"):
        office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=old))
    office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=made.verifier_key))
    keys = office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())
    assert [one.key_reference for one in keys] == ["log", "log-2", "log-3"]
    assert keys[2].above == keys[1].above
    require_going_on(office)


def test_a_log_whose_key_is_lost_and_whose_guard_knows_more_is_recovered_first(on_sqlite: RealOffice) -> None:
    """The machine is lost: an old backup of the database, and no key."""
    office = on_sqlite
    old = key_of(office.service).text
    backup = Backup(office)
    office.use("after the backup")
    publish(office.service)
    backup.restore()
    lose(office, "log")
    with pytest.raises(LogHalted, match="its guard knows"):
        office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=old))
    with pytest.raises(LogHalted, match="put that back"):
        recover(office)
    with pytest.raises(LogHalted, match="no checkpoint of this log"):
        recover(office, MemoryLogKey(office.settings.origin).verifier_key)
    with pytest.raises(InvalidInput, match="as it was given out"):
        recover(office, "no key")
    assert recover(office, old).done
    with pytest.raises(LogHalted, match="put that back"):
        office.use("still without a key")
    require_followed(office, old)


def test_a_key_that_signed_is_lost_and_followed(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    told = office.service.transparency.rotate_key(MACHINE, ROTATE)
    office.clock.forward(LATER)
    office.use("under the second key")
    publish(office.service)
    lose(office, "log-2")
    keys = office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())
    assert keys[-1].verifier_key == told.verifier_key, "the log names the key that is lost"
    require_followed(office, told.verifier_key)


def test_a_backup_with_keys_from_before_a_rotation_is_recovered_by_the_lost_keys_name(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    backup = Backup(office)
    told = office.service.transparency.rotate_key(MACHINE, ROTATE)
    office.use("after")
    publish(office.service)
    backup.restore()
    lose(office, "log-2")
    with pytest.raises(LogHalted, match="no checkpoint of this log"):
        recover(office)
    assert recover(office, told.verifier_key).done
    office.clock.forward(LATER)
    require_followed(office, told.verifier_key)


def test_what_the_publisher_met_does_not_keep_a_lost_key_in_force(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old = key_of(office.service).text
    with records(office).write() as transaction:
        met = Observation(name=DAMAGED_FILES, at=office.clock.now(), well=False, detail="a file has other bytes")
        transaction.observations.put(met)
        transaction.commit()
    lose(office, "log")
    require_followed(office, old)


def require_followed(office: RealOffice, lost: str) -> None:
    """The key that is lost is followed, and the log goes on."""
    office.service.transparency.rotate_key(MACHINE, replace(ROTATE, lost_key=lost))
    require_going_on(office)


def test_between_its_entry_and_its_first_checkpoint_a_key_is_needed_too(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    unfinished(rotating(office))(MACHINE, ROTATE)
    lose(office, "log-2")
    with pytest.raises(LogHalted, match="log-2 is not here"):
        office.use("without it")


def test_a_published_file_by_a_key_between_that_is_gone_is_recovered_with_the_rest(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    backup = Backup(office)
    office.service.transparency.rotate_key(MACHINE, ROTATE)
    kept = list[bytes]()
    keeping(office, kept)(MACHINE, ROTATE)
    office.confirmed(office.service.destroy_key, DestroyKey(reference="log-2", confirmed=True))
    (office.home / "log" / "checkpoint").write_bytes(kept[0])
    backup.restore()
    assert recover(office).done
    office.clock.forward(LATER)
    publish(office.service)
    require_sound(office)


def test_a_checkpoint_by_a_foreign_key_is_not_taken_up_by_a_recovery(on_sqlite: RealOffice) -> None:
    """The right tree, signed by nobody whom the entries name: the published file is not believed."""
    office = on_sqlite
    backup = Backup(office)
    office.use("a")
    publish(office.service)
    with records(office).read() as transaction:
        signed = transaction.tree.latest_checkpoint()
    assert signed is not None
    office.use("b")
    publish(office.service)
    foreign = MemoryLogKey(office.settings.origin)
    text = Checkpoint(origin=foreign.name, size=signed.size, root=signed.root).text
    (office.home / "log" / "checkpoint").write_bytes(foreign.sign(text))
    backup.restore()
    with pytest.raises(LogDamaged, match="a key that the log does not name"):
        recover(office)


def test_a_guard_under_a_later_key_is_no_foreign_one(on_sqlite: RealOffice) -> None:
    """Nobody begins a new guard in its place because the database was restored."""
    office = on_sqlite
    backup = Backup(office)
    office.service.transparency.rotate_key(MACHINE, ROTATE)
    backup.restore()
    with pytest.raises(AlreadyRegistered):
        office.service.transparency.initialise(MACHINE, InitialiseLog(guard_lost=True))


def test_an_audit_finds_a_key_that_nothing_before_it_names(on_sqlite: RealOffice) -> None:
    """A prepared key, put into force by whoever can insert into the database."""
    office = on_sqlite
    prepared = office.service.transparency.prepare_key(MACHINE, PrepareLogKey())
    publish(office.service)
    use_case, old = rotating(office), key_of(office.service).text
    with records(office).write() as transaction:
        signed = transaction.tree.latest_checkpoint()
        assert signed is not None
        facts = opening_facts(
            office.settings.origin, FIRST, old, prepared, SignedTree(size=signed.size, root=bytes(32))
        )
        entry = use_case.log.append(transaction, act_of(MACHINE, Event(kind=EventKind.LOG_OPENED, facts=facts)))
        transaction.commit()
    office.clock.forward(LATER)
    publish(office.service)
    found = office.service.transparency.checks.audit(office.operator, AuditLog()).findings
    assert {(one.subject, "log.close" in one.detail or "root" in one.detail) for one in found} == {
        (entry.entry_id, True),
        (str(signed.size), True),
    }


def test_an_audit_tells_of_an_entry_that_names_no_key(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    with records(office).write() as transaction:
        facts: dict[str, Any] = {"origin": office.settings.origin, "key_number": 7}
        event = Event(kind=EventKind.LOG_OPENED, facts=facts)
        entry = rotating(office).log.append(transaction, act_of(MACHINE, event))
        transaction.commit()
    office.clock.forward(LATER)
    found = office.service.transparency.checks.audit(office.operator, AuditLog()).findings
    assert any(entry.entry_id in one.detail for one in found)
    with pytest.raises(LogHalted, match=entry.entry_id):
        office.use("halted")


def test_an_ended_keys_file_that_cannot_be_read_is_not_needed(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    office.service.transparency.rotate_key(MACHINE, ROTATE)
    office.service.close()
    (office.settings.key_directory / "log.key").write_bytes(b"\x00" * 40)
    office.service = build(office.settings, clock=office.clock)
    assert len(office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())) == 2
    assert office.use("after").content is not None
    publish(office.service)
    require_sound(office)


def test_a_foreign_key_in_the_place_of_a_lost_one_keeps_no_other_from_following(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    told = office.service.transparency.rotate_key(MACHINE, ROTATE)
    lose(office, "log-2")
    rotating(office).maker.create(2)
    with pytest.raises(LogHalted, match="move this one away"):
        office.use("by a foreign key")
    lose(office, "log-2")
    require_followed(office, told.verifier_key)


def test_another_process_believes_a_proof_by_the_next_key_at_once(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    other = build(office.settings, clock=office.clock)
    try:
        key_of(other)
        office.service.transparency.rotate_key(MACHINE, ROTATE)
        applied = office.use("after")
        publish(office.service)
        assert applied.content is not None
        command = VerifyDocument(document=upload_of(applied.content), proofs=(proof(office, applied),))
        [signature] = other.verify_document(PUBLIC_CALLER, command).signatures
        assert next(one.outcome for one in signature.checks if one.id == "logged") is Outcome.PASS
    finally:
        other.close()


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
    kept = list[bytes]()
    told = keeping(office, kept)(MACHINE, ROTATE)
    office.confirmed(office.service.destroy_key, DestroyKey(reference="log", confirmed=True))
    (office.home / "log" / "checkpoint").write_bytes(kept[0])
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
