"""What can happen to an HSM while keys are used, on SoftHSM: each case as it really is, none of them imitated."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass
from pkcs11.exceptions import AttributeSensitive, PKCS11Error

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import InstanceNotReady, IntegrityFailed, KeyStoreUnavailable, SignatureRefused
from seal_service.pki import pkcs11_objects as objects
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.pki.pkcs11_token import Pkcs11Token, load_pin
from tests.contract.test_key_store_contract import verify
from tests.softhsm import USER_PIN, softhsm_module, softhsm_token

LIBRARY_PATHS = os.pathsep.join(one for one in sys.path if one)
WRONG_PIN = "161803-wrong"


@pytest.fixture
def token() -> Pkcs11Token:
    return Pkcs11Token(softhsm_module(), softhsm_token(), lambda: USER_PIN)


def started(token: Pkcs11Token, body: str, **environment: str) -> subprocess.Popen[str]:
    """A process of its own that has `token` and `keys`, a key store over the same token, and prints what it found."""
    opening = f"""
        import json, os, sys
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path
        from seal_service.domain.algorithms import Suite
        from seal_service.domain.errors import SealServiceError
        from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
        from seal_service.pki.pkcs11_token import Pkcs11Token

        token = Pkcs11Token(Path({str(softhsm_module())!r}), {token.label!r}, lambda: {USER_PIN!r})
        keys = Pkcs11KeyStore(token)

        def outcome(act):
            try:
                act()
            except SealServiceError as error:
                return f"{{type(error).__name__}}: {{error.message}}"
            return "done"
    """
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(opening) + textwrap.dedent(body)],
        env={**os.environ, "PYTHONPATH": LIBRARY_PATHS, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> Any:
    """What a process printed as JSON, after it ended well and complained of nothing."""
    out, complaints = process.communicate(timeout=120)
    assert (process.returncode, complaints) == (0, "")
    return json.loads(out)


def in_another_process(token: Pkcs11Token, body: str, **environment: str) -> Any:
    return told(started(token, body, **environment))


def handle_of(session: Any) -> int:
    return int(session.handle)


def log_out(token: Pkcs11Token) -> None:
    """What an HSM does after a time, or after it was restarted: the session is there, its login is not."""
    library = ctypes.CDLL(str(softhsm_module()))
    library.C_Logout.argtypes = [ctypes.c_ulong]
    assert token.run(lambda session: library.C_Logout(handle_of(session))) == 0


def finalise(_token: Pkcs11Token) -> None:
    """Something else in this process has finalised the module."""
    assert ctypes.CDLL(str(softhsm_module())).C_Finalize(None) == 0


def close_sessions(token: Pkcs11Token) -> None:
    """The token was pulled out and put in again: no session of before is known."""
    library = ctypes.CDLL(str(softhsm_module()))
    library.C_CloseAllSessions.argtypes = [ctypes.c_ulong]
    assert token.run(lambda session: library.C_CloseAllSessions(session.token.slot.slot_id)) == 0


LOSSES = pytest.mark.parametrize("lose", [log_out, finalise, close_sessions])


@pytest.mark.parametrize("suite", list(Suite))
def test_a_private_key_cannot_be_read_out_of_the_token(token: Pkcs11Token, suite: Suite) -> None:
    Pkcs11KeyStore(token).create("seal-1", suite)
    secrets = [Attribute.VALUE] if suite is Suite.ECDSA_P256 else [Attribute.PRIVATE_EXPONENT, Attribute.PRIME_1]

    def read(session: pkcs11.Session) -> None:
        key: Any = objects.private_key(session, "seal-1")
        for secret in secrets:
            with pytest.raises(AttributeSensitive):
                key[secret]
        marks = (Attribute.SENSITIVE, Attribute.ALWAYS_SENSITIVE, Attribute.NEVER_EXTRACTABLE, Attribute.PRIVATE)
        assert [key[one] for one in (*marks, Attribute.TOKEN, Attribute.SIGN)] == [True] * 6
        others = (Attribute.EXTRACTABLE, Attribute.DECRYPT, Attribute.UNWRAP, Attribute.DERIVE, Attribute.SIGN_RECOVER)
        assert [key[one] for one in others if one is not Attribute.SIGN_RECOVER] == [False] * 4
        assert (key[Attribute.LABEL], key[Attribute.ID]) == ("seal-1", b"seal-1")
        for loosened in ({Attribute.SENSITIVE: False}, {Attribute.EXTRACTABLE: True}):
            ((attribute, value),) = loosened.items()
            with pytest.raises(PKCS11Error):
                key[attribute] = value

    token.run(read)


def test_a_key_taken_in_cannot_be_read_out_either(token: Pkcs11Token) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    content = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    Pkcs11KeyStore(token).adopt("seal-1", content)

    def read(session: pkcs11.Session) -> None:
        key: Any = objects.private_key(session, "seal-1")
        with pytest.raises(AttributeSensitive):
            key[Attribute.PRIVATE_EXPONENT]
        assert (key[Attribute.SENSITIVE], key[Attribute.EXTRACTABLE], key[Attribute.DECRYPT]) == (True, False, False)

    token.run(read)


def test_sixteen_threads_sign_at_once(token: Pkcs11Token) -> None:
    """In a process of its own: python-pkcs11 with several sessions in several threads aborted it."""
    found = in_another_process(
        token,
        """
        import threading
        from tests.contract.test_key_store_contract import verify
        suites = [Suite.ECDSA_P256, Suite.RSA_2048]
        made = [keys.create(f"key-{number}", suites[number % 2]) for number in range(4)]
        fresh = Pkcs11KeyStore(token)
        start = threading.Barrier(16)

        def work(number):
            start.wait()
            for turn in range(200):
                message = f"{number}/{turn}".encode()
                signature = fresh.open(f"key-{number % 4}").sign(message)
                verify(made[number % 4].public_key_info, signature, message)
            return 200

        with ThreadPoolExecutor(16) as pool:
            print(json.dumps(sum(pool.map(work, range(16)))))
        """,
    )
    assert found == 16 * 200


def test_two_processes_use_one_token_at_once(token: Pkcs11Token) -> None:
    keys = Pkcs11KeyStore(token)
    key = keys.create("seal-1", Suite.ECDSA_P256)
    other = started(
        token,
        """
        key = keys.open("seal-1")
        signatures = []
        print("ready", flush=True)
        while len(signatures) < 200 or not sys.stdin.readline():
            signatures.append(key.sign(b"message").hex())
            if len(signatures) == 200:
                break
        keys.create("made-there", Suite.RSA_2048)
        print(json.dumps(signatures[::50]))
        """,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    for _ in range(200):
        verify(key.public_key_info, key.sign(b"message"), b"message")
    for signature in told(other):
        verify(key.public_key_info, bytes.fromhex(signature), b"message")
    made_there = keys.open("made-there")
    verify(made_there.public_key_info, made_there.sign(b"message"), b"message")
    assert [one.reference for one in keys.held()] == ["made-there", "seal-1"]


def test_of_processes_that_make_the_same_key_at_once_no_key_is_taken_for_another(token: Pkcs11Token) -> None:
    """PKCS#11 has no "create only": both may see the other and give way, or neither, and then the key is refused."""
    body = """
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps([outcome(lambda: keys.create(f"key-{n}", Suite.ECDSA_P256)).split(":")[0] for n in range(40)]))
    """
    processes = [started(token, body), started(token, body)]
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    pairs = list(zip(*(told(one) for one in processes), strict=True))
    # SoftHSM itself stumbles now and then over files that another process is just removing.
    assert {outcome for pair in pairs for outcome in pair} <= {"done", "AlreadyRegistered", "KeyStoreUnavailable"}
    assert any("done" in pair for pair in pairs)
    keys = Pkcs11KeyStore(token)
    for number, pair in enumerate(pairs):
        if pair == ("done", "done"):
            with pytest.raises(IntegrityFailed):
                keys.open(f"key-{number}")
        elif "done" in pair:
            keys.open(f"key-{number}").sign(b"message")


