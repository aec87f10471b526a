"""日志密钥, wherever it is: made once, found by other processes, its notes verified by its verifier key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import (
    AlreadyRegistered,
    InstanceNotReady,
    IntegrityFailed,
    NoteRefused,
    SoftwareKeysRefused,
)
from seal_service.domain.key_custody import CustodyRule
from seal_service.domain.log_keys import FIRST, LogKeyPeriod
from seal_service.domain.operation import KeyPlace, Profile
from seal_service.domain.publication import LOG_KEY
from seal_service.formats.checkpoint import Checkpoint
from seal_service.formats.note import read_note, verified_by, verifier_key
from seal_service.pki.ed25519_files import Ed25519Files
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.log_key import LogKey
from seal_service.pki.pkcs11_ed25519 import Pkcs11Ed25519Keys
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.pki.pkcs11_token import Pkcs11Token
from seal_service.testing.transparency import MemoryLogKey
from tests.key_directory import Process, founded, master_lines
from tests.pki_instance import SystemEntropy, key_hierarchy
from tests.softhsm import USER_PIN, softhsm_module, softhsm_token

NAME = "seal.example/log"
RULE = CustodyRule(profile=Profile.DEVELOPMENT, software_keys_allowed=False)
PRODUCTION = CustodyRule(profile=Profile.PRODUCTION, software_keys_allowed=False)
TEXT = f"{NAME}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@dataclass
class Said:
    """What the log says of its keys."""

    periods: list[LogKeyPeriod]

    def __call__(self) -> list[LogKeyPeriod]:
        return list(self.periods)

    def anew(self) -> list[LogKeyPeriod]:
        return list(self.periods)


@pytest.fixture
def said() -> list[LogKeyPeriod]:
    """The log's keys, as the log says."""
    return [FIRST]


@pytest.fixture(params=["file", "HSM"])
def opening(request: pytest.FixtureRequest, tmp_path: Path, said: list[LogKeyPeriod]) -> Callable[[], LogKey]:
    periods = Said(said)

    hierarchy = key_hierarchy(tmp_path / "keys")

    def files() -> Ed25519Files:
        return Ed25519Files(hierarchy, SystemEntropy())

    if request.param == "file":
        return lambda: LogKey(NAME, files(), None, KeyPlace.FILE, RULE, periods)
    module, label = softhsm_module(), softhsm_token()

    def hsm() -> Pkcs11Ed25519Keys:
        return Pkcs11Ed25519Keys(Pkcs11Token(module, label, lambda: USER_PIN))

    return lambda: LogKey(NAME, files(), hsm(), KeyPlace.PKCS11, PRODUCTION, periods)


def test_whoever_has_the_verifier_key_verifies_its_notes(opening: Callable[[], LogKey]) -> None:
    opening().create()
    key = verifier_key(opening().verifier_key)
    assert key.name == NAME
    note = opening().sign(TEXT)
    assert verified_by(read_note(note), [key]) == (key,)
    assert opening().sign(TEXT) == note, "the same text is signed with the same bytes"


def test_it_is_made_once(opening: Callable[[], LogKey]) -> None:
    assert not opening().is_there()
    opening().create()
    made = opening().verifier_key
    with pytest.raises(AlreadyRegistered):
        opening().create()
    assert opening().is_there()
    assert opening().verifier_key == made


def test_without_a_key_it_says_what_to_run(opening: Callable[[], LogKey]) -> None:
    key = opening()
    with pytest.raises(InstanceNotReady, match="seal log init"):
        key.sign(TEXT)
    opening().create()
    assert key.sign(TEXT), "a process need not begin anew after it was made"


def checkpoint(size: int) -> str:
    return Checkpoint(origin=NAME, size=size, root=bytes([size % 256]) * 32).text


def follow(key: LogKey, said: list[LogKeyPeriod]) -> None:
    """The second key follows the first after a tree of 9 entries."""
    key.create(2)
    first = LogKeyPeriod(number=1, verifier_key=key.verifier_key_of(1), above=FIRST.above)
    said[:] = [first, LogKeyPeriod(number=2, verifier_key=key.verifier_key_of(2), above=9)]


class LogKeyNumbered:
    """One of a log's keys, as if it were in force."""

    def __init__(self, key: LogKey, number: int) -> None:
        self._key = key
        self._periods = [LogKeyPeriod(number=number, verifier_key=key.verifier_key_of(number), above=-1)]

    def sign(self, text: str) -> bytes:
        return self._key.sign(text, periods=self._periods)


def followed(opening: Callable[[], LogKey], said: list[LogKeyPeriod]) -> LogKey:
    """A key that has ended, and the one after it."""
    key = opening()
    key.create()
    follow(key, said)
    return key


def test_the_key_that_the_log_names_last_signs(opening: Callable[[], LogKey], said: list[LogKeyPeriod]) -> None:
    key = opening()
    key.create()
    before = key.sign(checkpoint(9))
    follow(key, said)
    after = key.sign(checkpoint(10))
    first, second = said[0].verifier_key, said[1].verifier_key
    assert first is not None
    assert second is not None
    assert first != second
    assert key.verifier_key == second
    assert key.verifier_keys == (second, first)
    assert verified_by(read_note(before), [verifier_key(first)])
    assert verified_by(read_note(after), [verifier_key(second)])
    assert opening().sign(checkpoint(9), 9) == before, "what one signs again of an earlier tree is its key's"


def test_a_checkpoint_holds_by_the_key_of_its_size_alone(
    opening: Callable[[], LogKey], said: list[LogKeyPeriod]
) -> None:
    key = followed(opening, said)
    for size in (0, 9):
        assert key.open(key.sign(checkpoint(size), size)).size == size
        with pytest.raises(NoteRefused):
            key.open(key.sign(checkpoint(size)))
    assert key.open(key.sign(checkpoint(10))).root == bytes([10]) * 32
    with pytest.raises(NoteRefused):
        key.open(key.sign(checkpoint(10), 9))


