"""日志密钥轮换: the log's tree goes on under another key, and whoever trusts the one before can follow."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from seal_service.__main__ import seal_command
from seal_service.bootstrap import Service, build
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import (
    Conflict,
    KeyInUse,
    LogHalted,
    NoteRefused,
    SoftwareKeysRefused,
    Unavailable,
)
from seal_service.domain.events import EventKind
from seal_service.domain.verdict import Outcome
from seal_service.formats import canonical
from seal_service.formats.checkpoint import open_checkpoint
from seal_service.formats.cosignature import cosigned_at
from seal_service.formats.note import verifier_key
from seal_service.formats.receipt import open_receipt
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.merkle import consistency_holds, root_of
from seal_service.log.proofs import read_proof, verified_proof
from seal_service.ports.records import Records, Transaction
from seal_service.ports.transparency import LogKeyMaker
from seal_service.usecases.audit_log import AuditLog
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.destroy_key import DestroyKey
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.prove_entry import ProveEntry
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKeys
from seal_service.usecases.read_published_log import ProveConsistency
from seal_service.usecases.rotate_log_key import LogKeyRotated, PrepareLogKey
from seal_service.usecases.sequence_log import SequenceLog
from tests.instance import RealOffice
from tests.rotated_log import (
    LATER,
    ROTATE,
    entries,
    insert_checkpoint,
    key_of,
    logged,
    of_kind,
    proof,
    publish,
    published,
    published_office,
    records,
    require_sound,
    rotating,
)
from tests.witness_process import key_of as witness_key_of
from tests.witness_process import made_witness, serving


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealOffice]:
    with published_office(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[RealOffice]:
    with published_office(tmp_path) as made:
        yield made


def test_the_tree_goes_on_under_the_next_key(office: RealOffice) -> None:
    before = office.use("before")
    publish(office.service)
    old, first_proof = key_of(office.service), proof(office, before)
    told = office.service.transparency.rotate_key(MACHINE, ROTATE)
    new = key_of(office.service)
    assert (told.previous_key, told.verifier_key, told.key_reference) == (old.text, new.text, "log-2")
    assert new.name == old.name
    assert new != old
    # What is published and guarded is the next key's alone.
    opened = open_checkpoint(published(office), new).checkpoint
    assert opened.size == told.size > told.last.size
    open_checkpoint((office.settings.guard_directory / "checkpoint").read_bytes(), new)
    with pytest.raises(NoteRefused):
        open_checkpoint(published(office), old)
    # The tree is one: it follows the last that the old key signed.
    found = office.service.transparency.prove_consistency(
        PUBLIC_CALLER, ProveConsistency(old=told.last.size, size=opened.size)
    )
    assert consistency_holds(told.last.size, opened.size, found.path, told.last.root, opened.root)
    # Seals go on, and what was proven under the old key is still.
    office.clock.forward(LATER)
    after = office.use("after")
    assert after.receipt is not None
    assert open_receipt(after.receipt.content, new)
    publish(office.service)
    assert before.content is not None
    assert after.content is not None
    for content in (before.content, after.content):
        assert logged(office, content) is Outcome.PASS
    assert logged(office, before.content, (first_proof,)) is Outcome.PASS, "by the log's own word, of either key"
    assert logged(office, before.content, (first_proof,), (old.text,)) is Outcome.PASS
    assert logged(office, before.content, (proof(office, before),), (new.text,)) is Outcome.PASS
    assert logged(office, before.content, (first_proof,), (new.text,)) is not Outcome.PASS
    assert next(
        one.ready
        for one in office.service.check_readiness(PUBLIC_CALLER, CheckReadiness())
        if one.name == "publication"
    )
    require_sound(office)


def test_whoever_trusts_the_old_key_learns_the_next_one_under_its_last_checkpoint(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old = key_of(office.service)
    told = office.service.transparency.rotate_key(MACHINE, ROTATE)
    with records(office).read() as transaction:
        signed = transaction.tree.checkpoint_of(told.last.size)
    assert signed is not None
    last = open_checkpoint(signed.note, old).checkpoint  # in the old key's own hand
    leaves = entries(office, last.size)
    assert root_of([hashlib.sha256(b"\0" + one).digest() for one in leaves]) == last.root
    closing = [canonical.decode(one) for one in leaves if canonical.decode(one)["kind"] == "log.close"]
    [facts] = [one["facts"] for one in closing]
    assert facts == {
        "origin": old.name,
        "key_number": 1,
        "verifier_key": old.text,
        "next_key": key_of(office.service).text,
    }
    [opening] = [one["facts"] for one in of_kind(office, EventKind.LOG_OPENED) if "previous_key" in one["facts"]]
    assert opening["previous_key"] == old.text
    assert (opening["previous_size"], opening["previous_root"]) == (last.size, last.root.hex())
    assert opening["verifier_key"] == facts["next_key"]


def test_a_proof_of_the_closing_entry_is_enough_to_follow(on_sqlite: RealOffice) -> None:
    """Made while the old checkpoint stands, as an auditor keeps it."""
    office, kept = on_sqlite, list[bytes]()
    old = key_of(office.service)
    use_case = rotating(office)

    def kept_between(caller: Any, command: PublishCheckpoint) -> Any:
        done = use_case.publish(caller, command)
        with records(office).read() as transaction:
            closing = [canonical.decode(one) for one in transaction.log.changes_of_key()]
        entry = next((one["id"] for one in closing if one["kind"] == "log.close"), None)
        if entry is not None and not kept:
            kept.append(office.service.transparency.prove_entry(office.auditor, ProveEntry(entry_id=str(entry))))
        return done

    publisher: Any = kept_between
    replace(use_case, publish=publisher)(MACHINE, ROTATE)
    shown = read_proof(kept[0])
    assert shown.extra is not None
    verified_proof(shown, hashlib.sha256(b"\0" + shown.extra).digest(), old)
    facts: Any = canonical.decode(shown.extra)["facts"]
    assert facts["next_key"] == key_of(office.service).text


def test_another_process_that_knows_the_old_key_signs_with_the_next(office: RealOffice) -> None:
    other = build(office.settings, clock=office.clock)
    try:
        office.use("one")
        publish(other)
        old = key_of(other)
        office.service.transparency.rotate_key(MACHINE, ROTATE)
        assert key_of(other) == old, "it has not asked again: no time has passed"
        office.use("two")
        publish(other)
        new = key_of(office.service)
        assert open_checkpoint(published(office), new).checkpoint.size == publish(office.service)
    finally:
        other.close()
    require_sound(office)


class Died(BaseException):
    """The process is gone."""


@dataclass
class DyingRecords:
    """Records of a process that dies before or after one of its transactions that write."""

    records: Records
    steps: int

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self._burn()
        with self.records.write() as transaction:
            yield transaction
        self._burn()

    def read(self) -> Any:
        return self.records.read()

    def confirm(self) -> None:
        self.records.confirm()

    def _burn(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Died


@dataclass
class DyingMaker:
    maker: LogKeyMaker
    dying: DyingRecords

    def is_there(self, number: int = 1) -> bool:
        return self.maker.is_there(number)

    def create(self, number: int = 1) -> None:
        self.dying._burn()
        self.maker.create(number)
        self.dying._burn()

    def require_permitted(self, number: int = 1) -> None:
        self.maker.require_permitted(number)

    def verifier_key_of(self, number: int) -> str:
        return self.maker.verifier_key_of(number)


def test_a_rotation_that_dies_at_any_step_is_finished_by_the_next(on_sqlite: RealOffice) -> None:
    """Until `log.open` is committed, the key before stays in force."""
    office, deaths, rotations = on_sqlite, 0, 0
    while True:
        use_case = rotating(office)
        dying = DyingRecords(use_case.records, deaths)
        mortal = replace(
            use_case,
            records=dying,
            maker=DyingMaker(use_case.maker, dying),
            publish=replace(use_case.publish, records=dying),
        )
        before = office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())
        try:
            mortal(MACHINE, ROTATE)
        except Died:
            deaths += 1
        else:
            break
        office.clock.forward(LATER)
        assert office.use(f"in between {deaths}").content is not None
        publish(office.service)
        require_sound(office)
        after = office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())
        assert len(after) - len(before) in (0, 1)
        if len(after) == len(before):
            office.service.transparency.rotate_key(MACHINE, ROTATE)
        rotations += 1
        office.clock.forward(LATER)
        keys = office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())
        assert len(keys) == rotations + 1
        assert len(of_kind(office, EventKind.LOG_CLOSED)) == rotations, "one that was begun is finished, not begun anew"
    assert deaths >= 8
    require_sound(office)


def test_the_next_key_is_told_before_it_signs(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old = key_of(office.service)
    prepared = office.service.transparency.prepare_key(MACHINE, PrepareLogKey())
    assert office.service.transparency.prepare_key(MACHINE, PrepareLogKey()) == prepared
    office.use("with the old key")
    publish(office.service)
    assert key_of(office.service) == old
    with pytest.raises(KeyInUse, match="next key"):
        office.service.destroy_key(office.operator, DestroyKey(reference="log-2", confirmed=True))
    assert office.service.transparency.rotate_key(MACHINE, ROTATE).verifier_key == prepared
    made = [one["facts"] for one in of_kind(office, EventKind.KEY_CREATED)]
    assert [one["key_reference"] for one in made if one.get("role") == "log"] == ["log", "log-2"]


def test_the_key_that_ended_may_be_destroyed_and_no_other(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    with pytest.raises(KeyInUse, match="rotate-key"):
        office.service.destroy_key(office.operator, DestroyKey(reference="log", confirmed=True))
    office.service.transparency.rotate_key(MACHINE, ROTATE)
    with pytest.raises(KeyInUse, match="rotate-key"):
        office.service.destroy_key(office.operator, DestroyKey(reference="log-2", confirmed=True))
    office.confirmed(office.service.destroy_key, DestroyKey(reference="log", confirmed=True))
    office.service.close()
    office.service = build(office.settings, clock=office.clock)
    assert office.use("after").content is not None
    publish(office.service)
    require_sound(office)
    assert office.service.transparency.rotate_key(MACHINE, ROTATE).key_reference == "log-3"
    keys = office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())
    assert [one.key_reference for one in keys] == ["log", "log-2", "log-3"]
    assert sorted(one.above for one in keys) == [one.above for one in keys]
    require_sound(office)


def test_an_audit_finds_a_checkpoint_by_a_key_that_had_ended(on_sqlite: RealOffice) -> None:
    """Whoever has the old key and the database: what it signs of a later tree is none of this log's."""
    office = on_sqlite
    told = office.service.transparency.rotate_key(MACHINE, ROTATE)
    office.use("after")
    publish(office.service)
    signer = rotating(office).publish.signer
    size = insert_checkpoint(office, lambda text: signer.sign(text, told.last.size))
    assert size > told.last.size
    found = office.service.transparency.checks.audit(office.operator, AuditLog()).findings
    assert [one.subject for one in found] == [str(size)]
    assert "None of the known keys" in found[0].detail