def test_a_key_that_another_process_destroyed_signs_no_more(token: Pkcs11Token) -> None:
    keys = Pkcs11KeyStore(token)
    keys.create("seal-2", Suite.ECDSA_P256)
    key = keys.create("seal-1", Suite.ECDSA_P256)
    key.sign(b"message")
    assert in_another_process(token, 'print(json.dumps(outcome(lambda: keys.destroy("seal-1"))))') == "done"
    with pytest.raises(SignatureRefused, match="seal-1"):
        key.sign(b"message")
    keys.open("seal-2").sign(b"message")


def test_a_key_made_anew_under_the_same_name_is_another_key(token: Pkcs11Token) -> None:
    keys = Pkcs11KeyStore(token)
    key = keys.create("seal-1", Suite.ECDSA_P256)
    key.sign(b"message")
    anew = 'keys.destroy("seal-1"); keys.create("seal-1", Suite.ECDSA_P256); print("null")'
    in_another_process(token, anew)
    with pytest.raises(SignatureRefused):
        key.sign(b"message")
    opened = Pkcs11KeyStore(token).open("seal-1")
    verify(opened.public_key_info, opened.sign(b"message"), b"message")


def test_a_token_that_holds_a_reference_twice_is_not_guessed_at(token: Pkcs11Token) -> None:
    Pkcs11KeyStore(token).create("seal-1", Suite.ECDSA_P256)
    token.run(lambda session: objects.generate(session, "seal-1", Suite.ECDSA_P256))
    with pytest.raises(IntegrityFailed, match="2 keys seal-1"):
        Pkcs11KeyStore(token).open("seal-1")


