"""seal check-config: what is wrong with the settings is told with what to do, and nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import ssl
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.command_line import CommandLine
from tests.foreign_authority import authority_certificate
from tests.outside_tsa import outside_tsa
from tests.person_authority import PersonAuthority
from tests.postgresql import empty_database

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


def checked(at: CommandLine, *arguments: str) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The settings, and the errors and warnings by what they are about."""
    result = at.run("check-config", "--json", *arguments)
    told = json.loads(result.stdout)
    findings: dict[str, list[dict[str, Any]]] = {}
    for one in told["findings"]:
        assert (one["mend"] is None) is (one["severity"] == "ok"), one
        if one["severity"] != "ok":
            findings.setdefault(one["about"], []).append(one)
    errors = [one for some in findings.values() for one in some if one["severity"] == "error"]
    assert (result.exit_code, told["usable"]) == ((1, False) if errors else (0, True)), result.output
    return {one["variable"]: one for one in told["settings"]}, findings


def severity(findings: dict[str, list[dict[str, Any]]], about: str) -> str:
    (one,) = findings[about]
    found: str = one["severity"]
    return found


def test_it_works_before_init_and_changes_nothing(command_line: CommandLine) -> None:
    settings, findings = checked(command_line)
    assert set(findings) == {"SEAL_HOME", "SEAL_KEYS", "SEAL_MASTER_KEY", "SEAL_DATABASE_URL"}
    assert all("seal init" in one["mend"] for some in findings.values() for one in some)
    assert not command_line.home.exists()
    assert settings["SEAL_HOME"] == {
        "variable": "SEAL_HOME", "value": str(command_line.home), "source": "environment",
    }  # fmt: skip
    assert settings["SEAL_TOKEN_SECONDS"]["source"] == "default"
    command_line.init()
    assert checked(command_line)[1] == {}
    assert "SEAL_HOME" in command_line.run("check-config").stdout


def test_secrets_are_never_shown(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"SEAL_MASTER_KEY": "ab" * 32, "SEAL_EST_PASSWORD": "hunter2", "SEAL_PKCS11_PIN": "13579"}
    secrets["SEAL_DATABASE_URL"] = "postgresql+psycopg://seal:hunter3@127.0.0.1:1/seal?connect_timeout=2"
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    for arguments in (("check-config",), ("check-config", "--json")):
        output = command_line.run(*arguments).output
        for secret in ("ab" * 32, "hunter2", "13579", "hunter3"):
            assert secret not in output
    settings, _ = checked(command_line)
    assert [settings[name]["value"] for name in secrets] == ["set"] * 4
    assert settings["SEAL_DATABASE_OWNER_URL"]["value"] == "not set"


