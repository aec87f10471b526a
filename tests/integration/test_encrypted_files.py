"""Kept documents: encrypted, whole or not at all, and noticed when changed."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import threading
from itertools import count
from pathlib import Path

import pytest

from seal_service.domain.errors import IntegrityFailed, InvalidInput, Unavailable
from seal_service.formats.upload import upload_of
from seal_service.pki.vault import KeyRingVault
from seal_service.storage.blobs import EncryptedFiles
from tests.pki_instance import SystemEntropy, key_hierarchy

CONTENT = "示例市样章文件".encode() * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> KeyRingVault:
    return KeyRingVault(key_hierarchy(tmp_path / "keys"), SystemEntropy())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "home" / "blobs"


@pytest.fixture
def blobs(directory: Path, vault: KeyRingVault) -> EncryptedFiles:
    return EncryptedFiles(directory, vault)


def files(directory: Path) -> list[Path]:
    return [one for one in directory.rglob("*") if one.is_file() and one.name != ".lock"]


def test_content_is_named_by_its_digest_and_comes_back(blobs: EncryptedFiles) -> None:
    assert blobs.put(CONTENT) == DIGEST
    assert blobs.get(DIGEST) == CONTENT
    assert blobs.put(b"") == hashlib.sha256(b"").hexdigest()
    assert blobs.get(hashlib.sha256(b"").hexdigest()) == b""


def test_what_was_never_kept_is_none(blobs: EncryptedFiles) -> None:
    assert blobs.get(DIGEST) is None
    blobs.delete(DIGEST)


def test_the_file_is_encrypted_and_readable_to_its_owner_alone(blobs: EncryptedFiles, directory: Path) -> None:
    blobs.put(CONTENT)
    (file,) = files(directory)
    assert file.relative_to(directory).parts == (DIGEST[:2], DIGEST[2:4], DIGEST)
    assert "样章".encode() not in file.read_bytes()
    modes = [stat.S_IMODE(one.stat().st_mode) & 0o077 for one in (directory, *directory.rglob("*"))]
    assert set(modes) == {0}


def test_the_same_content_is_one_file_that_is_not_written_again(blobs: EncryptedFiles, directory: Path) -> None:
    blobs.put(CONTENT)
    (file,) = files(directory)
    before = (file.stat().st_ino, file.read_bytes())
    blobs.put(CONTENT)
    assert files(directory) == [file]
    assert (file.stat().st_ino, file.read_bytes()) == before


@pytest.mark.parametrize("position", [0, 1, 13, -1])
def test_a_flipped_bit_is_noticed(blobs: EncryptedFiles, directory: Path, position: int) -> None:
    blobs.put(CONTENT)
    (file,) = files(directory)
    damaged = bytearray(file.read_bytes())
    damaged[position] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(IntegrityFailed):
        blobs.get(DIGEST)
    with pytest.raises(IntegrityFailed):
        blobs.put(CONTENT)


def test_a_cut_file_is_noticed(blobs: EncryptedFiles, directory: Path) -> None:
    blobs.put(CONTENT)
    (file,) = files(directory)
    for length in (0, 5, 20, 100):
        os.truncate(file, length)
        with pytest.raises(IntegrityFailed):
            blobs.get(DIGEST)


def test_a_blob_under_anothers_name_is_noticed(blobs: EncryptedFiles, directory: Path) -> None:
    blobs.put(CONTENT)
    (file,) = files(directory)
    other = hashlib.sha256(b"other").hexdigest()
    moved = directory / other[:2] / other[2:4] / other
    moved.parent.mkdir(parents=True)
    moved.write_bytes(file.read_bytes())
    with pytest.raises(IntegrityFailed):
        blobs.get(other)


def test_content_that_does_not_match_its_name_is_noticed_even_if_rightly_encrypted(
    blobs: EncryptedFiles, directory: Path, vault: KeyRingVault
) -> None:
    blobs.put(CONTENT)
    (file,) = files(directory)
    file.write_bytes(vault.encrypt(b"another", b"blob:" + DIGEST.encode()))
    with pytest.raises(IntegrityFailed):
        blobs.get(DIGEST)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a" * 63, "A" * 64, "/" * 64, "a" * 63 + "\n"])
def test_a_name_that_is_no_digest_is_refused(blobs: EncryptedFiles, name: str) -> None:
    with pytest.raises(InvalidInput):
        blobs.get(name)
    with pytest.raises(InvalidInput):
        blobs.delete(name)


def test_what_is_deleted_is_gone_and_can_be_kept_again(blobs: EncryptedFiles, directory: Path) -> None:
    blobs.put(CONTENT)
    blobs.delete(DIGEST)
    assert blobs.get(DIGEST) is None
    assert files(directory) == []
    assert blobs.put(CONTENT) == DIGEST
    assert blobs.get(DIGEST) == CONTENT


def test_many_writers_of_the_same_content_leave_one_whole_file(blobs: EncryptedFiles, directory: Path) -> None:
    together = threading.Barrier(8)
    kept: list[str] = []

    def put() -> None:
        together.wait()
        kept.append(blobs.put(CONTENT))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept == [DIGEST] * 8
    assert len(files(directory)) == 1
    assert blobs.get(DIGEST) == CONTENT


def test_a_write_that_fails_leaves_nothing(
    blobs: EncryptedFiles, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="No space left"):
            blobs.put(CONTENT)
    assert files(directory) == []
    assert blobs.get(DIGEST) is None


def test_content_in_pieces_is_the_same_blob(blobs: EncryptedFiles, directory: Path) -> None:
    large = os.urandom(3 << 20)
    digest = blobs.put(large[:1], upload_of(large[1 : 2 << 20]).content, large[2 << 20 :])
    assert digest == hashlib.sha256(large).hexdigest()
    assert blobs.get(digest) == large
    assert blobs.put(large) == digest
    assert len(files(directory)) == 1


def test_a_directory_that_went_away_is_made_again(blobs: EncryptedFiles, directory: Path) -> None:
    blobs.put(CONTENT)
    shutil.rmtree(directory)
    assert blobs.put(CONTENT) == DIGEST
    assert blobs.get(DIGEST) == CONTENT


def test_every_new_directory_is_made_durable_before_anything_is_said_to_be_kept(
    blobs: EncryptedFiles, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    flush = os.fsync

    def noting(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    blobs.put(CONTENT)
    place = directory / DIGEST[:2] / DIGEST[2:4]
    above = [str(one) for one in (place.parent, directory, directory.parent)]
    assert synced[1:] == [str(place), *above]
    blobs.delete(DIGEST)
    synced.clear()
    blobs.put(CONTENT)
    assert synced[1:] == [str(place)], "what lies above lasts already"

    synced.clear()
    sibling = next(one for one in (b"%d" % n for n in count()) if hashlib.sha256(one).hexdigest()[:2] == DIGEST[:2])
    blobs.put(sibling)
    assert synced[2:] == [str(place.parent)], "where the new directory's name is"


@pytest.mark.parametrize("failing", ["fsync", "link", "unlink"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_or_is_full_is_a_service_that_does_not_answer(
    blobs: EncryptedFiles, directory: Path, monkeypatch: pytest.MonkeyPatch, failing: str, number: int
) -> None:
    """It is told as such, without a path; and what was asked for works when the disk does again."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(directory))

    with monkeypatch.context() as patched:
        patched.setattr(os, failing, fail)
        with pytest.raises(Unavailable) as told:
            blobs.put(CONTENT)
    assert os.strerror(number) in told.value.message
    assert str(directory) not in told.value.message
    assert blobs.put(CONTENT) == DIGEST
    assert blobs.get(DIGEST) == CONTENT


def test_a_blob_that_the_disk_does_not_give_is_a_service_that_does_not_answer(
    blobs: EncryptedFiles, directory: Path
) -> None:
    blobs.put(CONTENT)
    (file,) = files(directory)
    file.unlink()
    file.mkdir()  # EISDIR, from the kernel itself
    for asked in (blobs.get, blobs.delete):
        with pytest.raises(Unavailable):
            asked(DIGEST)
