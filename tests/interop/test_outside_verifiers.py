"""Verifiers written by others judge a log that the service made, and changed copies of it.

`make interop` does it with 100,000 entries.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal_service.formats.checkpoint import Checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import NoteSignature, SignatureType, VerifierKey, write_note
from seal_service.log.merkle import inclusion_path
from seal_service.log.proofs import LogProof, write_proof
from seal_service.log.tiles import CHECKPOINT, TiledNodes
from tests.interop.judging import UNTOUCHED, judged
from tests.interop.made_log import made_log
from tests.interop.mutations import MUTATIONS, flipped
from tests.interop.published import PublishedFiles
from tests.interop.tools import Tools, ToolsMissing, prepared
from tests.interop.used_office import UsedOffice
from tests.interop.verifiers import VERIFIERS

ENTRIES = 2000
"""Of the fewest for which there are full tiles, partial ones and a second level at each checkpoint."""


@pytest.fixture(scope="module")
def tools() -> Tools:
    try:
        return prepared()
    except ToolsMissing as reason:
        pytest.skip(str(reason))


def test_every_verifier_is_green_on_the_log_and_red_on_every_change_that_it_can_see(
    tools: Tools, tmp_path: Path
) -> None:
    with made_log(ENTRIES, tmp_path) as made:
        judgements = judged(made.log, made.forger, made.evidence, tools, tmp_path / "changed")
    assert len(judgements) == len(VERIFIERS) * (1 + len(MUTATIONS))
    assert [f"{one.log}: {one.verifier}: {one.verdict.said}" for one in judgements if not one.expected] == []
    red = {one.log for one in judgements if not one.verdict.well}
    assert red == {one.name for one in MUTATIONS}
    assert {one.verifier for one in judgements if one.log == UNTOUCHED and one.verdict.well} == set(VERIFIERS)


def test_a_log_whose_key_was_rotated_is_followed_by_who_kept_what_the_old_key_signed(
    tools: Tools, tmp_path: Path
) -> None:
    """Go's note and tlog know several keys; who knows the next one alone cannot tell what the old one signed."""
    office = UsedOffice(tmp_path / "instance")
    try:
        kept, old = _kept(office, 300, tmp_path), office.verifier_key
        office.rotate_key()
        new = office.verifier_key
        office.append(300)
        office.sequence()
        office.publish()
        (tmp_path / "new").write_text(f"{new}\n")
        (tmp_path / "both").write_text(f"{new}\n{old}\n")
        assert _audited(tools, tmp_path / "new", office.published)
        assert _audited(tools, tmp_path / "both", office.published, *kept)
        assert not _audited(tools, tmp_path / "new", office.published, *kept)
        (tmp_path / "old").write_text(old)
        assert not _audited(tools, tmp_path / "old", office.published)
    finally:
        office.close()


def _kept(office: UsedOffice, entries: int, directory: Path) -> list[str]:
    """A checkpoint and a proof of the log as it is now, as somebody keeps them."""
    office.append(entries)
    office.sequence()
    office.publish()
    checkpoint, proof = directory / "kept-checkpoint", directory / "kept.tlog-proof"
    checkpoint.write_bytes((office.published / CHECKPOINT).read_bytes())
    entry = PublishedFiles(office.published).entries()[100]
    file = office.proving.inclusion(leaf_hash(entry), 100, entry)
    assert file is not None
    proof.write_bytes(file)
    return ["-earlier", str(checkpoint), "-proof", str(proof)]


def _audited(tools: Tools, key: Path, directory: Path, *kept: str) -> bool:
    command = [str(tools.logcheck), "audit", "-key", str(key), *kept, str(directory)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_proof_file_holds_for_an_outside_verifier_and_with_a_bit_flipped_anywhere_does_not(
    tools: Tools, tmp_path: Path
) -> None:
    key, content, entry = _proof(tmp_path)
    (tmp_path / "key").write_text(key)
    (tmp_path / "entry").write_bytes(entry)
    assert _holds(tools, tmp_path, content)
    assert not _holds(tools, tmp_path, content, "other entry")
    changed = [flipped(content, at, at % 8) for at in range(0, len(content), 5)]
    assert [one for one in changed if _holds(tools, tmp_path, one)] == []


def _proof(directory: Path) -> tuple[str, bytes, bytes]:
    """Verifier key, file and entry, of a log of 700 entries."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key = VerifierKey(name="seal.example/log", type=SignatureType.ED25519, public_key=public)
    entries = [f"entry {number}".encode() for number in range(700)]
    log = PublishedFiles(directory / "log")
    text = Checkpoint(origin=key.name, size=len(entries), root=log.write(entries)).text
    signature = NoteSignature(name=key.name, key_id=key.key_id, value=private.sign(text.encode()))
    log.replace(CHECKPOINT, write_note(text, [signature]))
    path = inclusion_path(300, len(entries), TiledNodes(len(entries), log.read))
    checkpoint = (log.directory / CHECKPOINT).read_bytes()
    return key.text, write_proof(LogProof(index=300, path=path, checkpoint=checkpoint)), entries[300]


def _holds(tools: Tools, directory: Path, content: bytes, entry: str | None = None) -> bool:
    (directory / "proof").write_bytes(content)
    if entry is not None:
        (directory / "other").write_text(entry)
    of_entry = directory / ("entry" if entry is None else "other")
    files = ["-key", directory / "key", "-entry", of_entry, directory / "proof"]
    return subprocess.run([tools.logcheck, "proof", *map(str, files)], check=False, capture_output=True).returncode == 0