def test_a_variable_that_is_misspelt_is_found(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that sets nothing is ignored by the service, and nobody would notice."""
    monkeypatch.setenv("SEAL_TIMESTAMP_URL", '["https://tsa.example/"]')
    monkeypatch.setenv("SEAL_BACKUP_TARGET", "elsewhere")
    monkeypatch.setenv("SEAL_CLIENT_ID", "someone")
    monkeypatch.setenv("SEAL_REVOCATION_ADDRESSES__" + "AB" * 32, '["http://crl.example/"]')
    _, findings = checked(command_line)
    assert severity(findings, "SEAL_TIMESTAMP_URL") == "error"
    assert "SEAL_TIMESTAMP_URLS" in findings["SEAL_TIMESTAMP_URL"][0]["mend"]
    assert severity(findings, "SEAL_BACKUP_TARGET") == "warning"
    assert not {"SEAL_CLIENT_ID", "SEAL_REVOCATION_ADDRESSES"} & {one.partition("__")[0] for one in findings}


def test_values_that_cannot_be_read_are_all_named(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAL_TOKEN_SECONDS", "soon")
    monkeypatch.setenv("SEAL_PROFILE", "live")
    settings, findings = checked(command_line)
    assert {"SEAL_TOKEN_SECONDS", "SEAL_PROFILE"} == set(findings)
    assert settings["SEAL_TOKEN_SECONDS"]["value"] == "soon"
    monkeypatch.setenv("SEAL_TIMESTAMP_URLS", "https://tsa.example/")
    assert severity(checked(command_line)[1], "SEAL_TIMESTAMP_URLS") == "error"


def test_places_that_others_may_read_or_write(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    command_line.init()
    home, keys = command_line.home, command_line.home / "keys"
    keys.chmod(0o755)
    assert severity(checked(command_line)[1], "SEAL_KEYS") == "warning"
    keys.chmod(0o777)
    home.chmod(0o775)
    (keys / "master.key").chmod(0o644)
    _, findings = checked(command_line)
    assert {about: severity(findings, about) for about in findings} == {
        "SEAL_HOME": "error", "SEAL_KEYS": "error", "SEAL_MASTER_KEY": "error",
    }  # fmt: skip
    keys.chmod(0o700)
    home.chmod(0o700)
    (keys / "master.key").chmod(0o600)
    (keys / "master.key").write_text("ab" * 32)
    assert severity(checked(command_line)[1], "SEAL_MASTER_KEY") == "error", "another one opens nothing"
    monkeypatch.setenv("SEAL_KEYS", str(keys / "master.key"))
    assert severity(checked(command_line)[1], "SEAL_KEYS") == "error"


def test_a_database_that_is_not_ours_or_does_not_answer(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command_line.init()
    other = tmp_path / "other.db"
    other.touch()
    monkeypatch.setenv("SEAL_DATABASE_URL", f"sqlite:///{other}")
    assert severity(checked(command_line)[1], "SEAL_DATABASE_URL") == "warning", "before `seal init` it is empty"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version AS SELECT '0001' AS version_num")
    _, findings = checked(command_line)
    assert severity(findings, "SEAL_DATABASE_URL") == "error"
    assert "seal db upgrade" in findings["SEAL_DATABASE_URL"][0]["detail"]
    other.write_bytes(b"no database" * 100)
    assert severity(checked(command_line)[1], "SEAL_DATABASE_URL") == "error"
    monkeypatch.setenv("SEAL_DATABASE_URL", "nonsense")
    assert severity(checked(command_line)[1], "SEAL_DATABASE_URL") == "error"


def test_both_addresses_of_postgresql(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    made = empty_database("checked")
    monkeypatch.setenv("SEAL_DATABASE_URL", made.url)
    monkeypatch.setenv("SEAL_DATABASE_OWNER_URL", made.owner_url)
    (command_line.home / "keys").mkdir(mode=0o700, parents=True)
    _, findings = checked(command_line)
    assert {about: severity(findings, about) for about in findings} == {
        "SEAL_MASTER_KEY": "warning", "SEAL_DATABASE_URL": "warning", "SEAL_DATABASE_OWNER_URL": "warning",
    }, "before `seal init` both are empty"  # fmt: skip
    command_line.init()
    assert checked(command_line)[1] == {}
    monkeypatch.setenv("SEAL_DATABASE_OWNER_URL", made.owner_url.replace("seal_owner:", "seal_owner:wrong-"))
    _, findings = checked(command_line)
    assert severity(findings, "SEAL_DATABASE_OWNER_URL") == "error"
    assert "wrong-" not in command_line.run("check-config").output
    assert command_line.said("doctor")["facts"]["counts"]["accounts"] == 3


def test_the_token_of_an_hsm(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("softhsm2-util") is None or not SOFTHSM.exists():
        pytest.skip("softhsm2 is not installed")
    command_line.init()
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    make = ["softhsm2-util", "--init-token", "--free", "--label", "样章", "--pin", "1234", "--so-pin", "5678"]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    monkeypatch.setenv("SEAL_KEY_STORE", "pkcs11")
    assert {"SEAL_PKCS11_MODULE", "SEAL_PKCS11_PIN_FILE"} == set(checked(command_line)[1])
    pin = tmp_path / "pin"
    pin.write_text("1234")
    pin.chmod(0o644)
    monkeypatch.setenv("SEAL_PKCS11_PIN_FILE", str(pin))
    monkeypatch.setenv("SEAL_PKCS11_TOKEN", "样章")
    monkeypatch.setenv("SEAL_PKCS11_MODULE", str(tmp_path / "missing.so"))
    assert {"SEAL_PKCS11_MODULE", "SEAL_PKCS11_PIN_FILE"} == set(checked(command_line)[1])
    pin.chmod(0o600)
    # In a process of its own: a module that was loaded once keeps its configuration.
    monkeypatch.setenv("SEAL_PKCS11_MODULE", str(SOFTHSM))
    assert checked_elsewhere(command_line) == set()
    monkeypatch.setenv("SEAL_PKCS11_TOKEN", "another")
    assert checked_elsewhere(command_line) == {"SEAL_PKCS11_TOKEN"}
    monkeypatch.setenv("SEAL_PKCS11_TOKEN", "样章")

    # Tokens for seals' keys: named with their PIN, and some of them free.
    monkeypatch.setenv("SEAL_PKCS11_SEAL_TOKENS", "印章-")
    assert checked_elsewhere(command_line) == {"SEAL_PKCS11_SEAL_TOKENS"}
    monkeypatch.setenv("SEAL_PKCS11_SEAL_PIN_FILE", str(pin))
    assert checked_elsewhere(command_line) == {"SEAL_PKCS11_SEAL_TOKENS"}
    make[make.index("样章")] = "印章-1"
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    assert checked_elsewhere(command_line) == set()
    monkeypatch.setenv("SEAL_PROFILE", "production")
    assert "SEAL_PKCS11_SEAL_TOKENS" not in checked_elsewhere(command_line)
    monkeypatch.delenv("SEAL_PKCS11_SEAL_TOKENS")
    assert "SEAL_PKCS11_SEAL_TOKENS" in checked_elsewhere(command_line), "seals would sign without their keepers"
    monkeypatch.setenv("SEAL_PROFILE", "development")
    monkeypatch.setenv("SEAL_PKCS11_SEAL_TOKENS", "印章-")
    pin.chmod(0o644)
    assert checked_elsewhere(command_line) == {"SEAL_PKCS11_PIN_FILE", "SEAL_PKCS11_SEAL_TOKENS"}


def checked_elsewhere(at: CommandLine) -> set[str]:
    """What is wrong, as a process of its own says it."""
    command = [sys.executable, "-m", "seal_service", "check-config", "--json"]
    environment = os.environ | {"SEAL_HOME": str(at.home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return {one["about"] for one in json.loads(done.stdout)["findings"] if one["severity"] != "ok"}


@pytest.mark.parametrize(
    ("variables", "about"),
    [
        ({"SEAL_PUBLIC_URL": "seal.example"}, "SEAL_PUBLIC_URL"),
        ({"SEAL_TIMESTAMP_URLS": '["ftp://tsa.example/"]'}, "SEAL_TIMESTAMP_URLS"),
        ({"SEAL_REVOCATION_ADDRESSES": '{"abc": ["http://crl.example/"]}'}, "SEAL_REVOCATION_ADDRESSES"),
        ({"SEAL_REVOCATION_ADDRESSES": '{"%s": ["crl.example"]}' % ("ab" * 32)}, "SEAL_REVOCATION_ADDRESSES"),
        ({"SEAL_CERTIFICATE_SOURCE": "est", "SEAL_EST_TRUST": "missing.pem"}, "SEAL_EST_URL"),
        ({"SEAL_CERTIFICATE_SOURCE": "est", "SEAL_EST_URL": "https://ca.example/est"}, "SEAL_EST_TRUST"),
        ({"SEAL_CERTIFICATE_SOURCE": "est", "SEAL_EST_USER": "someone"}, "SEAL_EST_USER"),
        ({"SEAL_TRUST_ANCHORS": '["missing.pem"]'}, "SEAL_TRUST_ANCHORS"),
    ],
)
def test_addresses_files_and_what_belongs_together(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], about: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert "error" in [one["severity"] for one in checked(command_line)[1][about]]


def test_an_anchor_that_has_ended_is_warned_of(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    ended = authority_certificate(key, not_before=datetime(2020, 1, 1, tzinfo=UTC), days=30)
    path = tmp_path / "anchors.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(ended) + ssl.DER_cert_to_PEM_cert(authority_certificate(key)))
    monkeypatch.setenv("SEAL_TRUST_ANCHORS", json.dumps([str(path)]))
    _, findings = checked(command_line)
    assert severity(findings, "SEAL_TRUST_ANCHORS") == "warning"
    assert "1 of 2" in findings["SEAL_TRUST_ANCHORS"][0]["detail"]


def test_what_production_needs(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    command_line.init()
    monkeypatch.setenv("SEAL_PROFILE", "production")
    _, findings = checked(command_line)
    assert {about: severity(findings, about) for about in findings} == {
        "SEAL_PUBLIC_URL": "error",
        "SEAL_KEY_STORE": "error",
        "SEAL_ORIGIN": "warning",
        "SEAL_CITY_NAME": "warning",
        "SEAL_DATABASE_URL": "warning",
        "SEAL_TRUSTED_PROXIES": "warning",
        "SEAL_TIMESTAMP_URLS": "warning",
        "SEAL_PERSON_ANCHORS": "warning",
    }
    for name, value in {
        "SEAL_PUBLIC_URL": "https://seal.city.example",
        "SEAL_ALLOW_SOFTWARE_KEYS": "true",
        "SEAL_ORIGIN": "seal.city.example/log",
        "SEAL_CITY_NAME": "样章市",
        "SEAL_TRUSTED_PROXIES": '["10.0.0.5"]',
        "SEAL_TIMESTAMP_URLS": '["https://tsa.example/"]',
        "SEAL_PERSON_ANCHORS": json.dumps([str(PersonAuthority().written(command_line.home / "people.pem"))]),
    }.items():
        monkeypatch.setenv(name, value)
    assert set(checked(command_line)[1]) == {"SEAL_ALLOW_SOFTWARE_KEYS", "SEAL_DATABASE_URL"}
    for here in ("https://localhost:8443", "https://[::1]/", "http://0.0.0.0:8000"):
        monkeypatch.setenv("SEAL_PUBLIC_URL", here)
        assert severity(checked(command_line)[1], "SEAL_PUBLIC_URL") == "error"


def test_how_people_sign_in(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    command_line.init()
    monkeypatch.setenv("SEAL_SECOND_FACTOR", "certificate")
    monkeypatch.setenv("SEAL_OIDC_ISSUER", "http://identity.example")
    _, findings = checked(command_line)
    assert {about: severity(findings, about) for about in findings} == {
        "SEAL_PERSON_ANCHORS": "warning",
        "SEAL_OIDC_AUDIENCE": "error",
        "SEAL_OIDC_ROLES": "warning",
        "SEAL_PAGES_URL": "warning",
    }
    for name, value in {"PROFILE": "production", "SECOND_FACTOR": "totp", "PASSWORD": "x", "CODE": "0"}.items():
        monkeypatch.setenv(f"SEAL_{name}", value)
    _, findings = checked(command_line)
    assert severity(findings, "SEAL_SECOND_FACTOR") == "error"
    assert severity(findings, "SEAL_OIDC_ISSUER") == "error"
    assert not {"SEAL_PASSWORD", "SEAL_CODE"} & set(findings)


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("https://seal.example", False),
        ("https://seal.example:8443/", False),
        ("http://seal.example", True),
        ("https://seal.example/seals", True),
        ("https://seal.example/?a=b", True),
        ("seal.example", True),
    ],
)
def test_the_address_of_the_pages_is_a_host_reached_over_tls(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, url: str, *, wrong: bool
) -> None:
    command_line.init()
    monkeypatch.setenv("SEAL_PROFILE", "production")
    monkeypatch.setenv("SEAL_PAGES_URL", url)
    assert ("SEAL_PAGES_URL" in checked(command_line)[1]) is wrong


def test_the_client_secret_lies_in_a_file_that_nobody_else_reads(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command_line.init()
    file = tmp_path / "client-secret"
    for name, value in {
        "OIDC_ISSUER": "https://identity.example",
        "OIDC_AUDIENCE": "seal",
        "OIDC_ROLES": '{"keeper": "seal_keeper"}',
        "PAGES_URL": "https://seal.example",
        "OIDC_CLIENT_SECRET_FILE": str(file),
    }.items():
        monkeypatch.setenv(f"SEAL_{name}", value)
    assert severity(checked(command_line)[1], "SEAL_OIDC_CLIENT_SECRET_FILE") == "error"
    file.write_text("from the file\n", encoding="utf-8")
    file.chmod(0o644)
    assert severity(checked(command_line)[1], "SEAL_OIDC_CLIENT_SECRET_FILE") == "error"
    file.chmod(0o600)
    assert checked(command_line)[1] == {}
    monkeypatch.setenv("SEAL_OIDC_CLIENT_SECRET", "from the setting")
    settings, findings = checked(command_line)
    assert severity(findings, "SEAL_OIDC_CLIENT_SECRET") == "warning"
    assert settings["SEAL_OIDC_CLIENT_SECRET"]["value"] == "set"


def test_time_stamping_authorities_are_asked_only_when_that_is_wanted(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command_line.init()
    with outside_tsa(tmp_path / "tsa") as authority:
        monkeypatch.setenv("SEAL_TIMESTAMP_URLS", json.dumps([authority.tsr, "http://127.0.0.1:1/nobody"]))
        assert checked(command_line)[1] == {}
        _, findings = checked(command_line, "--online")
        untrusted, nobody = findings["SEAL_TIMESTAMP_URLS"]
        assert "trust anchor" in untrusted["detail"]
        assert "ConnectError" in nobody["detail"]
        monkeypatch.setenv("SEAL_TIMESTAMP_ANCHORS", json.dumps([str(authority.root)]))
        (nobody,) = checked(command_line, "--online")[1]["SEAL_TIMESTAMP_URLS"]
        assert "ConnectError" in nobody["detail"]
