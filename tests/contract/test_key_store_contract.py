"""What every KeyStore does: files, an HSM (SoftHSM), and what an instance makes of both."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered, InvalidInput, KeyNotFound, SignatureRefused
from seal_service.domain.key_custody import CustodyRule
from seal_service.domain.operation import KeyPlace, Profile
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.key_stores import KeyStores
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.pki.pkcs11_token import Pkcs11Token
from seal_service.pki.prepared_tokens import PreparedTokens
from seal_service.pki.seal_token_keys import SealTokenKeyStore
from seal_service.ports.crypto import KeyStore, SigningKey
from tests.pki_instance import SystemEntropy, key_hierarchy
from tests.softhsm import TRANSPORT_PIN, USER_PIN, softhsm_module, softhsm_seal_settings, softhsm_token

Opening = Callable[[], KeyStore]
"""Opens the store as another process would."""

MALFORMED = ["", "../x", "a/b", ".hidden", "a\0b", "a b", "印章", "x" * 121, "a\n", "-x"]
RULE = CustodyRule(profile=Profile.DEVELOPMENT, software_keys_allowed=False)


@pytest.fixture(params=["files", "HSM", "a token each", "both, new in files", "both, new in the HSM"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    hierarchy = key_hierarchy(tmp_path / "keys")

    def files() -> FileKeyStore:
        return FileKeyStore(hierarchy, SystemEntropy())

    if request.param == "files":
        return files
    if request.param == "a token each":
        named = softhsm_seal_settings(tmp_path, 4)
        beginning = str(named["pkcs11_seal_tokens"])
        return lambda: SealTokenKeyStore(PreparedTokens(softhsm_module(), beginning, None, lambda: TRANSPORT_PIN))
    module, label = softhsm_module(), softhsm_token()

    def hsm() -> Pkcs11KeyStore:
        return Pkcs11KeyStore(Pkcs11Token(module, label, lambda: USER_PIN))

    if request.param == "HSM":
        return hsm
    new = KeyPlace.FILE if request.param == "both, new in files" else KeyPlace.PKCS11
    return lambda: KeyStores(files(), hsm(), new, RULE)


def verify(public_key_info: bytes, signature: bytes, message: bytes) -> None:
    """Raise InvalidSignature unless the signature is the key's."""
    public_key = load_der_public_key(public_key_info)
    if isinstance(public_key, rsa.RSAPublicKey):
        public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        public_key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("suite", list(Suite))
def test_a_key_signs_after_it_is_opened_elsewhere(opening: Opening, suite: Suite, tmp_path: Path) -> None:
    created = opening().create("seal-1", suite)
    opened: SigningKey = opening().open("seal-1")
    assert (opened.suite, opened.public_key_info) == (suite, created.public_key_info)
    for key, message in ((created, b"message"), (opened, b""), (opened, bytes(100_000))):
        verify(created.public_key_info, key.sign(message), message)
    public_key = load_der_public_key(created.public_key_info)
    if isinstance(public_key, rsa.RSAPublicKey):
        assert public_key.key_size == (3072 if suite is Suite.RSA_3072 else 2048)
        assert public_key.public_numbers().e == 65537
    assert public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == created.public_key_info