def test_of_two_rotations_at_once_one_comes_first(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    use_case = rotating(office)

    def first(caller: Any, command: PublishCheckpoint) -> Any:
        rivals.append(use_case(MACHINE, ROTATE)) if not rivals else None
        return use_case.publish(caller, command)

    rivals: list[LogKeyRotated] = []
    publisher: Any = first
    with pytest.raises(Conflict, match="came first"):
        replace(use_case, publish=publisher)(MACHINE, ROTATE)
    assert len(office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())) == 2
    require_sound(office)


def test_while_the_last_checkpoint_cannot_be_published_the_key_stays(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old, use_case = key_of(office.service), rotating(office)
    idle: Any = lambda _caller, _command: None  # noqa: E731
    with pytest.raises(Unavailable, match="stays in force"):
        replace(use_case, publish=idle)(MACHINE, ROTATE)
    assert key_of(office.service) == old
    office.service.transparency.rotate_key(MACHINE, ROTATE)
    assert key_of(office.service) != old
    assert len(of_kind(office, EventKind.LOG_CLOSED)) == 1


def test_a_publisher_that_lags_behind_signs_with_the_key_of_its_tree(on_sqlite: RealOffice) -> None:
    """Of a directory of its own: it looked before the rotation, and writes after it."""
    office = on_sqlite
    use_case = rotating(office)
    office.use("x")
    while office.service.transparency.sequence(MACHINE, SequenceLog()).placed:
        pass
    looked = use_case.condition.look()
    told = office.service.transparency.rotate_key(MACHINE, ROTATE)
    assert looked.signed is not None
    assert looked.head.size < told.last.size
    with suppress(LogHalted):
        use_case.publish._publish(looked, looked.head.size, None, looked.signed.size)
    with records(office).read() as transaction:
        stored = transaction.tree.checkpoint_of(looked.head.size)
    assert stored is not None
    open_checkpoint(stored.note, verifier_key(told.previous_key))
    require_sound(office)


def test_the_next_key_signs_no_tree_without_its_own_entry(on_sqlite: RealOffice) -> None:
    """Were the database lost then, a recovery would bring back a log that does not name the key."""
    office = on_sqlite
    use_case = rotating(office)
    [period] = use_case.keys()
    following = office.service.transparency.prepare_key(MACHINE, PrepareLogKey())
    ending = key_of(office.service).text
    closed = use_case._closed(MACHINE, period, ending, following)
    use_case._publish_up_to(MACHINE, closed, ROTATE)
    office.use("between")
    while office.service.transparency.sequence(MACHINE, SequenceLog()).placed:
        pass
    before = published(office)
    use_case._opened(MACHINE, period, closed, ending, following)
    office.service.transparency.publish(MACHINE, PublishCheckpoint())
    assert published(office) == before
    publish(office.service)
    open_checkpoint(published(office), verifier_key(following))
    require_sound(office)


def test_log_open_follows_only_what_the_old_key_signed_with_log_close_in_it(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    use_case = rotating(office)
    [period] = use_case.keys()
    following = office.service.transparency.prepare_key(MACHINE, PrepareLogKey())
    ending = key_of(office.service).text
    closed = use_case._closed(MACHINE, period, ending, following)
    for _ in range(2):  # without a place, then with one that no checkpoint has
        with pytest.raises(Conflict):
            use_case._opened(MACHINE, period, closed, ending, following)
        office.service.transparency.sequence(MACHINE, SequenceLog())
    assert len(use_case.keys()) == 1


@pytest.mark.parametrize("published_meanwhile", [False, True])
def test_a_rotation_that_was_broken_off_at_its_end_is_finished_and_not_begun_anew(
    on_sqlite: RealOffice, published_meanwhile: bool
) -> None:
    """By the command that is given again, or by `seal serve`: no further key, which no witness was told of."""
    office = on_sqlite
    use_case = rotating(office)
    prepared = office.service.transparency.prepare_key(MACHINE, PrepareLogKey())

    def until_opened(caller: Any, command: PublishCheckpoint) -> Any:
        if len(use_case.keys()) == 2:
            raise KeyboardInterrupt
        return use_case.publish(caller, command)

    publisher: Any = until_opened
    with pytest.raises(KeyboardInterrupt):
        replace(use_case, publish=publisher)(MACHINE, ROTATE)
    once = replace(ROTATE, again=False)
    if published_meanwhile:
        publish(office.service)
    else:
        told = office.service.transparency.rotate_key(MACHINE, once)
        assert (told.key_reference, told.verifier_key) == ("log-2", prepared)
        assert told.size > told.last.size
    (office.home / "log" / "checkpoint").unlink()  # what is published says nothing of it
    with pytest.raises(Conflict, match="--again"):
        office.service.transparency.rotate_key(MACHINE, once)
    office.clock.forward(timedelta(hours=2))
    assert office.service.transparency.rotate_key(MACHINE, once).key_reference == "log-3"
    require_sound(office)


def test_a_key_that_may_not_be_made_leaves_no_entry(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    use_case: Any = office.service.transparency.prepare_key.use_case

    @dataclass
    class Forbidden(DyingMaker):
        def require_permitted(self, number: int = 1) -> None:
            raise SoftwareKeysRefused(f"no key {number} in a file")

    forbidden = replace(use_case, maker=Forbidden(use_case.maker, DyingRecords(use_case.records, 9)))
    with pytest.raises(SoftwareKeysRefused):
        forbidden(MACHINE, PrepareLogKey())
    made = [one["facts"] for one in of_kind(office, EventKind.KEY_CREATED) if one["facts"].get("role") == "log"]
    assert [one["key_reference"] for one in made] == ["log"]


def test_what_was_read_earlier_takes_nothing_back(on_sqlite: RealOffice) -> None:
    """A thread that read the keys before a rotation and remembers them after it."""
    office = on_sqlite
    use_case = rotating(office)
    reading, rotated = threading.Event(), threading.Event()

    class Slow:
        """A transaction's entries, read before and handed over after."""

        def __init__(self, transaction: Transaction) -> None:
            self.log = self
            self._transaction = transaction

        def changes_of_key(self) -> Any:
            found = self._transaction.log.changes_of_key()
            reading.set()
            rotated.wait()
            return found

    def remember() -> None:
        with use_case.records.read() as transaction:
            slow: Any = Slow(transaction)
            use_case.keys.read(slow)

    thread = threading.Thread(target=remember)
    thread.start()
    reading.wait()
    new = office.service.transparency.rotate_key(MACHINE, ROTATE).verifier_key
    rotated.set()
    thread.join()
    assert key_of(office.service).text == new


def test_publishers_and_rotations_at_once_leave_one_history(office: RealOffice) -> None:
    """Each checkpoint by the key of its size, whoever came first."""
    stop, failures = threading.Event(), list[BaseException]()
    others = [build(office.settings, clock=office.clock) for _ in range(2)]

    def publishing(service: Service) -> None:
        while not stop.is_set():
            try:
                service.transparency.sequence(MACHINE, SequenceLog())
                service.transparency.publish(MACHINE, PublishCheckpoint())
            except (LogHalted, Conflict):  # what it saw had moved on
                continue
            except BaseException as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=publishing, args=(one,)) for one in others]
    for one in threads:
        one.start()
    try:
        for number in range(2, 6):
            office.use(f"before {number}")
            told = office.service.transparency.rotate_key(MACHINE, replace(ROTATE, pause=lambda: time.sleep(0.05)))
            assert told.key_reference == f"log-{number}"
            office.clock.forward(LATER)
    finally:
        stop.set()
        for one in threads:
            one.join()
        for other in others:
            other.close()
    assert failures == []
    publish(office.service)
    require_sound(office)


def command(office: RealOffice, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(seal_command(), ["log", *arguments], env={"SEAL_HOME": str(office.home), **environment})


def test_by_command(on_sqlite: RealOffice) -> None:
    office = on_sqlite
    old = command(office, "key").stdout.strip()
    refused = command(office, "rotate-key")
    assert refused.exit_code == 1
    assert "Nothing was changed" in refused.stderr
    prepared = json.loads(command(office, "rotate-key", "--prepare", "--json").stdout)["next_key"]
    assert command(office, "key").stdout.strip() == old != prepared
    told = json.loads(command(office, "rotate-key", "--yes", "--json").stdout)
    assert (told["previous_key"], told["verifier_key"]) == (old, prepared)
    assert command(office, "key").stdout.strip() == prepared
    keys = json.loads(command(office, "key", "--all", "--json").stdout)["keys"]
    assert keys == [
        {"verifier_key": old, "key_reference": "log", "above": 0},
        {"verifier_key": prepared, "key_reference": "log-2", "above": told["previous_size"]},
    ]
    assert "log-2" in command(office, "key", "--all").stdout


def test_before_the_log_has_a_guard_there_is_nothing_to_rotate(tmp_path: Path) -> None:
    office = RealOffice(tmp_path / "var")
    assert "seal log init" in command(office, "rotate-key", "--yes").stderr
    assert [one.key_reference for one in office.service.transparency.read_keys(PUBLIC_CALLER, ReadLogKeys())] == ["log"]
    office.service.close()


def test_a_witness_that_was_told_the_next_key_cosigns_it_and_another_is_waited_for(tmp_path: Path) -> None:
    office = RealOffice(tmp_path / "var")
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    publish(office.service)
    directory = tmp_path / "witness"
    made_witness(directory, "witness.example/audit")
    logs = directory / "logs"
    logs.write_text(f"{key_of(office.service).text}\n")
    named = witness_key_of(directory)
    office.service.close()

    def asking(address: str) -> Service:
        changes = {"log_witnesses": (f"{named} {address}",), "log_witnesses_needed": 1}
        office.settings = office.settings.model_copy(update=changes)
        office.service = build(office.settings, clock=office.clock)
        return office.service

    with serving(directory) as (address, _):  # it knows the first key alone
        rotated = asking(address).transparency.rotate_key(MACHINE, ROTATE)
        assert rotated.size == rotated.last.size, "the key is changed, its first checkpoint waits"
        open_checkpoint(published(office), verifier_key(rotated.previous_key))
        office.service.close()
    logs.write_text(f"{rotated.previous_key}\n{rotated.verifier_key}\n")
    office.clock.forward(timedelta(minutes=2))
    with serving(directory) as (address, _):
        service = asking(address)
        assert publish(service) > rotated.last.size
        opened = open_checkpoint(published(office), verifier_key(rotated.verifier_key))
        assert cosigned_at(opened.note, verifier_key(named))
        again = service.transparency.prepare_key(MACHINE, PrepareLogKey())
        service.close()
    logs.write_text(f"{rotated.verifier_key}\n{again}\n")
    office.clock.forward(timedelta(minutes=2))
    with serving(directory) as (address, _):
        service = asking(address)
        twice = service.transparency.rotate_key(MACHINE, ROTATE)
        assert twice.size > twice.last.size
        assert cosigned_at(open_checkpoint(published(office), verifier_key(again)).note, verifier_key(named))
        require_sound(office)
        service.close()
