"""People sign in at the command line with a UKey, as the production profile asks (等保三级 8.1.4.1 d)."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.acceptance.test_api_sessions import PASSWORD
from tests.acceptance.test_cli_sign_in import handed_out
from tests.command_line import CommandLine
from tests.person_authority import Key, PersonAuthority, UKey
from tests.softhsm import USER_PIN, softhsm_module
from tests.ukey_token import ukey_token

ROOT = Path(__file__).parents[2]
LOGIN = ("login", "--account", "shen.ji")


@dataclass
class Holder:
    """A person with a password of their own, whose UKey is not enrolled yet."""

    at: CommandLine
    authority: PersonAuthority
    directory: Path

    def plugged_in(self, key: Key) -> tuple[str | Path, ...]:
        """The options that name a UKey with this key."""
        return ("--ukey-module", softhsm_module(), "--ukey-token", ukey_token({"sign-in": key}))

    def certificate(self, key: Key) -> Path:
        file = self.directory / "certificate.der"
        file.write_bytes(self.authority.ukey(key=key).certificate)
        return file


@pytest.fixture
def holder(command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Holder:
    authority = PersonAuthority()
    anchors = authority.written(tmp_path / "people.pem")
    monkeypatch.setenv("SEAL_SECOND_FACTOR", "certificate")
    monkeypatch.setenv("SEAL_PERSON_ANCHORS", json.dumps([str(anchors)]))
    command_line.init()
    initial = handed_out(command_line, command_line.security)
    assert command_line.run(*LOGIN, stdin=f"{initial}\n").exit_code == 0
    assert command_line.run("password", "change", stdin=f"{initial}\n{PASSWORD}\n").exit_code == 0
    monkeypatch.setenv("SEAL_PASSWORD", PASSWORD)
    return Holder(command_line, authority, tmp_path)


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())], ids=["RSA", "ECDSA"]
)
def test_a_ukey_is_enrolled_and_opens_the_next_session(
    holder: Holder, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, ukey = holder.at, holder.plugged_in(key)
    assert "`seal factor enrol-ukey`" in at.refused("log", "query", code=1)
    enrol = ("factor", "enrol-ukey", holder.certificate(key), *ukey)
    wrong = at.run(*enrol, stdin="wrong-pin\n")
    assert (wrong.exit_code, "refuses the PIN" in wrong.stderr, "wrong-pin" in wrong.output) == (2, True, False)
    enrolled = at.run(*enrol, "--json", stdin=f"{USER_PIN}\n")  # the attempt before is not in the way
    assert enrolled.exit_code == 0, enrolled.output
    assert json.loads(enrolled.stdout)["kind"] == "ukey"
    at.said("log", "query")
    at.run("logout")

    wrong = at.run(*LOGIN, *ukey, stdin="wrong-pin\n")
    assert (wrong.exit_code, "refuses the PIN" in wrong.stderr, "wrong-pin" in wrong.output) == (2, True, False)
    at.refused("log", "query", code=2)
    monkeypatch.setenv("SEAL_UKEY_PIN", USER_PIN)
    signed_in = at.said(*LOGIN, *ukey)
    assert (signed_in["must_first"], signed_in["roles"]) == (None, ["auditor"])
    at.said("log", "query")


def test_another_ukey_than_the_enrolled_one_is_refused(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAL_UKEY_PIN", USER_PIN)
    at, own = holder.at, ec.generate_private_key(ec.SECP256R1())
    other = holder.plugged_in(ec.generate_private_key(ec.SECP256R1()))
    assert "wrong or late" in at.refused("factor", "enrol-ukey", holder.certificate(own), *other, code=2)
    at.said("factor", "enrol-ukey", holder.certificate(own), *holder.plugged_in(own))
    at.run("logout")
    at.refused(*LOGIN, *other, code=2)
    at.refused("log", "query", code=2)


def test_options_that_name_half_a_ukey_are_refused_before_anything_is_asked(holder: Holder) -> None:
    for half in (("--ukey-token", "张三"), ("--ukey-module", softhsm_module()), ("--ukey-key", "sign")):
        assert "together" in holder.at.refused(*LOGIN, *half, code=2)
    ukey = ("--ukey-module", softhsm_module(), "--ukey-token", "x")
    assert "--account" in holder.at.refused("login", "--client-id", "x", *ukey, code=2)
    assert "no certificate" in holder.at.refused("factor", "enrol-ukey", ROOT / "README.md", code=2)


def test_a_vendors_tool_signs_what_is_shown(holder: Holder) -> None:
    """Without a module: what is to be signed is printed, and the signature read, each in base64."""
    key = ec.generate_private_key(ec.SECP256R1())
    medium = holder.authority.ukey(key=key)
    certificate = holder.directory / "certificate.pem"
    body = base64.encodebytes(medium.certificate).decode()
    certificate.write_text(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n", encoding="ascii")
    assert by_hand(holder, medium, "factor", "enrol-ukey", str(certificate)) == 0
    holder.at.run("logout")
    assert by_hand(holder, holder.authority.ukey(), *LOGIN) == 2, "another key's signature"
    assert by_hand(holder, medium, *LOGIN) == 0
    holder.at.said("log", "query")
    no_base64 = holder.at.run(*LOGIN, stdin="not base64!\n")
    assert (no_base64.exit_code, "not base64" in no_base64.stderr) == (2, True)


def by_hand(holder: Holder, medium: UKey, *command: str) -> int:
    """The exit code of a command whose challenge somebody signs with another program."""
    with subprocess.Popen(
        [sys.executable, "-m", "seal_service", *command],
        env={**os.environ, "SEAL_HOME": str(holder.at.home), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        shown = re.fullmatch(r"to sign \(base64\): (\S+)\n", process.stderr.readline())
        assert shown is not None
        signature = base64.b64encode(medium.sign(base64.b64decode(shown[1]))).decode()
        process.stdin.write(f"{signature}\n")
        process.stdin.close()
        process.stderr.read()
    return process.returncode
