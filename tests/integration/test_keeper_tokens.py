"""密钥进程 and the tokens of keepers, on SoftHSM: who is logged in, until when, and what is told of a refusal."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pkcs11 import exceptions as refused

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import (
    Conflict,
    IntegrityFailed,
    KeyStoreUnavailable,
    SealNotActivated,
    SealServiceError,
    TokenPinLocked,
    TokenPinRefused,
)
from seal_service.pki import pkcs11_objects as objects
from seal_service.pki.activated_keys import ActivatedSealKeys, KeyProcessClient, SealKeyActivation
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.key_process import SOCKET, ActivatedKeys, receive_frame, send_frame
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.pki.pkcs11_module import loaded
from seal_service.pki.pkcs11_token import BriefToken, KeeperToken, Pkcs11Token
from seal_service.pki.prepared_tokens import PreparedTokens
from seal_service.pki.seal_token_keys import SealTokenKey, SealTokenKeyStore
from tests.contract.test_key_store_contract import verify
from tests.pki_instance import SystemEntropy, key_hierarchy
from tests.softhsm import TRANSPORT_PIN, softhsm_module, softhsm_seal_settings

SECRET, WRONG = "correct horse battery staple", "wrong secret number one"


@dataclass
class Kept:
    """A key in a token that its keeper has taken, and a key process's inside at a moment of the test's."""

    store: SealTokenKeyStore
    key: SealTokenKey
    now: float = 1000.0
    active: ActivatedKeys = field(init=False)

    def __post_init__(self) -> None:
        self.active = ActivatedKeys(lambda: self.now, softhsm_module(), ticks=lambda: self.now)

    def activate(self, secret: str = SECRET, uses: int | None = None) -> dict[str, Any]:
        """Until 2000."""
        named = {"reference": "seal-1", "token": self.key.label, "secret": secret}
        return self.active.answer({"do": "activate", "until": 2000.0, "uses": uses, "by": self.now + 7, **named})

    def sign(self) -> dict[str, Any]:
        request = {"do": "sign", "reference": "seal-1", "message": base64.b64encode(b"message").decode()}
        return self.active.answer(request)

    @property
    def is_logged_in(self) -> bool:
        """Whether a new session of this process sees the private key, which it does only when somebody is logged in."""
        module = loaded(softhsm_module())

        def look() -> bool:
            session = module.token(self.key.label).open()
            try:
                return bool(objects.private_keys(session, "seal-1"))
            finally:
                session.close()

        return module.alone(self.key.label, look)

    def is_logged_out(self) -> bool:
        """Soon: nobody waits for it."""
        until = time.monotonic() + 5
        while self.is_logged_in and time.monotonic() < until:
            time.sleep(0.01)
        return not self.is_logged_in


@pytest.fixture
def prepared(tmp_path: Path) -> PreparedTokens:
    beginning = str(softhsm_seal_settings(tmp_path, 1)["pkcs11_seal_tokens"])
    return PreparedTokens(softhsm_module(), beginning, None, lambda: TRANSPORT_PIN)


@pytest.fixture
def kept(prepared: PreparedTokens) -> Kept:
    store = SealTokenKeyStore(prepared)
    key = store.create("seal-1", Suite.ECDSA_P256)
    store.protect("seal-1", SECRET)
    return Kept(store, key)


def test_it_is_logged_in_from_activation_to_its_end_and_no_longer(kept: Kept) -> None:
    assert not kept.is_logged_in
    assert kept.activate() == {}
    verify(kept.key.public_key_info, base64.b64decode(kept.sign()["signature"]), b"message")
    assert kept.is_logged_in
    assert kept.active.answer({"do": "end", "reference": "seal-1"}) == {"was": True}
    assert kept.is_logged_out()
    assert kept.sign() == {"error": "not_activated"}


def test_it_is_logged_out_when_its_time_or_its_uses_are_over(kept: Kept) -> None:
    kept.activate()
    kept.now = 2000.0
    kept.active.drop_ended()
    assert kept.is_logged_out()
    kept.now = 1000.0
    kept.activate(uses=2)
    assert ["signature" in kept.sign() for _ in range(3)] == [True, True, False]
    assert kept.is_logged_out()


def test_of_many_at_once_exactly_those_sign_that_are_left(kept: Kept) -> None:
    """The last ones sign although the key is logged out of as soon as they are counted."""
    for _ in range(5):
        kept.activate(uses=7)
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: kept.sign(), range(32)))
        assert sum("signature" in one for one in answers) == 7
        assert all("signature" in one or one == {"error": "not_activated"} for one in answers), answers
        assert kept.is_logged_out()


def test_a_wrong_secret_is_refused_also_while_the_right_one_has_logged_in(kept: Kept) -> None:
    assert kept.activate(WRONG) == {"error": "wrong"}
    assert not kept.is_logged_in
    assert kept.activate() == {}
    assert kept.activate(WRONG) == {"error": "wrong"}
    assert "signature" in kept.sign()
    fresh = ActivatedKeys(lambda: kept.now, softhsm_module())  # one that does not know of that login
    named = {"reference": "seal-1", "token": kept.key.label, "secret": WRONG}
    asked = {"do": "activate", "until": 2000.0, "uses": None, "by": time.monotonic() + 7}
    assert fresh.answer({**asked, **named}) == {"error": "wrong"}


def test_a_login_that_ended_does_not_begin_again(kept: Kept) -> None:
    token = KeeperToken(softhsm_module(), kept.key.label, lambda: SECRET)
    token.log_in()
    key = Pkcs11KeyStore(token).open("seal-1")
    key.sign(b"message")
    token.log_out()
    with pytest.raises(KeyStoreUnavailable, match="logged out"):
        key.sign(b"message")
    assert not kept.is_logged_in


def test_a_secret_that_its_officer_has_changed_ends_the_activation(kept: Kept) -> None:
    kept.activate()
    token = BriefToken(softhsm_module(), kept.key.label, lambda: SECRET)
    kept.active.answer({"do": "status", "reference": "seal-1"})
    module = loaded(softhsm_module())
    module.alone(kept.key.label, module.renew)  # the device was restarted
    token.run(lambda session: session.set_pin(SECRET, "set by the officer"))
    assert kept.sign() == {"error": "not_activated"}
    assert kept.active.answer({"do": "status", "reference": "seal-1"}) == {}
    assert kept.activate("set by the officer") == {}


def test_the_transport_pin_does_nothing_in_a_keepers_token(kept: Kept) -> None:
    with pytest.raises(SealNotActivated):
        kept.key.sign(b"message")
    with pytest.raises(Conflict, match="transport PIN"):
        kept.store.protect("seal-1", "another secret of mine")
    with pytest.raises(Conflict, match=f"token {kept.key.label} of the HSM .* under its keeper's secret"):
        kept.store.destroy("seal-1")
    assert kept.activate() == {}


def test_a_token_with_further_keys_is_no_keepers(prepared: PreparedTokens) -> None:
    store = SealTokenKeyStore(prepared)
    key = store.create("seal-1", Suite.ECDSA_P256)
    token = prepared.under_transport_pin(key.label)
    token.run(lambda session: objects.generate(session, "seal-2", Suite.ECDSA_P256))
    with pytest.raises(IntegrityFailed, match="further keys"):
        store.protect("seal-1", SECRET)
    key.sign(b"message")


def test_a_reference_in_two_tokens_is_not_guessed_at(tmp_path: Path) -> None:
    beginning = str(softhsm_seal_settings(tmp_path, 2)["pkcs11_seal_tokens"])
    tokens = PreparedTokens(softhsm_module(), beginning, None, lambda: TRANSPORT_PIN)
    for number in range(2):
        token = tokens.under_transport_pin(f"{beginning}{number}")
        token.run(lambda session: objects.generate(session, "seal-1", Suite.ECDSA_P256))
    with pytest.raises(IntegrityFailed, match="which one is meant"):
        SealTokenKeyStore(tokens).open("seal-1")


def test_processes_that_make_keys_at_once_never_put_two_into_one_token(tmp_path: Path) -> None:
    named = softhsm_seal_settings(tmp_path, 8)
    beginning = str(named["pkcs11_seal_tokens"])
    body = f"""
        import sys
        from pathlib import Path
        from seal_service.domain.algorithms import Suite
        from seal_service.domain.errors import KeyStoreUnavailable
        from seal_service.pki.prepared_tokens import PreparedTokens
        from seal_service.pki.seal_token_keys import SealTokenKeyStore

        module = Path({str(softhsm_module())!r})
        store = SealTokenKeyStore(PreparedTokens(module, {beginning!r}, None, lambda: {TRANSPORT_PIN!r}))
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(5):
            try:
                store.create(f"seal-{{sys.argv[1]}}-{{number}}", Suite.ECDSA_P256)
            except KeyStoreUnavailable:  # none is free any more; or SoftHSM stumbled over another's files
                pass
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(body)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    makers = [
        subprocess.Popen(
            [*command, name], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for name in ("one", "two")
    ]
    for one in makers:
        assert one.stdout is not None
        assert one.stdout.readline() == b"ready\n"
    for one in makers:
        assert one.stdin is not None
        one.stdin.write(b"go\n")
        one.stdin.flush()
    for one in makers:
        _, complaints = one.communicate(timeout=60)
        assert (one.returncode, complaints) == (0, b"")
    tokens = PreparedTokens(softhsm_module(), beginning, None, lambda: TRANSPORT_PIN)
    store = SealTokenKeyStore(tokens)
    made = [len(one.keys) for one in tokens.seen(anew=True)]
    assert max(made) == 1
    assert sum(made) >= 6
    for key in store.held():
        store.open(key.reference).sign(b"message")


def test_the_services_own_token_is_none_of_the_prepared_ones(tmp_path: Path) -> None:
    beginning = str(softhsm_seal_settings(tmp_path, 2)["pkcs11_seal_tokens"])
    tokens = PreparedTokens(softhsm_module(), beginning, f"{beginning}1", lambda: TRANSPORT_PIN)
    assert [one.label for one in tokens.seen(anew=True)] == [f"{beginning}0"]


@pytest.mark.parametrize("kind", [Pkcs11Token, BriefToken, KeeperToken])
def test_a_token_that_has_locked_its_pin_is_told_apart(prepared: PreparedTokens, kind: type[Pkcs11Token]) -> None:
    """SoftHSM never locks a PIN, so that here the PIN's own reading says what C_Login would."""
    label = prepared.seen(anew=True)[0].label

    def locked() -> str:
        raise refused.PinLocked

    token = kind(softhsm_module(), label, locked)
    for _ in range(2):
        with pytest.raises(TokenPinLocked, match=f"{label} has locked its PIN .*security officer"):
            token.run(objects.ask)
    wrong = kind(softhsm_module(), label, lambda: WRONG)
    for _ in range(2):
        with pytest.raises(TokenPinRefused) as refusal:
            wrong.run(objects.ask)
        assert WRONG not in refusal.value.message


def test_a_key_process_without_a_module_says_what_to_do(kept: Kept) -> None:
    kept.active = ActivatedKeys(lambda: kept.now, ticks=lambda: kept.now)
    answer = kept.activate()
    assert answer["error"] == "unavailable"
    assert "SEAL_PKCS11_SEAL_TOKENS" in answer["told"]


@contextmanager
def answering(directory: Path, answer: dict[str, Any]) -> Iterator[KeyProcessClient]:
    """A key process that says one thing, whatever it is asked."""
    directory.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(directory / SOCKET))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                while receive_frame(connection) is not None:
                    send_frame(connection, answer)

        serving = threading.Thread(target=serve)
        serving.start()
        client = KeyProcessClient(directory)
        yield client
        client.close()
        serving.join()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"error": "token_locked", "told": "told"}, TokenPinLocked),
        ({"error": "unavailable", "told": "told"}, KeyStoreUnavailable),
    ],
)
def test_what_the_key_process_says_of_a_token_is_told_as_it_is(
    kept: Kept, tmp_path: Path, answer: dict[str, Any], expected: type[SealServiceError]
) -> None:
    files = FileKeyStore(key_hierarchy(tmp_path / "keys"), SystemEntropy())
    with answering(tmp_path / "run", answer) as client:
        activation = SealKeyActivation(files, kept.store, client)
        with pytest.raises(expected, match="told"):
            activation.activate("seal-1", SECRET, datetime.now(UTC), None)
        if expected is KeyStoreUnavailable:
            with pytest.raises(KeyStoreUnavailable, match="told"):
                ActivatedSealKeys(kept.store, client, required=False).open("seal-1").sign(b"message")
