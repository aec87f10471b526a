from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import AlreadyRegistered, InstanceNotReady, IntegrityFailed
from seal_service.pki.vault import MasterKeyVault, create_master_key, load_master_key, parse_master_key
from tests.pki_instance import SystemEntropy

ENTROPY = SystemEntropy()
VAULT = MasterKeyVault(bytes(range(32)), ENTROPY)


@given(st.binary(max_size=300), st.binary(max_size=50))
def test_what_is_encrypted_is_decrypted_in_the_same_context_only(plaintext: bytes, context: bytes) -> None:
    ciphertext = VAULT.encrypt(plaintext, context)
    assert VAULT.decrypt(ciphertext, context) == plaintext
    with pytest.raises(IntegrityFailed):
        VAULT.decrypt(ciphertext, context + b"x")


@given(st.binary(max_size=60), st.data())
def test_any_changed_bit_is_found(plaintext: bytes, data: st.DataObject) -> None:
    ciphertext = bytearray(VAULT.encrypt(plaintext, b"context"))
    position = data.draw(st.integers(0, len(ciphertext) - 1))
    ciphertext[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityFailed):
        VAULT.decrypt(bytes(ciphertext), b"context")


@given(st.binary(max_size=80))
def test_bytes_that_are_no_ciphertext_are_refused(garbage: bytes) -> None:
    with pytest.raises(IntegrityFailed):
        VAULT.decrypt(garbage, b"")


def test_a_ciphertext_shows_neither_plaintext_nor_repetition() -> None:
    first, second = VAULT.encrypt(b"secret" * 10, b"c"), VAULT.encrypt(b"secret" * 10, b"c")
    assert first != second
    assert b"secret" not in first
    assert first[0] == 1
    assert len(first) == 1 + 12 + 60 + 16


def test_another_master_key_opens_nothing() -> None:
    other = MasterKeyVault(bytes(32), ENTROPY)
    with pytest.raises(IntegrityFailed):
        other.decrypt(VAULT.encrypt(b"secret", b"c"), b"c")


def test_pseudonyms_are_equal_for_equal_values_and_differ_by_purpose_value_and_key() -> None:
    pseudonym = VAULT.pseudonym("张三", "operator")
    assert pseudonym == VAULT.pseudonym("张三", "operator")
    assert len(pseudonym) == 32
    assert int(pseudonym, 16) >= 0
    others = {
        VAULT.pseudonym("李四", "operator"),
        VAULT.pseudonym("张三", "name"),
        VAULT.pseudonym("r张三", "operato"),
        MasterKeyVault(bytes(32), ENTROPY).pseudonym("张三", "operator"),
    }
    assert len(others) == 4
    assert pseudonym not in others


def test_derived_keys_are_stable_and_their_own() -> None:
    assert VAULT.derive("tokens") == MasterKeyVault(bytes(range(32)), ENTROPY).derive("tokens")
    assert len({VAULT.derive("tokens"), VAULT.derive("other"), bytes(range(32))}) == 3
    assert len(VAULT.derive("tokens")) == 32


def test_a_created_master_key_is_loaded_again_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    key = create_master_key(path, ENTROPY)
    assert load_master_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["master.key"]


def test_a_master_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    key = create_master_key(path, ENTROPY)
    with pytest.raises(AlreadyRegistered):
        create_master_key(path, ENTROPY)
    assert load_master_key(path) == key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_master_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    create_master_key(path, ENTROPY)
    path.chmod(mode)
    with pytest.raises(InstanceNotReady, match="read by others"):
        load_master_key(path)


def test_a_missing_master_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstanceNotReady, match="nothing-here"):
        load_master_key(tmp_path / "nothing-here")
    with pytest.raises(InstanceNotReady):
        load_master_key(tmp_path)


@pytest.mark.parametrize("content", [b"", b"ab" * 31, b"ab" * 33, b"zz" * 32, b"\xff" * 64, "４".encode() * 64])
def test_a_malformed_master_key_is_refused_without_repeating_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InstanceNotReady) as refused:
        load_master_key(path)
    assert "abab" not in str(refused.value)
    with pytest.raises(InstanceNotReady):
        parse_master_key(content.decode(errors="replace"))


def test_a_master_key_from_the_environment_is_read_in_either_case() -> None:
    assert parse_master_key("AB" * 32) == parse_master_key(" " + "ab" * 32 + "\n") == b"\xab" * 32
