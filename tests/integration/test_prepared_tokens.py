"""预备分区: which of them a seal's key goes into, and which token is asked for one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pkcs11 import exceptions as refused

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import KeyStoreUnavailable, NoTokenFree, SealNotActivated
from seal_service.domain.key_custody import CustodyRule
from seal_service.domain.operation import KeyPlace, Profile
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.key_stores import KeyStores
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.pki.pkcs11_token import BriefToken, Pkcs11Token
from seal_service.pki.prepared_tokens import PreparedTokens, SeenToken
from seal_service.pki.seal_token_keys import SealTokenKeyStore
from tests.pki_instance import SystemEntropy, key_hierarchy
from tests.softhsm import TRANSPORT_PIN, USER_PIN, prepared_token, softhsm_module, softhsm_seal_settings, softhsm_token

RULE = CustodyRule(profile=Profile.DEVELOPMENT, software_keys_allowed=True)


class BadlyPrepared(PreparedTokens):
    """Some of which refuse any PIN. SoftHSM does so to none: the PIN's own reading says what C_Login would."""

    def __init__(self, beginning: str, labels: set[str], error: Callable[[], Exception]) -> None:
        super().__init__(softhsm_module(), beginning, None, lambda: TRANSPORT_PIN)
        self._bad = labels
        self._error = error

    def under_transport_pin(self, label: str) -> BriefToken:
        if label not in self._bad:
            return super().under_transport_pin(label)

        def refuse() -> str:
            raise self._error()

        return BriefToken(softhsm_module(), label, refuse)


@pytest.mark.parametrize("error", [refused.PinLocked, refused.UserPinNotInitialized, refused.PinExpired])
def test_a_badly_prepared_token_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Callable[[], Exception]
) -> None:
    beginning = str(softhsm_seal_settings(tmp_path, 3)["pkcs11_seal_tokens"])
    bad = {f"{beginning}0", f"{beginning}1"}
    store = SealTokenKeyStore(BadlyPrepared(beginning, bad, error))
    assert store.create("seal-1", Suite.ECDSA_P256).label == f"{beginning}2"
    with pytest.raises(NoTokenFree):
        store.create("seal-2", Suite.ECDSA_P256)
    assert all(label in caplog.text for label in bad)


def test_a_device_that_does_not_answer_is_not_taken_for_a_badly_prepared_token(tmp_path: Path) -> None:
    beginning = str(softhsm_seal_settings(tmp_path, 2)["pkcs11_seal_tokens"])
    store = SealTokenKeyStore(BadlyPrepared(beginning, {f"{beginning}0", f"{beginning}1"}, refused.DeviceError))
    with pytest.raises(KeyStoreUnavailable, match="does not answer"):
        store.create("seal-1", Suite.ECDSA_P256)


def test_a_token_that_was_made_anew_is_free_again_without_a_restart(tmp_path: Path) -> None:
    beginning = str(softhsm_seal_settings(tmp_path, 1)["pkcs11_seal_tokens"])
    store = SealTokenKeyStore(PreparedTokens(softhsm_module(), beginning, None, lambda: TRANSPORT_PIN))
    key = store.create("seal-1", Suite.ECDSA_P256)
    store.protect("seal-1", "correct horse battery staple")
    with pytest.raises(SealNotActivated):  # by a refusal that is remembered
        key.sign(b"message")
    delete = ["softhsm2-util", "--delete-token", "--token", key.label]
    subprocess.run(delete, check=True, capture_output=True, timeout=60)
    prepared_token(key.label)
    assert store.create("seal-2", Suite.ECDSA_P256).label == key.label


class NeverAsked(PreparedTokens):
    """Whose tokens nobody looks at."""

    def seen(self, *, anew: bool = False) -> list[SeenToken]:
        raise AssertionError(f"asked, anew: {anew}")


def test_no_prepared_token_is_asked_for_a_seals_key_in_the_services_own(tmp_path: Path) -> None:
    """As the first use in each process would, under the seal's lock."""
    own = Pkcs11KeyStore(Pkcs11Token(softhsm_module(), label := softhsm_token(), lambda: USER_PIN))
    own.create("seal-1", Suite.ECDSA_P256)
    files = FileKeyStore(key_hierarchy(tmp_path / "keys"), SystemEntropy())
    fresh = Pkcs11KeyStore(Pkcs11Token(softhsm_module(), label, lambda: USER_PIN))
    tokens = NeverAsked(softhsm_module(), "kept-", None, lambda: TRANSPORT_PIN)
    keys = KeyStores(files, fresh, KeyPlace.PKCS11, RULE, SealTokenKeyStore(tokens))
    keys.open("seal-1").sign(b"message")
    assert keys.place("seal-1") is KeyPlace.PKCS11