def test_a_key_that_ended_may_be_gone(said: list[LogKeyPeriod], tmp_path: Path) -> None:
    files = Ed25519Files(key_hierarchy(tmp_path / "keys"), SystemEntropy())

    def opening() -> LogKey:
        return LogKey(NAME, files, None, KeyPlace.FILE, RULE, Said(said))

    key = followed(opening, said)
    old = key.sign(checkpoint(3), 3)
    (tmp_path / "keys" / "log.key").unlink()
    fresh = opening()
    assert fresh.open(old).size == 3
    assert fresh.verifier_keys == key.verifier_keys
    assert fresh.sign(checkpoint(10))
    with pytest.raises(InstanceNotReady, match="seal log init"):
        fresh.sign(checkpoint(3), 3)


def test_a_database_behind_its_guard_knows_later_keys_by_the_store(
    opening: Callable[[], LogKey], said: list[LogKeyPeriod]
) -> None:
    """As after the restore of a backup from before rotations; a key of before that may be destroyed by now."""
    key = followed(opening, said)
    key.create(4)
    guarded = [key.sign(checkpoint(12)), LogKeyNumbered(key, 4).sign(checkpoint(13))]
    said[:] = [FIRST]
    for note, size in zip(guarded, (12, 13), strict=True):
        with pytest.raises(NoteRefused):
            opening().open(note)
        with pytest.raises(NoteRefused):
            opening().open(note, beyond=size)
        assert opening().open(note, beyond=size - 1).size == size
    said[:] = [FIRST, LogKeyPeriod(number=5, verifier_key=None, above=9)]  # which is not here
    key.create(6)
    assert opening().open(LogKeyNumbered(key, 6).sign(checkpoint(14)), beyond=13).size == 14


def test_a_key_that_is_here_has_the_last_word(opening: Callable[[], LogKey], said: list[LogKeyPeriod]) -> None:
    """Whoever can write to the database names no key of the log."""
    key = followed(opening, said)
    note = key.sign(checkpoint(3), 3)
    foreign = MemoryLogKey(NAME)
    first, second = said
    for periods in (
        [replace(first, verifier_key=foreign.verifier_key), second],
        [first, replace(second, verifier_key=foreign.verifier_key)],
    ):
        said[:] = periods
        again = opening()
        with pytest.raises(IntegrityFailed, match="not the one that the log names"):
            _ = again.verifier_keys
        wrong = note if said[0].verifier_key == foreign.verifier_key else foreign.sign(checkpoint(10))
        with pytest.raises(IntegrityFailed, match="not the one that the log names"):
            again.open(wrong)


def test_production_takes_no_software_key_that_follows(said: list[LogKeyPeriod], tmp_path: Path) -> None:
    files = Ed25519Files(key_hierarchy(tmp_path / "keys"), SystemEntropy())
    followed(lambda: LogKey(NAME, files, None, KeyPlace.FILE, RULE, Said(said)), said)
    production = LogKey(NAME, files, None, KeyPlace.FILE, PRODUCTION, Said(said))
    with pytest.raises(SoftwareKeysRefused):
        _ = production.verifier_key
    with pytest.raises(SoftwareKeysRefused):
        production.require_permitted(3)


def test_a_key_that_the_log_names_and_that_is_not_here_is_asked_for(
    opening: Callable[[], LogKey], said: list[LogKeyPeriod]
) -> None:
    key = opening()
    key.create()
    said[:] = [FIRST, LogKeyPeriod(number=2, verifier_key=MemoryLogKey(NAME).verifier_key, above=9)]
    with pytest.raises(InstanceNotReady, match="log-2 is not here"):
        key.sign(checkpoint(12))


def test_production_takes_no_software_key(tmp_path: Path) -> None:
    files = Ed25519Files(key_hierarchy(tmp_path / "keys"), SystemEntropy())
    with pytest.raises(SoftwareKeysRefused):
        LogKey(NAME, files, None, KeyPlace.FILE, PRODUCTION, Said([FIRST])).create()
    files.create(LOG_KEY)
    with pytest.raises(SoftwareKeysRefused):
        LogKey(NAME, files, None, KeyPlace.FILE, PRODUCTION, Said([FIRST])).sign(TEXT)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    hierarchy = key_hierarchy(tmp_path / "keys")
    FileKeyStore(hierarchy, SystemEntropy()).create(LOG_KEY, Suite.ECDSA_P256)
    with pytest.raises(IntegrityFailed, match="no Ed25519 key"):
        Ed25519Files(hierarchy, SystemEntropy()).open(LOG_KEY)
    token = Pkcs11Token(softhsm_module(), softhsm_token(), lambda: USER_PIN)
    Pkcs11KeyStore(token).create(LOG_KEY, Suite.ECDSA_P256)
    with pytest.raises(IntegrityFailed, match="no Ed25519 key"):
        Pkcs11Ed25519Keys(token).open(LOG_KEY)


def test_a_new_master_key_opens_it_after_a_rotation(tmp_path: Path) -> None:
    founded(tmp_path)
    process = Process(tmp_path)
    made = Ed25519Files(process.hierarchy, SystemEntropy()).create(LOG_KEY)
    (old,) = master_lines(tmp_path)
    process.rotation.rotate()
    assert master_lines(tmp_path) != [old]
    assert Ed25519Files(Process(tmp_path).hierarchy, SystemEntropy()).open(LOG_KEY).public_key == made.public_key
    with pytest.raises(InstanceNotReady):
        Ed25519Files(Process(tmp_path, environment=old).hierarchy, SystemEntropy()).open(LOG_KEY)
