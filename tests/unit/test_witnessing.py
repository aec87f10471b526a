"""A witness cosigns what follows, tells what it knows otherwise, and never goes back."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.bootstrap.machine import SystemEntropy
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import AlreadyRegistered, InstanceNotReady, IntegrityFailed, InvalidInput, NoteRefused
from seal_service.domain.witnessing import EMPTY_TREE, SeenTree, WitnessFinding, witness_finding
from seal_service.formats.checkpoint import Checkpoint
from seal_service.formats.cosignature import cosigned_at
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import read_note, verifier_key
from seal_service.formats.witness_request import (
    LARGEST_REQUEST,
    WitnessRequest,
    read_witness_request,
    write_witness_request,
)
from seal_service.log.merkle import consistency_holds, consistency_path, root_of
from seal_service.pki.witness_key import WitnessKey, create_witness_key, read_witness_key
from seal_service.storage.seen_checkpoints import DirectorySeenCheckpoints
from seal_service.usecases.witness_checkpoint import (
    CosignedNow,
    NotCosigned,
    UnknownLog,
    UnknownSigner,
    WitnessAnswer,
    WitnessCheckpoint,
    WitnessCheckpointUseCase,
)
from tests.note_keys import NoteKey, one_bit_mutations

LOG = NoteKey("seal.example/log")
AT = datetime(2026, 7, 1, 8, tzinfo=UTC)
LEAVES = [leaf_hash(b"%d" % index) for index in range(40)]
FORKED = [*LEAVES[:5], leaf_hash(b"another"), *LEAVES[6:]]


def tree(size: int, leaves: Sequence[bytes] = LEAVES) -> SeenTree:
    return SeenTree(size, root_of(leaves[:size]))


def signed(size: int, leaves: Sequence[bytes] = LEAVES, key: NoteKey = LOG) -> bytes:
    return key.note(Checkpoint(origin=key.public.name, size=size, root=root_of(leaves[:size])).text)


def body(old: int, size: int, leaves: Sequence[bytes] = LEAVES, key: NoteKey = LOG) -> bytes:
    """A request as an honest log makes it of these leaves."""

    def node(level: int, index: int) -> bytes:
        return root_of(leaves[index << level : index + 1 << level])

    path = consistency_path(old, size, node) if 0 < old <= size else ()
    return write_witness_request(old, path, signed(size, leaves, key))


@dataclass
class At:
    """A clock that stands."""

    time: datetime = AT

    def now(self) -> datetime:
        return self.time


@dataclass
class Witness:
    """A witness in a directory."""

    directory: Path
    key: WitnessKey
    use_case: WitnessCheckpointUseCase

    def __call__(self, content: bytes) -> WitnessAnswer:
        return self.use_case(PUBLIC_CALLER, WitnessCheckpoint(content=content))

    def cosigned(self, content: bytes) -> datetime:
        """When it cosigned what this request holds."""
        answer = self(content)
        assert isinstance(answer, CosignedNow), answer
        note = read_witness_request(content).checkpoint + answer.lines.encode()
        return cosigned_at(read_note(note), verifier_key(self.key.verifier_key))

    def refused(self, content: bytes) -> tuple[WitnessFinding, int]:
        """Why it did not, and the size that it tells."""
        answer = self(content)
        assert isinstance(answer, NotCosigned), answer
        return answer.finding, answer.known_size


def standing(directory: Path) -> Witness:
    key = read_witness_key(directory / "witness.key")
    seen = DirectorySeenCheckpoints(directory)
    logs = {LOG.public.name: [LOG.public]}
    return Witness(directory, key, WitnessCheckpointUseCase(logs, seen, key, At(), consistency_holds))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    create_witness_key(tmp_path / "witness.key", "witness.example/audit", SystemEntropy())
    return standing(tmp_path)


def test_a_log_grows_and_each_step_is_cosigned(witness: Witness) -> None:
    steps = [0, 0, 1, 1, 3, 7, 8, 20, 40]
    for old, size in pairwise(steps):
        assert witness.cosigned(body(old, size)) == AT
    assert witness.refused(body(20, 40)) == (WitnessFinding.OTHER_SIZE, 40)


def test_a_rollback_is_not_cosigned(witness: Witness) -> None:
    witness.cosigned(body(0, 20))
    assert witness.refused(body(0, 7)) == (WitnessFinding.OTHER_SIZE, 20)
    assert witness.refused(body(7, 7)) == (WitnessFinding.OTHER_SIZE, 20)
    assert witness.refused(body(20, 7)) == (WitnessFinding.SMALLER_THAN_SAID, 20)
    assert witness.cosigned(body(20, 21)) == AT


def test_a_fork_is_not_cosigned_with_whatever_path(witness: Witness) -> None:
    witness.cosigned(body(0, 7))
    assert witness.refused(body(7, 7, FORKED)) == (WitnessFinding.OTHER_ROOT, 7)
    for path in (
        read_witness_request(body(7, 20)).path,
        read_witness_request(body(7, 20, FORKED)).path,
        (),
        (LEAVES[0],) * 63,
    ):
        request = write_witness_request(7, path, signed(20, FORKED))
        assert witness.refused(request) == (WitnessFinding.NOT_SHOWN, 7)
    assert witness.cosigned(body(7, 20)) == AT


def test_an_empty_tree_has_one_root(witness: Witness) -> None:
    note = LOG.note(Checkpoint(origin=LOG.public.name, size=0, root=LEAVES[0]).text)
    assert witness.refused(write_witness_request(0, (), note)) == (WitnessFinding.OTHER_ROOT, 0)


def test_a_path_where_none_is_needed_is_refused(witness: Witness) -> None:
    assert witness.refused(write_witness_request(0, LEAVES[:1], signed(7))) == (WitnessFinding.NOT_SHOWN, 0)
    witness.cosigned(body(0, 7))
    assert witness.refused(write_witness_request(7, LEAVES[:1], signed(7))) == (WitnessFinding.NOT_SHOWN, 7)


def test_only_known_logs_under_their_known_keys_are_cosigned(witness: Witness) -> None:
    assert witness(body(0, 7, key=NoteKey("other.example/log"))) == UnknownLog()
    assert witness(body(0, 7, key=NoteKey("seal.example/log", seed="another"))) == UnknownSigner()
    assert witness.use_case.seen.latest("seal.example/log") is None


def test_no_bit_of_a_request_can_change(witness: Witness) -> None:
    witness.cosigned(body(0, 3))
    for changed in one_bit_mutations(body(3, 7)):
        try:
            answer = witness(changed)
        except NoteRefused:
            continue
        assert not isinstance(answer, CosignedNow)
    assert witness.cosigned(body(3, 7)) == AT


def test_what_was_cosigned_is_known_to_the_next_process(witness: Witness) -> None:
    witness.cosigned(body(0, 7))
    assert standing(witness.directory).refused(body(0, 20)) == (WitnessFinding.OTHER_SIZE, 7)
    assert standing(witness.directory).key.verifier_key == witness.key.verifier_key


def test_of_many_at_once_the_sizes_that_are_cosigned_form_one_line(witness: Witness) -> None:
    witness.cosigned(body(0, 7))
    requests = [body(7, size) for size in range(8, 24)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(witness, requests))
    assert sum(isinstance(one, CosignedNow) for one in answers) == 1
    with ThreadPoolExecutor(8) as pool:
        size = next(8 + at for at, one in enumerate(answers) if isinstance(one, CosignedNow))
        again = list(pool.map(witness, [body(size, size)] * 16))
    assert all(isinstance(one, CosignedNow) for one in again)


def test_a_damaged_record_is_no_new_beginning(witness: Witness) -> None:
    witness.cosigned(body(0, 7))
    (record,) = witness.directory.glob("*.checkpoint")
    for damaged in (b"", record.read_bytes()[:-1], signed(7, key=NoteKey("other.example/log"))):
        record.write_bytes(damaged)
        with pytest.raises(IntegrityFailed):
            witness(body(0, 7, FORKED))


def test_a_record_that_cannot_be_kept_is_not_cosigned(witness: Witness, tmp_path: Path) -> None:
    elsewhere = DirectorySeenCheckpoints(tmp_path / "gone")
    use_case = WitnessCheckpointUseCase(witness.use_case.logs, elsewhere, witness.key, At(), consistency_holds)
    with pytest.raises(IntegrityFailed):
        use_case(PUBLIC_CALLER, WitnessCheckpoint(content=body(0, 7)))


def test_a_key_is_made_once_and_its_owner_alone_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    with pytest.raises(InstanceNotReady, match="seal witness init"):
        read_witness_key(path)
    with pytest.raises(InvalidInput, match="no spaces"):
        create_witness_key(path, "a b", SystemEntropy())
    made = create_witness_key(path, "witness.example", SystemEntropy())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_witness_key(path).verifier_key == made.verifier_key
    with pytest.raises(AlreadyRegistered):
        create_witness_key(path, "witness.example", SystemEntropy())
    path.chmod(0o644)
    with pytest.raises(IntegrityFailed, match="chmod 600"):
        read_witness_key(path)
    path.write_text("witness a b c\n")
    path.chmod(0o600)
    with pytest.raises(IntegrityFailed):
        read_witness_key(path)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.booleans(), st.integers(0, 2))
def test_a_tree_is_cosigned_only_after_the_one_that_is_known(
    known: int, said: int, size: int, shown: bool, length: int
) -> None:
    before = EMPTY_TREE if known == 0 else tree(known)
    finding = witness_finding(before, said, tree(size), lambda _: shown, length)
    if finding is WitnessFinding.FOLLOWS:
        assert said == known <= size
        assert shown or length == 0


@given(
    st.integers(0, (1 << 63) - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.binary(max_size=100),
)
def test_a_request_is_read_as_it_was_written(old: int, path: list[bytes], checkpoint: bytes) -> None:
    request = WitnessRequest(old_size=old, path=tuple(path), checkpoint=checkpoint)
    assert read_witness_request(write_witness_request(old, path, checkpoint)) == request


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"old 7\n",
        b"old\n\nx",
        b"old 07\n\nx",
        b"old -1\n\nx",
        b"old 9223372036854775808\n\nx",
        b"old " + b"9" * 5000 + b"\n\nx",
        b"old  7\n\nx",
        b"OLD 7\n\nx",
        b"old 7\r\n\r\nx",
        b"old 7\nAAAA\n\nx",
        b"old 7\nnot base64\n\nx",
        b"old 7\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\nx",
        b"old \xd9\xa7\n\nx",
        b"old 7\n\n" + b"x" * LARGEST_REQUEST,
    ],
)
def test_what_is_no_request_is_refused(content: bytes) -> None:
    with pytest.raises(NoteRefused):
        read_witness_request(content)


def test_requests_never_change_unnoticed() -> None:
    """A golden vector, made once from the specification's own words."""
    vector = json.loads((Path(__file__).parents[1] / "vectors" / "transparency.json").read_text())
    assert body(4, 7).decode() == vector["witness_request"]
