"""日志公布 on every engine: in its order of writes, and after a death at every step with the same bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from seal_service.bootstrap.machine import SystemEntropy
from seal_service.domain.errors import Conflict, InvalidInput, LogDamaged, LogHalted, Unavailable
from seal_service.domain.events import EventKind
from seal_service.domain.publication import DAMAGED_FILES
from seal_service.formats.checkpoint import Checkpoint, open_checkpoint
from seal_service.formats.note import SignatureType, VerifierKey
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.growth import grown
from seal_service.log.merkle import consistency_holds, root_of
from seal_service.log.signing_log import DatabaseSigningLog
from seal_service.log.tiles import CHECKPOINT, tile_at
from seal_service.log.tree_files import TiledTreeFiles
from seal_service.ports.records import Records, StoredCheckpoint, Transaction
from seal_service.ports.transparency import (
    Cosigned,
    Guard,
    GuardedCheckpoint,
    LogFiles,
    NoteSigner,
    Witness,
    WitnessKnowsMore,
)
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.storage.log_guard import DirectoryGuard
from seal_service.testing import ChangeableClock, PlainVault
from seal_service.testing.records import MemoryRecords
from seal_service.testing.transparency import MemoryLogKey
from seal_service.usecases.ask_witnesses import AskWitnesses
from seal_service.usecases.log_condition import LogCondition
from seal_service.usecases.log_damage import LogDamage
from seal_service.usecases.log_key_periods import LogKeyPeriods
from seal_service.usecases.publish_checkpoint import PublishCheckpoint, PublishCheckpointUseCase, Published
from seal_service.usecases.resume_log import ResumeLog, ResumeLogUseCase
from seal_service.usecases.sequence_log import SequenceLog, SequenceLogUseCase
from tests.storage_samples import NOW, log_row

ORIGIN = "seal.example/log"
EMPTY = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


class Died(BaseException):
    """The process is gone."""


@dataclass
class Fuse:
    """Dies at a step; None: never."""

    steps: int | None = None

    def burn(self) -> None:
        if self.steps is not None:
            self.steps -= 1
            if self.steps < 0:
                raise Died


@dataclass
class DyingFiles:
    files: LogFiles
    fuse: Fuse

    def create(self, path: str, content: bytes) -> None:
        self.fuse.burn()
        self.files.create(path, content)

    def read(self, path: str) -> bytes | None:
        return self.files.read(path)

    def publish(self, path: str, content: bytes) -> None:
        self.fuse.burn()
        self.files.publish(path, content)
        self.fuse.burn()

    def remove_partials(self, path: str) -> None:
        self.fuse.burn()
        self.files.remove_partials(path)

    @contextmanager
    def publishing(self) -> Iterator[bool]:
        with self.files.publishing() as alone:
            yield alone


@dataclass
class DyingGuard:
    guard: Guard
    fuse: Fuse

    def is_there(self) -> bool:
        return self.guard.is_there()

    def read(self) -> GuardedCheckpoint:
        return self.guard.read()

    def create(self, content: bytes) -> None:
        self.guard.create(content)

    def renew(self, lost: GuardedCheckpoint | None, content: bytes) -> None:
        self.guard.renew(lost, content)

    def advance(self, expected: GuardedCheckpoint, content: bytes) -> None:
        self.fuse.burn()
        self.guard.advance(expected, content)
        self.fuse.burn()


@dataclass
class DyingRecords:
    records: Records
    fuse: Fuse

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self.fuse.burn()
        with self.records.write() as transaction:
            yield transaction
        self.fuse.burn()

    def read(self) -> AbstractContextManager[Transaction]:
        return self.records.read()

    def confirm(self) -> None:
        self.records.confirm()


@dataclass
class Cosigner:
    """A witness that follows RFC 6962, or knows another tree, or does not answer."""

    key: VerifierKey
    size: int = 0
    root: bytes = EMPTY
    answers: bool = True
    hangs_until: Event | None = None

    @property
    def name(self) -> str:
        return self.key.name

    def add_checkpoint(self, content: bytes, size: int, prove: object, since: int | None) -> Cosigned:
        del since
        if self.hangs_until is not None:
            self.hangs_until.wait(30)
        if not self.answers:
            raise Unavailable("no answer")
        assert callable(prove)
        tree = open_checkpoint(content, self.key_of_log).checkpoint
        if self.size > size:
            raise WitnessKnowsMore(f"{self.name} knows another tree of {self.size} entries", self.size)
        follows = not self.size or consistency_holds(self.size, size, prove(self.size), self.root, tree.root)
        if not follows:
            raise LogHalted(f"{self.name} knows another tree of {self.size} entries")
        self.size, self.root = size, tree.root
        return Cosigned(lines=(f"— {self.name} AAAAAAAA\n",), at=NOW)

    key_of_log: VerifierKey = field(init=False)


def files_in(directory: Path) -> DirectoryLogFiles:
    return DirectoryLogFiles(directory, lambda path: path == CHECKPOINT or tile_at(path) is not None)


@dataclass
class Place:
    """A log in a directory, over records."""

    directory: Path
    records: Records
    key: MemoryLogKey = field(default_factory=lambda: MemoryLogKey(ORIGIN))
    clock: ChangeableClock = field(default_factory=lambda: ChangeableClock(NOW))
    written: int = 0
    witnesses: tuple[Cosigner, ...] = ()

    def __post_init__(self) -> None:
        self.files = DirectoryLogFiles(
            self.directory / "log", lambda one: one == CHECKPOINT or tile_at(one) is not None
        )
        self.guard = DirectoryGuard(self.directory / "guard")

    def begin(self) -> None:
        self.guard.create(self.key.sign(Checkpoint(origin=ORIGIN, size=0, root=EMPTY).text))

    def grow(self, count: int) -> None:
        """Write entries, which are the same in every place, and give them their places."""
        with self.records.write() as transaction:
            for number in range(self.written, self.written + count):
                transaction.log.insert(log_row(f"e{number:05d}"))
            transaction.commit()
        self.written += count
        SequenceLogUseCase(self.records, grown)(MACHINE, SequenceLog())

    def condition(self, guard: Guard | None = None) -> LogCondition:
        names = [one.name for one in self.witnesses]
        tolerated = timedelta(seconds=5)
        return LogCondition(self.records, guard or self.guard, self.key, self.clock, names, tolerated, required=False)

    def publisher(self, fuse: Fuse | None = None, needed: int = 0) -> PublishCheckpointUseCase:
        """As another process would have it."""
        fuse = fuse or Fuse()
        files = TiledTreeFiles(DyingFiles(self.files, fuse))
        guard, records = DyingGuard(self.guard, fuse), DyingRecords(self.records, fuse)
        named: list[Witness] = list(self.witnesses)
        asking = AskWitnesses(records, files, named, needed, self.clock)
        signer: NoteSigner = self.key
        damage = LogDamage(records, self.clock, DAMAGED_FILES)
        return PublishCheckpointUseCase(
            records,
            self.condition(guard),
            files,
            signer,
            guard,
            asking,
            damage,
            LogKeyPeriods(records, self.clock),
            self.clock,
            ORIGIN,
        )

    def publish(self) -> Published:
        return self.publisher()(MACHINE, PublishCheckpoint())

    def contents(self) -> dict[str, bytes]:
        root = self.directory / "log"
        return {
            one.relative_to(root).as_posix(): one.read_bytes()
            for one in sorted(root.rglob("*"))
            if one.is_file() and not one.name.startswith(".")
        }

    def require_whole(self) -> None:
        """What is published, guarded and signed is one history of all entries."""
        with self.records.read() as transaction:
            leaves = [one.leaf_hash for one in transaction.tree.leaves(0, self.written)]
            published = open_checkpoint(self.contents()[CHECKPOINT], self.key.verifier).checkpoint
            guarded = open_checkpoint(self.guard.read().content, self.key.verifier).checkpoint
            assert published == guarded
            assert (published.size, published.root) == (len(leaves), root_of(leaves))
            for size in range(1, len(leaves) + 1):
                signed = transaction.tree.checkpoint_of(size)
                assert signed is None or signed.root == root_of(leaves[:size])
        partial = [tile for path in self.contents() if (tile := tile_at(path)) is not None and tile.width < 256]
        assert all((one.index + 1) * 256 > len(leaves) >> 8 * (one.level or 0) for one in partial), "left behind"


@pytest.fixture
def place(tmp_path: Path, records: Records) -> Place:
    return Place(tmp_path, records)


def undisturbed(directory: Path, key: MemoryLogKey, *counts: int) -> dict[str, bytes]:
    other = Place(directory, MemoryRecords(), key)
    other.begin()
    for count in counts:
        other.grow(count)
        other.publish()
    return other.contents()


def test_nothing_is_published_before_the_log_was_initialised(place: Place) -> None:
    place.grow(3)
    assert place.publish() == Published(size=0, waiting=3, begun=False)
    assert place.contents() == {}


def test_a_log_that_grows_is_published_each_time(place: Place) -> None:
    place.begin()
    for count in (1, 254, 1, 300):
        place.grow(count)
        assert place.publish() == Published(size=place.written)
        place.require_whole()
    assert place.contents() == undisturbed(place.directory / "other", place.key, 1, 254, 1, 300)


def test_after_a_death_at_every_step_the_next_one_goes_on_with_the_same_bytes(tmp_path: Path) -> None:
    key, deaths = MemoryLogKey(ORIGIN), 0
    expected = undisturbed(tmp_path / "undisturbed", key, 250, 20)
    for steps in range(100):
        place = Place(tmp_path / str(steps), MemoryRecords(), key)
        place.begin()
        place.grow(250)
        place.publish()
        place.grow(20)
        try:
            place.publisher(Fuse(steps))(MACHINE, PublishCheckpoint())
        except Died:
            deaths += 1
        else:
            break
        assert place.publish() == Published(size=270)
        place.require_whole()
        assert place.contents() == expected
    assert deaths > 10


@pytest.mark.parametrize("more", [1, 300])
def test_what_a_dead_one_had_signed_is_published_although_the_log_has_grown(tmp_path: Path, more: int) -> None:
    for steps in range(0, 100, 2):
        place = Place(tmp_path / str(steps), MemoryRecords())
        place.begin()
        place.grow(5)
        try:
            place.publisher(Fuse(steps))(MACHINE, PublishCheckpoint())
        except Died:
            place.grow(more)
            assert place.publish() == Published(size=5 + more)
            place.require_whole()
        else:
            break
    assert steps > 6


def test_a_lost_directory_is_written_again_from_the_database(place: Place) -> None:
    place.begin()
    place.grow(600)
    place.publish()
    before = place.contents()
    (place.directory / "log").rename(place.directory / "away")
    assert place.publish() == Published(size=600)
    assert place.contents() == before


def test_only_one_publishes_at_a_time(place: Place) -> None:
    place.begin()
    place.grow(3)
    with place.files.publishing():
        assert place.publish() == Published(size=0, waiting=3)
    assert place.publish() == Published(size=3)


def test_a_log_restored_from_an_old_backup_is_halted(tmp_path: Path) -> None:
    place = Place(tmp_path, MemoryRecords())
    place.begin()
    place.grow(4)
    place.publish()
    records = place.records
    assert isinstance(records, MemoryRecords)
    backup = records.state.copy()
    place.grow(3)
    place.publish()
    published = place.contents()
    records.state = backup
    halted = place.condition().halted()
    assert halted is not None
    assert "has 4 entries in its tree and its guard knows 7" in halted
    place.written, place.clock.moment = 10, NOW + timedelta(minutes=1)
    place.grow(1)
    with pytest.raises(LogHalted, match="guard knows 7"):
        place.publish()
    place.grow(4)  # it is long enough now, and another history
    with pytest.raises(LogHalted, match="never signed"):
        place.publish()
    assert place.contents() == published


def test_a_lost_guard_halts_the_log(place: Place) -> None:
    place.begin()
    place.grow(2)
    place.publish()
    assert place.condition().halted() is None
    (place.directory / "guard").rename(place.directory / "gone")
    place.grow(1)
    with pytest.raises(LogHalted, match="guard is missing"):
        place.publish()
    (place.directory / "guard").mkdir()
    (place.directory / "guard" / "lock").touch()
    with pytest.raises(LogHalted, match="mount its volume"):
        place.publish()


def test_a_fork_is_stopped_by_the_guard(tmp_path: Path) -> None:
    """Two instances with one key and one guard, and each with entries of its own."""
    one, other = Place(tmp_path, MemoryRecords()), Place(tmp_path, MemoryRecords())
    other.key, other.written = one.key, 100
    other.files = files_in(tmp_path / "other")
    one.begin()
    one.grow(3)
    other.grow(3)
    one.publish()
    with pytest.raises(LogHalted, match="never signed"):
        other.publish()
    one.require_whole()


def test_a_clock_behind_the_last_checkpoint_halts_the_log(place: Place) -> None:
    place.begin()
    place.grow(2)
    place.publish()
    place.grow(1)
    place.clock.moment = NOW - timedelta(seconds=6)
    with pytest.raises(LogHalted, match="set the clock"):
        place.publish()


def test_a_file_with_other_bytes_is_fatal(place: Place) -> None:
    place.begin()
    place.grow(2)
    (place.directory / "log/tile/0/000.p").mkdir(parents=True)
    (place.directory / "log/tile/0/000.p/2").write_bytes(b"x" * 64)
    with pytest.raises(LogDamaged, match="other bytes"):
        place.publish()
    assert CHECKPOINT not in place.contents()


def test_what_contradicts_the_tree_stops_every_process_until_it_is_put_right(place: Place) -> None:
    place.begin()
    place.grow(2)
    place.publish()
    place.grow(2)
    damaged = place.directory / "log/tile/0/000.p/4"
    damaged.write_bytes(b"x" * 128)
    for _ in range(2):
        with pytest.raises(LogDamaged, match="other bytes"):
            place.publish()
        halted = place.condition().halted()
        assert halted is not None
        assert "tile/0/000.p/4 is there with other bytes" in halted
    assert place.condition().contradiction() is None, "entries go on getting their places"
    damaged.unlink()
    assert place.publish() == Published(size=4)
    assert place.condition().halted() is None
    checkpoint = place.directory / "log" / CHECKPOINT
    right = checkpoint.read_bytes()
    checkpoint.write_bytes(b"nothing of the kind")
    with pytest.raises(LogDamaged):
        place.publish()
    assert place.condition().halted() is not None
    checkpoint.write_bytes(right)
    assert place.publish() == Published(size=4), "which publishes nothing new, and looks all the same"
    assert place.condition().halted() is None
    place.require_whole()


def cosigner(place: Place, name: str = "witness.example") -> Cosigner:
    made = Cosigner(VerifierKey(name=name, type=SignatureType.COSIGNATURE, public_key=bytes(32)))
    made.key_of_log = place.key.verifier
    return made


def test_a_witness_that_is_needed_is_waited_for(place: Place) -> None:
    witness = cosigner(place)
    place.witnesses = (witness,)
    place.begin()
    place.grow(3)
    publisher = place.publisher(needed=1)
    witness.answers = False
    assert publisher(MACHINE, PublishCheckpoint()) == Published(size=0, waiting=3)
    place.grow(1)
    witness.answers = True
    assert publisher(MACHINE, PublishCheckpoint()).size == 0, "it is left alone for a while"
    place.clock.forward(timedelta(seconds=11))
    assert publisher(MACHINE, PublishCheckpoint()) == Published(size=4, cosigned=1)
    assert place.contents()[CHECKPOINT].endswith("— witness.example AAAAAAAA\n".encode())
    place.require_whole()


def test_without_need_the_log_goes_on_and_the_word_comes_later(place: Place) -> None:
    witness = cosigner(place)
    place.witnesses = (witness,)
    place.begin()
    place.grow(3)
    publisher = place.publisher()
    witness.answers = False
    assert publisher(MACHINE, PublishCheckpoint()) == Published(size=3)
    witness.answers = True
    place.clock.forward(timedelta(seconds=11))
    assert publisher(MACHINE, PublishCheckpoint()) == Published(size=3, cosigned=1)
    assert place.contents()[CHECKPOINT].endswith("— witness.example AAAAAAAA\n".encode())


@pytest.mark.parametrize("needed", [0, 1])
def test_a_witness_that_hangs_and_is_not_needed_keeps_no_checkpoint_back(tmp_path: Path, needed: int) -> None:
    place, back = Place(tmp_path, MemoryRecords()), Event()
    away, there = cosigner(place, "away.example"), cosigner(place, "there.example")
    away.hangs_until = back
    place.witnesses = (away, there)
    place.begin()
    publisher = place.publisher(needed=needed)
    took = []
    for _ in range(4):
        place.grow(2)
        began = time.monotonic()
        assert publisher(MACHINE, PublishCheckpoint()) == Published(size=place.written, cosigned=1)
        took.append(time.monotonic() - began)
    assert took[0] < 10
    assert max(took[1:]) < publisher.witnesses.patience, "it is waited for no more"
    back.set()
    until = time.monotonic() + 10
    while publisher(MACHINE, PublishCheckpoint()).cosigned < 2:
        assert time.monotonic() < until
    assert place.contents()[CHECKPOINT].count(b"AAAAAAAA") == 2
    place.require_whole()


def test_a_witness_that_knows_another_tree_halts_every_process(place: Place) -> None:
    witness = cosigner(place)
    place.witnesses = (witness,)
    place.begin()
    place.grow(3)
    witness.size, witness.root = 2, bytes(32)
    with pytest.raises(LogHalted, match="knows another tree"):
        place.publisher(needed=1)(MACHINE, PublishCheckpoint())
    halted = place.condition().halted()
    assert halted is not None
    assert "knows another tree" in halted
    assert CHECKPOINT not in place.contents()


def test_a_witness_that_another_process_showed_more_is_asked_again(place: Place) -> None:
    witness = cosigner(place)
    place.witnesses = (witness,)
    place.begin()
    place.grow(3)
    publisher = place.publisher(needed=1)
    witness.size, witness.root = 9, bytes(32)
    with place.records.write() as transaction:  # by a process that has overtaken this one by now
        signed = StoredCheckpoint(size=9, root=bytes(32), note=b"", at=NOW)
        transaction.tree.insert_checkpoint(signed)
        transaction.commit()
    shown = place.key.sign(Checkpoint(origin=ORIGIN, size=3, root=bytes(32)).text)
    with pytest.raises(Unavailable, match="by another process meanwhile"):
        publisher.witnesses.again(witness, shown, 3)
    assert place.condition().look().conflicts == {}
    witness.size = 10
    with pytest.raises(LogHalted, match="another tree of 10"):
        publisher.witnesses.again(witness, shown, 3)
    assert list(place.condition().look().conflicts) == [witness.name]


def test_a_halt_by_a_witness_is_lifted_by_its_cosignature_alone(place: Place) -> None:
    witness = cosigner(place)
    place.witnesses = (witness, cosigner(place, "other.example"))
    place.begin()
    place.grow(3)
    witness.size, witness.root = 2, bytes(32)
    publisher = place.publisher(needed=1)
    with pytest.raises(LogHalted):
        publisher(MACHINE, PublishCheckpoint())
    log = DatabaseSigningLog(ORIGIN, place.clock, SystemEntropy(), PlainVault())
    resuming = ResumeLogUseCase(place.records, log, place.condition(), publisher.witnesses, place.clock)
    resume = partial(resuming, MACHINE, ResumeLog(witness=witness.name))
    with pytest.raises(LogHalted, match="knows another tree"):
        resume()
    witness.answers = False
    with pytest.raises(Unavailable, match="no answer"):
        resume()
    halted = place.condition().halted()
    assert halted is not None
    assert f"`seal log resume {witness.name}`" in halted
    witness.answers, witness.size, witness.root = True, 0, EMPTY  # made anew by its operator, say
    assert resume().halted is None
    with pytest.raises(Conflict, match="contradicts nothing"):
        resume()
    with pytest.raises(InvalidInput, match="names no witness"):
        resuming(MACHINE, ResumeLog(witness="stranger.example"))
    with place.records.read() as transaction:
        resumed = [one for one in transaction.tree.pending(10) if one.kind == EventKind.LOG_RESUMED]
    assert len(resumed) == 1
    assert f'"witness":"{witness.name}"'.encode() in resumed[0].canon
    assert place.condition().halted() is None
    place.clock.forward(timedelta(seconds=11))
    assert place.publisher(needed=1)(MACHINE, PublishCheckpoint()).size == 3


def test_what_a_process_saw_is_believed_for_a_second(place: Place) -> None:
    place.begin()
    place.grow(1)
    place.publish()
    condition = place.condition()
    assert condition.halted() is None
    (place.directory / "guard").rename(place.directory / "gone")
    assert condition.halted() is None
    place.clock.forward(timedelta(seconds=1))
    assert condition.halted() is not None