@pytest.mark.parametrize("suite", list(Suite))
def test_openssl_verifies_the_signature(opening: Opening, suite: Suite, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command line is not installed")
    key = opening().create("seal-1", suite)
    for name, content in (("key", key.public_key_info), ("signature", key.sign(b"message")), ("message", b"message")):
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", "key", "-signature", "signature", "message"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "Verified OK\n", done.stderr


def test_a_reference_is_taken_once(opening: Opening) -> None:
    keys = opening()
    first = keys.create("seal-1", Suite.ECDSA_P256)
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for store in (keys, opening()):
        with pytest.raises(AlreadyRegistered):
            store.create("seal-1", Suite.RSA_2048)
        with pytest.raises(AlreadyRegistered):
            store.adopt("seal-1", other)
    assert opening().open("seal-1").public_key_info == first.public_key_info


def test_of_many_who_create_the_same_key_at_once_one_succeeds(opening: Opening) -> None:
    def attempt(_: int) -> bytes | None:
        try:
            return opening().create("seal-1", Suite.ECDSA_P256).public_key_info
        except AlreadyRegistered:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [one for one in pool.map(attempt, range(16)) if one is not None]
    assert made == [opening().open("seal-1").public_key_info]


@pytest.mark.parametrize("reference", MALFORMED)
def test_malformed_references_are_refused(opening: Opening, reference: str) -> None:
    keys = opening()
    acts: list[Callable[[str], object]] = [
        keys.open,
        keys.destroy,
        keys.place,
        lambda one: keys.create(one, Suite.ECDSA_P256),
        lambda one: keys.adopt(one, b""),
    ]
    for act in acts:
        with pytest.raises(InvalidInput):
            act(reference)


def test_a_key_that_is_not_there_signs_nothing(opening: Opening) -> None:
    keys = opening()
    keys.create("seal-1", Suite.ECDSA_P256)
    for absent in ("seal-2", "seal", "seal-11"):
        with pytest.raises(SignatureRefused, match=absent):
            keys.open(absent)
        with pytest.raises(KeyNotFound, match=absent):
            keys.place(absent)


def test_keys_are_listed_with_their_place(opening: Opening) -> None:
    keys = opening()
    assert list(keys.held()) == []
    for reference in ("seal-2", "root-1-a0", "seal-1"):
        keys.create(reference, Suite.ECDSA_P256)
    found = opening().held()
    assert [one.reference for one in found] == ["root-1-a0", "seal-1", "seal-2"]
    assert {one.place for one in found} == {keys.place("seal-1")}


@pytest.mark.parametrize(
    "private_key",
    [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)],
    ids=["P-256", "RSA"],
)
def test_a_key_made_elsewhere_is_taken_in(
    opening: Opening, private_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    content = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert opening().adopt("seal-1", content).public_key_info == public
    opened = opening().open("seal-1")
    assert opened.public_key_info == public
    verify(public, opened.sign(b"message"), b"message")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    ],
    ids=["empty", "other", "P-384"],
)
def test_keys_of_unknown_kinds_are_not_taken_in(opening: Opening, content: bytes) -> None:
    with pytest.raises(InvalidInput):
        opening().adopt("seal-1", content)
    assert list(opening().held()) == []


def test_a_destroyed_key_signs_no_more_anywhere(opening: Opening) -> None:
    keys, other = opening(), opening()
    keys.create("seal-1", Suite.ECDSA_P256)
    held = other.open("seal-1")
    held.sign(b"message")
    keys.destroy("seal-1")
    keys.destroy("seal-1")
    assert list(keys.held()) == []
    for store in (keys, other, opening()):
        with pytest.raises(SignatureRefused):
            store.open("seal-1").sign(b"message")


def test_a_reference_can_be_taken_again_after_its_key_was_destroyed(opening: Opening) -> None:
    keys = opening()
    first = keys.create("seal-1", Suite.ECDSA_P256)
    keys.destroy("seal-1")
    second = opening().create("seal-1", Suite.ECDSA_P256)
    assert second.public_key_info != first.public_key_info
    verify(second.public_key_info, opening().open("seal-1").sign(b"message"), b"message")


def test_keys_are_held_ready(opening: Opening) -> None:
    keys = opening()
    keys.create("seal-1", Suite.ECDSA_P256)
    assert keys.open("seal-1") is keys.open("seal-1")


def test_threads_share_keys(opening: Opening) -> None:
    keys = opening()
    expected = {f"k{number}": keys.create(f"k{number}", Suite.ECDSA_P256).public_key_info for number in range(4)}
    fresh = opening()

    def use(number: int) -> tuple[str, bytes, bytes]:
        reference = f"k{number % 4}"
        key = fresh.open(reference)
        return reference, key.public_key_info, key.sign(str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(use, range(200)))
    for number, (reference, public_key_info, signature) in enumerate(found):
        assert public_key_info == expected[reference]
        verify(public_key_info, signature, str(number).encode())
