from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered, IntegrityFailed, InvalidInput, SignatureRefused
from seal_service.pki.file_keys import FileKeyStore
from seal_service.ports.crypto import KeyStore, SigningKey
from tests.pki_instance import SystemEntropy, key_hierarchy

ENTROPY = SystemEntropy()


def store(directory: Path) -> FileKeyStore:
    return FileKeyStore(key_hierarchy(directory), ENTROPY)


@pytest.mark.parametrize("suite", list(Suite))
def test_a_key_signs_after_it_is_opened_by_another_process(tmp_path: Path, suite: Suite) -> None:
    keys: KeyStore = store(tmp_path)
    created = keys.create("seal-1", suite)
    opened: SigningKey = store(tmp_path).open("seal-1")
    assert (opened.suite, opened.public_key_info) == (suite, created.public_key_info)
    public_key = load_der_public_key(created.public_key_info)
    signature = opened.sign(b"message")
    if isinstance(public_key, rsa.RSAPublicKey):
        public_key.verify(signature, b"message", padding.PKCS1v15(), hashes.SHA256())
        assert public_key.key_size == (3072 if suite is Suite.RSA_3072 else 2048)
    else:
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        public_key.verify(signature, b"message", ec.ECDSA(hashes.SHA256()))


def test_key_files_are_their_owners_alone_and_hold_no_plain_key(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    store(directory).create("seal-1", Suite.ECDSA_P256)
    (path,) = directory.glob("*.key")
    assert path.name == "seal-1.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700
    assert bytes.fromhex("06072a8648ce3d0201") not in path.read_bytes()  # id-ecPublicKey of a plain PKCS#8


def test_a_reference_is_taken_once(tmp_path: Path) -> None:
    keys = store(tmp_path)
    first = keys.create("seal-1", Suite.ECDSA_P256)
    for other in (keys, store(tmp_path)):
        with pytest.raises(AlreadyRegistered):
            other.create("seal-1", Suite.ECDSA_P256)
    assert store(tmp_path).open("seal-1").public_key_info == first.public_key_info


def test_of_many_who_create_the_same_key_at_once_one_succeeds(tmp_path: Path) -> None:
    def attempt(_: int) -> bytes | None:
        try:
            return store(tmp_path).create("seal-1", Suite.ECDSA_P256).public_key_info
        except AlreadyRegistered:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [one for one in pool.map(attempt, range(16)) if one is not None]
    assert made == [store(tmp_path).open("seal-1").public_key_info]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "keyring", "seal-1.key"]


@pytest.mark.parametrize("reference", ["", "../x", "a/b", ".hidden", "a\0b", "a b", "印章", "x" * 121, "a\n", "-x"])
def test_references_that_could_lead_elsewhere_are_refused(tmp_path: Path, reference: str) -> None:
    keys = store(tmp_path / "keys")
    for act in (keys.open, keys.destroy, lambda one: keys.create(one, Suite.ECDSA_P256)):
        with pytest.raises(InvalidInput):
            act(reference)
    assert [path.name for path in tmp_path.rglob("*")] == ["keys", "keyring"]


def test_a_key_that_is_not_there_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(SignatureRefused, match="seal-1"):
        store(tmp_path).open("seal-1")


def test_a_changed_or_exchanged_key_file_is_found(tmp_path: Path) -> None:
    keys = store(tmp_path)
    for reference in ("a", "b"):
        keys.create(reference, Suite.ECDSA_P256)
    (tmp_path / "a.key").write_bytes((tmp_path / "b.key").read_bytes())
    with pytest.raises(IntegrityFailed):
        store(tmp_path).open("a")


def test_a_destroyed_key_is_gone_for_every_process_that_held_it(tmp_path: Path) -> None:
    keys, other = store(tmp_path), store(tmp_path)
    keys.create("seal-1", Suite.ECDSA_P256)
    other.open("seal-1")
    keys.destroy("seal-1")
    keys.destroy("seal-1")
    for one in (keys, other):
        with pytest.raises(SignatureRefused):
            one.open("seal-1")
    assert list(tmp_path.glob("*.key")) == []


def test_keys_are_held_ready_up_to_a_number(tmp_path: Path) -> None:
    keys = FileKeyStore(key_hierarchy(tmp_path), ENTROPY, held_keys=2)
    for reference in ("a", "b", "c"):
        keys.create(reference, Suite.ECDSA_P256)
    assert keys.open("c") is keys.open("c")
    first = keys.open("a")
    assert keys.open("a") is first
    keys.open("b")
    keys.open("c")
    assert keys.open("a") is not first


def test_threads_share_keys(tmp_path: Path) -> None:
    keys = store(tmp_path)
    expected = {f"k{number}": keys.create(f"k{number}", Suite.ECDSA_P256).public_key_info for number in range(6)}
    fresh = FileKeyStore(key_hierarchy(tmp_path), ENTROPY, held_keys=3)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: (f"k{n % 6}", fresh.open(f"k{n % 6}").public_key_info), range(300)))
    assert all(expected[reference] == public_key for reference, public_key in found)