def test_what_else_is_in_the_token_is_left_alone(token: Pkcs11Token) -> None:
    keys = Pkcs11KeyStore(token)
    token.run(lambda session: objects.generate(session, "other", Suite.ECDSA_P256)[1].__setitem__(Attribute.ID, b"7"))
    keys.create("seal-1", Suite.ECDSA_P256)
    assert [one.reference for one in keys.held()] == ["seal-1"]
    keys.destroy("other")
    found = token.run(lambda session: list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})))
    assert len(found) == 2


@LOSSES
def test_a_session_that_went_away_is_opened_again(token: Pkcs11Token, lose: Callable[[Pkcs11Token], None]) -> None:
    keys = Pkcs11KeyStore(token)
    key = keys.create("seal-1", Suite.ECDSA_P256)
    for act in (
        lambda: verify(key.public_key_info, key.sign(b"message"), b"message"),
        lambda: Pkcs11KeyStore(token).open("seal-1").sign(b"message"),
        lambda: keys.place("seal-1"),
        lambda: keys.create("seal-2", Suite.RSA_2048),
        lambda: keys.destroy("seal-1"),
        lambda: keys.answer(),
    ):
        lose(token)
        act()
    lose(token)
    assert [one.reference for one in keys.held()] == ["seal-2"], "what was destroyed without a login is gone"


def test_while_the_token_is_away_keys_are_unavailable_and_afterwards_they_are_back(tmp_path: Path) -> None:
    token = Pkcs11Token(softhsm_module(), softhsm_token(), lambda: USER_PIN)
    found = in_another_process(
        token,
        """
        import subprocess
        home = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["OWN"])
        (home / "tokens").mkdir()
        (home / "softhsm2.conf").write_text(f"directories.tokendir = {home / 'tokens'}\\nlog.level = ERROR\\n")
        os.environ["SOFTHSM2_CONF"] = str(home / "softhsm2.conf")
        new = ["softhsm2-util", "--init-token", "--free", "--label", token.label, "--so-pin", "271828", "--pin"]
        subprocess.run([*new, "271828-user"], check=True, capture_output=True, timeout=60)
        key = keys.create("seal-1", Suite.ECDSA_P256)
        acts = (lambda: key.sign(b"m"), lambda: keys.place("seal-1"), lambda: keys.create("seal-2", Suite.ECDSA_P256),
                lambda: Pkcs11KeyStore(token).open("seal-1"), keys.held, lambda: keys.destroy("seal-1"), keys.answer)
        os.rename(home / "tokens", home / "away")
        away = [outcome(act) for act in acts]
        os.rename(home / "away", home / "tokens")
        back = [outcome(act) for act in acts]
        print(json.dumps([away, back]))
        """,
        OWN=str(tmp_path),
    )
    away, back = found
    assert [one.split(":")[0] for one in away] == ["KeyStoreUnavailable"] * 7, away
    assert back == ["done"] * 7


