"""The vault over the key ring, and the ring as it lies in the key directory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import InstanceNotReady, IntegrityFailed
from seal_service.pki.key_ring import KeyRing
from seal_service.pki.vault import KeyRingVault
from tests.key_directory import ENTROPY, Contents, Process, as_version_0_1_0, first_form, founded, master_lines, sub_key
from tests.pki_instance import key_hierarchy

OTHER = "cd" * 32


def vault() -> KeyRingVault:
    """A vault whose ring is held; its directory is gone again."""
    with tempfile.TemporaryDirectory() as directory:
        made = KeyRingVault(key_hierarchy(Path(directory)), ENTROPY)
        hierarchy = made._hierarchy
        ring = hierarchy.held_ring()
    hierarchy.ring = lambda: ring  # type: ignore[method-assign]
    return made


VAULT = vault()


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


def test_a_ciphertext_names_its_data_key_and_shows_neither_plaintext_nor_repetition() -> None:
    first, second = VAULT.encrypt(b"secret" * 10, b"c"), VAULT.encrypt(b"secret" * 10, b"c")
    assert first != second
    assert b"secret" not in first
    assert first[:5] == b"\x02\x00\x00\x00\x01"
    assert len(first) == 5 + 12 + 60 + 16


def test_another_ring_opens_nothing() -> None:
    with pytest.raises(IntegrityFailed):
        vault().decrypt(VAULT.encrypt(b"secret", b"c"), b"c")


def test_pseudonyms_are_equal_for_equal_values_and_differ_by_purpose_value_and_key() -> None:
    pseudonym = VAULT.pseudonym("张三", "operator")
    assert pseudonym == VAULT.pseudonym("张三", "operator")
    assert len(pseudonym) == 32
    assert int(pseudonym, 16) >= 0
    others = {
        VAULT.pseudonym("李四", "operator"),
        VAULT.pseudonym("张三", "name"),
        VAULT.pseudonym("r张三", "operato"),
        vault().pseudonym("张三", "operator"),
    }
    assert len(others) == 4
    assert pseudonym not in others


def test_the_keys_of_a_ring_are_each_their_own_and_never_shown() -> None:
    ring = KeyRing.new(ENTROPY).with_data_key(ENTROPY).with_token_key(ENTROPY)
    keys = [*ring.data.values(), ring.pseudonyms, *ring.tokens]
    assert len(set(keys)) == 5
    assert {len(key) for key in keys} == {32}
    assert not any(key.hex() in repr(ring) or repr(key) in repr(ring) for key in keys)


def test_a_damaged_keyring_is_refused_at_every_bit_with_what_to_do(tmp_path: Path) -> None:
    founded(tmp_path)
    path = tmp_path / "keys" / "keyring"
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises((IntegrityFailed, InstanceNotReady), match="keyring"):
            Process(tmp_path)
    for length in (0, 1, 8, 36, 37, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(IntegrityFailed, match="put back the copy"):
            Process(tmp_path)
    path.write_bytes(whole)
    Process(tmp_path)


def test_a_missing_keyring_stops_what_would_encrypt_with_it(tmp_path: Path) -> None:
    """Neither a new process nor one that holds the ring encrypts with keys that are nowhere on disk."""
    contents = founded(tmp_path)
    running = Process(tmp_path)
    (tmp_path / "keys" / "keyring").unlink()
    for act in (
        lambda: Process(tmp_path),
        lambda: running.vault.encrypt(b"", b""),
        lambda: running.keys.create("seal-9", Suite.ECDSA_P256),
    ):
        with pytest.raises(InstanceNotReady, match=r"keyring .* is missing: put back the copy"):
            act()
    assert running.vault.decrypt(contents.private_field, b"field") == "张三".encode()


def test_a_keyring_or_key_of_another_master_key_is_named_with_what_to_do(tmp_path: Path) -> None:
    founded(tmp_path)
    active = Process(tmp_path).hierarchy.masters.active.id.hex()
    with pytest.raises(InstanceNotReady, match=f"wrapped under master key {active}.*add that key after the first"):
        Process(tmp_path, environment=OTHER)
    Process(tmp_path, environment=f"{OTHER},{master_lines(tmp_path)[0]}").keys.create("late", Suite.ECDSA_P256)
    with pytest.raises(InstanceNotReady, match=r"late\.key is wrapped under master key"):
        Process(tmp_path).keys.open("late")


def test_an_instance_without_keys_is_told_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(InstanceNotReady, match="seal init"):
        Process(tmp_path, environment=OTHER)


def version_0_1_0(home: Path) -> str:
    """An instance as version 0.1.0 left it; its master key."""
    keys = home / "keys"
    keys.mkdir(mode=0o700)
    (keys / "master.key").write_text(OTHER + "\n")
    (keys / "master.key").chmod(0o600)
    (keys / "authority-root.key").write_bytes(first_form(OTHER, bytes(100), b"key/authority-root"))
    return OTHER


def test_the_ring_of_version_0_1_0_is_implied_by_its_master_key(tmp_path: Path) -> None:
    master = version_0_1_0(tmp_path)
    process = Process(tmp_path)
    assert process.vault.decrypt(first_form(master, b"field", b"c"), b"c") == b"field"
    assert process.vault.encrypt(b"", b"")[:5] == b"\x02\x00\x00\x00\x01"
    assert list(process.vault.token_keys()) == [sub_key(master, b"derived/access tokens")]
    assert process.hierarchy.ring().pseudonyms == sub_key(master, b"pseudonyms")
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["authority-root.key", "master.key"]
    both = Process(tmp_path, environment=f"{'ef' * 32},{master}")
    assert both.hierarchy.ring() == process.hierarchy.ring()
    with pytest.raises(InstanceNotReady, match="under another master key"):
        Process(tmp_path, environment="ef" * 32)


def test_the_first_key_made_in_an_instance_of_version_0_1_0_writes_its_ring(tmp_path: Path) -> None:
    version_0_1_0(tmp_path)
    before = Process(tmp_path)
    ring = before.hierarchy.ring()
    Process(tmp_path).keys.create("seal-9", Suite.ECDSA_P256)
    assert before.hierarchy.ring() == Process(tmp_path).hierarchy.ring() == ring
    assert (tmp_path / "keys" / "keyring").exists()
    before.keys.open("seal-9")


def test_contents_of_version_0_1_0_all_open(tmp_path: Path) -> None:
    master = version_0_1_0(tmp_path)
    Process(tmp_path).hierarchy.write_implied_ring()
    (tmp_path / "keys" / "authority-root.key").unlink()
    contents = Contents.made(Process(tmp_path))
    as_version_0_1_0(tmp_path)
    contents.require(Process(tmp_path))
    assert master_lines(tmp_path) == [master]


def test_tokens_of_the_key_before_are_accepted_and_earlier_ones_are_not(tmp_path: Path) -> None:
    founded(tmp_path)
    signing, other = Process(tmp_path), Process(tmp_path)
    (first,) = other.vault.token_keys()
    signing.tokens.rotate()
    second, before = other.vault.token_keys()
    assert before == first
    signing.tokens.rotate()
    assert other.vault.token_keys()[1] == second
    assert first not in other.vault.token_keys()
    assert other.vault.token_keys() == Process(tmp_path).vault.token_keys()


@given(st.lists(st.binary(max_size=100), max_size=4), st.binary(max_size=50))
def test_what_is_encrypted_in_pieces_is_decrypted_whole(pieces: list[bytes], context: bytes) -> None:
    ciphertext = b"".join(VAULT.encrypted(pieces, context))
    assert VAULT.decrypt(ciphertext, context) == b"".join(pieces)
    assert len(ciphertext) == len(VAULT.encrypt(b"".join(pieces), context)), "the same form"
    with pytest.raises(IntegrityFailed):
        VAULT.decrypt(ciphertext, context + b"x")
