"""Master keys: where they come from, what they wrap, and that nothing else opens it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import AlreadyRegistered, InstanceNotReady, IntegrityFailed
from seal_service.pki.master_key import GivenMasterKeys, MasterKey, MasterKeyFile, MasterKeys, parse_master_keys
from tests.key_directory import first_form
from tests.pki_instance import SystemEntropy

ENTROPY = SystemEntropy()
FIRST, SECOND = MasterKey(bytes(range(32))), MasterKey(bytes(32))


@given(st.binary(max_size=300), st.binary(max_size=50))
def test_what_is_wrapped_is_unwrapped_in_the_same_context_only(plaintext: bytes, context: bytes) -> None:
    wrapped = FIRST.wrap(plaintext, context, ENTROPY)
    assert FIRST.unwrap(wrapped, context) == plaintext
    with pytest.raises(IntegrityFailed):
        FIRST.unwrap(wrapped, context + b"x")


@given(st.binary(max_size=60), st.data())
def test_any_changed_bit_is_found(plaintext: bytes, data: st.DataObject) -> None:
    wrapped = bytearray(FIRST.wrap(plaintext, b"context", ENTROPY))
    wrapped[data.draw(st.integers(0, len(wrapped) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityFailed):
        FIRST.unwrap(bytes(wrapped), b"context")


@given(st.binary(max_size=80))
def test_bytes_that_nothing_wrapped_are_refused(garbage: bytes) -> None:
    with pytest.raises(IntegrityFailed):
        FIRST.unwrap(garbage, b"")


def test_wrapped_content_names_its_key_and_another_does_not_open_it() -> None:
    wrapped = FIRST.wrap(b"secret", b"c", ENTROPY)
    assert wrapped[1:9] == FIRST.id
    assert b"secret" not in wrapped
    assert MasterKeys((SECOND, FIRST)).opener(wrapped, b"c") is FIRST
    assert MasterKeys((SECOND,)).opener(wrapped, b"c") is None
    with pytest.raises(IntegrityFailed):
        SECOND.unwrap(wrapped, b"c")
    with pytest.raises(IntegrityFailed):
        SECOND.unwrap(wrapped[:1] + SECOND.id + wrapped[9:], b"c")


def test_what_version_0_1_0_wrapped_is_opened_by_the_key_that_did() -> None:
    wrapped = first_form(FIRST.written(), b"PKCS#8" * 10, b"key/a")
    assert MasterKeys((SECOND, FIRST)).opener(wrapped, b"key/a") is FIRST
    assert FIRST.unwrap(wrapped, b"key/a") == b"PKCS#8" * 10
    assert MasterKeys((SECOND,)).opener(wrapped, b"key/a") is None


def test_neither_id_nor_representation_shows_the_key() -> None:
    key = MasterKey(bytes.fromhex("ab" * 32))
    assert repr(key) == f"MasterKey({key.id.hex()})"
    assert "abab" not in repr(MasterKeys((key,)))
    assert len({MasterKey(bytes([n]) * 32).id for n in range(50)}) == 50


def test_a_created_master_key_is_loaded_again_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "keys" / "master.key")
    keys = file.create(ENTROPY)
    assert file.load().active.id == keys.active.id
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(file.path.parent) == ["master.key"]


def test_a_master_key_is_never_overwritten_by_a_first_one(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "master.key")
    keys = file.create(ENTROPY)
    with pytest.raises(AlreadyRegistered):
        file.create(ENTROPY)
    assert file.load().active.id == keys.active.id


def test_several_keys_keep_their_order(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "master.key")
    file.create(ENTROPY)
    file.replace(MasterKeys((FIRST, SECOND)), ENTROPY)
    assert [one.id for one in file.load().keys] == [FIRST.id, SECOND.id]
    assert file.path.stat().st_mode & 0o777 == 0o600
    given_keys = GivenMasterKeys(f"{FIRST.written().upper()}, {SECOND.written()}\n").load()
    assert given_keys.active.id == FIRST.id
    assert [one.id for one in given_keys.others] == [SECOND.id]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_master_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = MasterKeyFile(tmp_path / "master.key")
    file.create(ENTROPY)
    file.path.chmod(mode)
    with pytest.raises(InstanceNotReady, match="read by others"):
        file.load()


def test_a_missing_master_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstanceNotReady, match="nothing-here"):
        MasterKeyFile(tmp_path / "nothing-here").load()
    with pytest.raises(InstanceNotReady):
        MasterKeyFile(tmp_path).load()


MALFORMED = {
    "empty": b"",
    "short": b"ab" * 31,
    "long": b"ab" * 33,
    "not hexadecimal": b"zz" * 32,
    "not ASCII": b"\xff" * 64,
    "wide digits": "４".encode() * 64,
    "second malformed": b"cd" * 32 + b"\nabab\n",
    "empty line": b"cd" * 32 + b"\n\n" + b"ab" * 32,
    "twice": b"ab" * 32 + b"\n" + b"AB" * 32,
    "too many": b"\n".join(bytes([n]).hex().encode() * 32 for n in range(17)),
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_master_key_is_refused_without_repeating_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InstanceNotReady) as refused:
        MasterKeyFile(path).load()
    assert "abab" not in str(refused.value)
    with pytest.raises(InstanceNotReady):
        parse_master_keys(content.decode(errors="replace"))