def test_a_token_that_lacks_the_mechanism_says_so(tmp_path: Path) -> None:
    token = Pkcs11Token(softhsm_module(), softhsm_token(), lambda: USER_PIN)
    own = tmp_path / "softhsm2.conf"
    usual = Path(os.environ["SOFTHSM2_CONF"]).read_text(encoding="utf-8")
    own.write_text(f"{usual}slots.mechanisms = -CKM_MD5,CKM_RSA_PKCS,CKM_ECDSA\n", encoding="utf-8")
    body = (
        "print(json.dumps([outcome(lambda: keys.create(suite.name, suite)) for suite in Suite] + [len(keys.held())]))"
    )
    *refusals, made = in_another_process(token, body, SOFTHSM2_CONF=str(own))
    for said in refusals:
        assert said.startswith(f"KeyStoreUnavailable: The token {token.label} cannot do what this suite needs"), said
    assert made == 0


def test_a_wrong_pin_is_tried_once_and_never_told(token: Pkcs11Token) -> None:
    asked = []

    def pin() -> str:
        asked.append(1)
        return WRONG_PIN

    keys = Pkcs11KeyStore(Pkcs11Token(softhsm_module(), token.label, pin))
    for _ in range(3):
        with pytest.raises(KeyStoreUnavailable, match="refuses the PIN") as refusal:
            keys.create("seal-1", Suite.ECDSA_P256)
        assert WRONG_PIN not in repr(refusal.getrepr(showlocals=False)) + str(refusal.value)
        assert refusal.value.__cause__ is None
    assert len(asked) == 1, "tokens lock themselves after a few wrong PINs"
    assert list(Pkcs11KeyStore(token).held()) == []


def test_a_token_that_is_not_there_says_what_to_look_at(token: Pkcs11Token, tmp_path: Path) -> None:
    other = Pkcs11KeyStore(Pkcs11Token(softhsm_module(), "no-such-token", lambda: USER_PIN))
    with pytest.raises(KeyStoreUnavailable, match="no token no-such-token"):
        other.create("seal-1", Suite.ECDSA_P256)
    for module in (tmp_path / "absent.so", tmp_path):
        with pytest.raises(KeyStoreUnavailable, match="SEAL_PKCS11_MODULE"):
            Pkcs11KeyStore(Pkcs11Token(module, token.label, lambda: USER_PIN)).open("seal-1")


def test_several_tokens_of_one_label_are_not_guessed_at(token: Pkcs11Token) -> None:
    new = ["softhsm2-util", "--init-token", "--free", "--label", token.label, "--so-pin", "271828", "--pin", USER_PIN]
    subprocess.run(new, check=True, capture_output=True, timeout=60)
    found = in_another_process(token, "print(json.dumps(outcome(keys.held)))")
    assert "Several tokens" in found


def test_a_forked_process_is_refused_and_its_parent_goes_on(token: Pkcs11Token) -> None:
    """uvicorn spawns its workers, which is fine; a forked child would share the parent's session with the HSM."""
    found = in_another_process(
        token,
        """
        def in_child(act):
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                os.write(writing, outcome(act).encode())
                os._exit(0)
            os.close(writing)
            with os.fdopen(reading) as pipe:
                said = pipe.read()
            os.waitpid(child, 0)
            return said

        before = in_child(lambda: keys.create("made-in-child", Suite.ECDSA_P256))
        key = keys.open("made-in-child")
        after = in_child(lambda: key.sign(b"m"))
        print(json.dumps([before, after, outcome(lambda: key.sign(b"m"))]))
        """,
    )
    assert found[0] == "done", "a child whose parent never used the HSM is a process like any other"
    assert found[1].startswith("KeyStoreUnavailable: This process was forked")
    assert found[2] == "done"


def test_a_pin_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    with pytest.raises(InstanceNotReady, match="cannot be read"):
        load_pin(path)
    path.write_text(f"{USER_PIN}\n", encoding="ascii")
    for mode in (0o640, 0o604, 0o644):
        path.chmod(mode)
        with pytest.raises(InstanceNotReady, match="chmod 600") as refusal:
            load_pin(path)
        assert USER_PIN not in refusal.value.message
    for mode in (0o600, 0o400):
        path.chmod(mode)
        assert load_pin(path) == USER_PIN


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe", b"1" * 2000])
def test_a_pin_file_holds_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pin"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(InstanceNotReady, match="one line"):
        load_pin(path)
