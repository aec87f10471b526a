"""Proof files: read as they were written, verified offline under the log's key, refused when one bit is another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import NoteRefused
from seal_service.formats.base64_text import encoded
from seal_service.formats.checkpoint import Checkpoint
from seal_service.formats.cosignature import cosigned_at
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import SignatureType, verifier_key
from seal_service.formats.proof_files import PROOF_HEADER as HEADER
from seal_service.log.merkle import compact_range, inclusion_path, root_of
from seal_service.log.proofs import LogProof, read_proof, verified_proof, write_proof
from seal_service.ports.transparency import LARGEST_PROOF
from tests.note_keys import NoteKey, one_bit_mutations

VECTORS = Path(__file__).parents[1] / "vectors" / "transparency.json"
LOG = NoteKey("seal.example/log")
WITNESS = NoteKey("witness.example/audit", SignatureType.COSIGNATURE)
AT = datetime(2026, 7, 1, 8, tzinfo=UTC)
ENTRIES = [str(index).encode() for index in range(130)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def node(level: int, index: int) -> bytes:
    """Any complete subtree."""
    return root_of(LEAVES[index << level : index + 1 << level])


def signed(size: int) -> bytes:
    """The checkpoint of the first entries."""
    root = compact_range(size, node).root()
    return LOG.note(Checkpoint(origin="seal.example/log", size=size, root=root).text)


def proof_of(index: int, size: int) -> LogProof:
    """The proof of an entry, with the entry."""
    return LogProof(index=index, path=inclusion_path(index, size, node), checkpoint=signed(size), extra=ENTRIES[index])


def opened(content: bytes) -> Checkpoint:
    """What a citizen does with a proof that carries its entry; one that does not is taken for that of an empty one."""
    proof = read_proof(content)
    return verified_proof(proof, leaf_hash(proof.extra or b""), LOG.public).checkpoint


proofs = st.builds(
    LogProof,
    index=st.integers(0, (1 << 63) - 1),
    path=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    checkpoint=st.sampled_from([signed(1), signed(7)]),
    extra=st.none() | st.binary(max_size=100),
)


@given(proofs)
def test_a_proof_is_read_as_it_was_written(proof: LogProof) -> None:
    assert read_proof(write_proof(proof)) == proof


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f"{HEADER}\n{text}".encode(errors="replace")))
def test_any_bytes_are_a_proof_that_would_be_written_so_or_refused(content: bytes) -> None:
    try:
        proof = read_proof(content)
    except NoteRefused:
        return
    assert write_proof(proof) == content


def test_every_entry_of_trees_of_every_size_is_proven() -> None:
    for size in [*range(1, 34), 64, 65, 129, 130]:
        for index in {0, size // 3, size // 2, size - 1}:
            assert opened(write_proof(proof_of(index, size))).size == size


def test_no_bit_of_a_proof_can_change() -> None:
    content = write_proof(proof_of(4, 7))
    assert opened(content).size == 7
    for changed in one_bit_mutations(content):
        with pytest.raises(NoteRefused):
            opened(changed)


def test_a_proof_keeps_the_witnesses_word() -> None:
    proof = proof_of(4, 7)
    text = Checkpoint(origin="seal.example/log", size=7, root=root_of(LEAVES[:7])).text
    cosigned = LogProof(index=4, path=proof.path, checkpoint=WITNESS.cosigned(proof.checkpoint, text, AT))
    found = verified_proof(read_proof(write_proof(cosigned)), LEAVES[4], LOG.public)
    assert cosigned_at(found.note, WITNESS.public) == AT


def test_a_proof_is_of_its_entry_its_place_its_tree_and_its_log() -> None:
    proof = proof_of(4, 7)
    for leaf, other, key in (
        (LEAVES[5], proof, LOG),
        (LEAVES[4], LogProof(index=5, path=proof.path, checkpoint=proof.checkpoint), LOG),
        (LEAVES[4], LogProof(index=4, path=proof.path, checkpoint=signed(8)), LOG),
        (LEAVES[4], LogProof(index=4, path=proof.path[:-1], checkpoint=proof.checkpoint), LOG),
        (LEAVES[4], proof, NoteKey("seal.example/log", seed="another")),
        (LEAVES[4], proof, NoteKey("other.example/log")),
    ):
        with pytest.raises(NoteRefused):
            verified_proof(other, leaf, key.public)


_CHECKPOINT = signed(7).decode()
_HASH = encoded(LEAVES[0])


@pytest.mark.parametrize(
    "content",
    [
        "",
        HEADER,
        f"{HEADER}\n\n",
        f"{HEADER}\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex 0\n{_CHECKPOINT}".replace("\n\n", "\n"),
        f"c2sp.org/tlog-proof@v2\nindex 0\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex 00\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex -1\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex 9223372036854775808\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex {'9' * 5000}\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex ٤\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex 0\nextra AA==\n\n{_CHECKPOINT}",
        f"{HEADER}\nextra AA==\nextra AA==\nindex 0\n\n{_CHECKPOINT}",
        f"{HEADER}\nextra AB==\nindex 0\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex 0\n{_HASH[:-1]}\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex 0\n{encoded(bytes(31))}\n\n{_CHECKPOINT}",
        f"{HEADER}\nindex 0\n{'' if not _HASH else (_HASH + chr(10)) * 64}\n{_CHECKPOINT}",
        f"{HEADER}\r\nindex 0\r\n\r\n{_CHECKPOINT}",
        f"{HEADER}\nextra {'A' * LARGEST_PROOF}\nindex 0\n\n{_CHECKPOINT}",
    ],
)
def test_what_is_no_proof_is_refused(content: str) -> None:
    with pytest.raises(NoteRefused):
        read_proof(content.encode())


def test_proof_files_never_change_unnoticed() -> None:
    """Golden vectors: a difference here means that proofs handed out could no longer be checked."""
    vector = json.loads(VECTORS.read_text())
    assert write_proof(proof_of(4, 7)).decode() == vector["proof"]
    proof = read_proof(vector["proof"].encode())
    assert proof.extra is not None
    verified_proof(proof, leaf_hash(proof.extra), verifier_key(vector["log_key"]))
