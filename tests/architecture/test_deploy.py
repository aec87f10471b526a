"""What deploy/ hands to an operator: every name in it exists, and the programs that will read it find nothing wrong."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from seal_service.__main__ import seal_command
from seal_service.bootstrap import settings_from_environment
from seal_service.config import Settings
from seal_service.domain.operation import Profile

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
FILES = sorted(one for one in DEPLOY.rglob("*") if one.is_file())
OF_COMMANDS = {"SEAL_CLIENT_ID", "SEAL_CLIENT_SECRET"}
"""Variables that only commands read, for who is logged in."""
EXPOSURE = 15
"""Of `systemd-analyze security`, in tenths: 0 touches nothing, 100 is not confined at all."""


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return content


def unit(path: Path) -> dict[str, list[str]]:
    """The values of each key of a unit, whatever its section."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def commands() -> dict[str, list[str]]:
    """Every `seal …` that these files run."""
    of_units = {path.name: shlex.split(one)[1:] for path in UNITS for one in unit(path)["ExecStart"]}
    services = compose()["services"]
    of_compose = {f"compose {name}": services[name]["command"] for name in ("seal", "admin")}
    image = re.search(r'^CMD \["seal", (.*)\]$', (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert image is not None
    return of_units | of_compose | {"Dockerfile": shlex.split(image[1].replace(",", ""))}


@pytest.mark.parametrize("path", [*FILES, ROOT / "Dockerfile"], ids=lambda path: path.name)
def test_every_variable_that_is_named_is_a_setting(path: Path) -> None:
    named = set(re.findall(r"\bSEAL_[A-Z0-9_]+", path.read_text(encoding="utf-8")))
    assert named - OF_COMMANDS <= {f"SEAL_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_that_is_run_exists_with_its_options(name: str) -> None:
    """`--help` is answered only after the words before it were understood; options are looked for in its text."""
    words = [one for one in commands()[name] if one != "seal"]
    options = [one for one in words if one.startswith("--")]
    verbs = [one for one in words[: words.index(options[0])] if "/" not in one] if options else words
    helped = CliRunner().invoke(seal_command(), [*(one for one in verbs if "/" not in one), "--help"])
    assert helped.exit_code == 0, helped.output
    assert all(one in helped.output for one in options), helped.output


def test_the_example_of_settings_is_one_that_the_service_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DEPLOY / "seal.env.example").read_text(encoding="utf-8")
    for given in (text, re.sub(r"^# (SEAL_\w+=)", r"\1", text, flags=re.MULTILINE)):  # and what it proposes
        for line in given.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.partition("=")
                monkeypatch.setenv(name, shlex.split(value)[0])
        settings = settings_from_environment()
        assert settings.profile is Profile.PRODUCTION
        assert not settings.allow_software_keys
    assert settings.timestamp_urls == ("https://tsa.example/",)
    assert not re.search(r"^SEAL_(MASTER_KEY|PKCS11_PIN|EST_PASSWORD|DATABASE_OWNER_URL)=", text, re.MULTILINE)


def test_a_supervisor_waits_longer_than_the_service_takes_to_end() -> None:
    """Requests get SEAL_SHUTDOWN_SECONDS, uses that outlast them as long again."""
    longest = 2 * Settings.model_fields["shutdown_seconds"].default
    service = unit(DEPLOY / "seal.service")
    assert int(service["TimeoutStopSec"][0]) > longest + 10
    assert service["KillMode"] == ["mixed"]
    assert int(compose()["services"]["seal"]["stop_grace_period"].removesuffix("s")) > longest + 10


@pytest.fixture
def systemd(tmp_path: Path) -> Path:
    """The units as installed, but for the program, which is not installed where this is tested."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
    for path in (*UNITS, *DEPLOY.glob("*.timer")):
        text = path.read_text(encoding="utf-8").replace("/opt/seal/bin/seal", shutil.which("true") or "")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [str(one) for one in command], capture_output=True, text=True, timeout=60, check=False, env=environment
    )


def test_systemd_finds_nothing_wrong_with_the_units(systemd: Path) -> None:
    names = sorted(one.name for one in systemd.iterdir())
    assert names == ["seal-backup.service", "seal-backup.timer", "seal-upgrade.service", "seal.service"]
    done = _run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *sorted(systemd.iterdir()))
    assert done.returncode == 0, done.stderr
    assert "seal" not in done.stderr, done.stderr


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_the_units_are_confined(path: Path, systemd: Path) -> None:
    done = _run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", systemd / path.name)
    assert done.returncode == 0, done.stdout


def test_every_container_is_confined() -> None:
    for name, one in compose()["services"].items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & one.keys(), name
        assert "/var/run/docker.sock" not in str(one), name
        root = one.get("user", "0:0").startswith("0")
        assert root == (name == "proxy"), "nginx alone begins as root, to read its key and to change to its own user"
    assert {name for name, one in compose()["services"].items() if "ports" in one} == {"seal"}


def test_the_compose_file_names_only_what_it_defines() -> None:
    """By what of the Compose Specification a typing error would break; no engine is at hand where tests run."""
    known = {
        "cap_add", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "init",
        "logging", "network_mode", "networks", "pids_limit", "ports", "profiles", "read_only", "restart", "secrets",
        "security_opt", "shm_size", "stop_grace_period", "tmpfs", "user", "volumes",
    }  # fmt: skip
    content = compose()
    top = {key for key in content if not key.startswith("x-")}
    assert top == {"name", "services", "networks", "volumes", "secrets"}
    used: dict[str, set[str]] = {"networks": set(), "volumes": set(), "secrets": set()}
    for name, one in content["services"].items():
        assert one.keys() <= known, f"{name}: {one.keys() - known}"
        assert set(one.get("depends_on", {})) <= content["services"].keys()
        assert all(isinstance(value, str) for value in one.get("environment", {}).values()), name
        assert ("network_mode" in one) != ("networks" in one), name
        used["networks"] |= set(one.get("networks", []))
        used["secrets"] |= set(one.get("secrets", []))
        for volume in one.get("volumes", []):
            source, target, *mode = volume.split(":")
            assert target.startswith("/")
            assert mode in ([], ["ro"])
            if source.startswith("./"):
                assert mode == ["ro"]
                assert source == "./tls" or (DEPLOY / source).is_file(), source
            else:
                used["volumes"].add(source)
        check = one.get("healthcheck")
        assert check is None or (check["test"][0] == "CMD" and {"interval", "timeout", "retries"} <= check.keys())
        for mounted in re.findall(r"/run/secrets/([\w.]+)", str(one)):
            assert mounted in one["secrets"], mounted
        assert "/" not in one["image"], "an image of the engine's own default registry, or one built here"
        assert one["image"] == "seal-service" or ":" in one["image"]
    assert used == {kind: set(content[kind]) for kind in used}
    data, keys = (next(one for one in content["services"]["seal"]["volumes"] if end in one) for end in ("lib/", "keys"))
    assert data.split(":")[0] != keys.split(":")[0], "keys lie apart from what they protect"


def test_no_secret_stands_in_a_file_or_in_the_environment_of_a_container() -> None:
    for name, one in compose()["services"].items():
        for variable, value in one.get("environment", {}).items():
            assert not re.search(r"://[^@/]*:[^@/]*@", value), f"{name} {variable}"
            assert not re.search("PASSWORD$|SECRET|PIN$|MASTER_KEY", variable), f"{name} {variable}"


def test_the_proxy_passes_on_no_certificate_that_a_client_claims() -> None:
    """Certificates are public: whoever may say which one he has is anybody (RFC 9440, 4)."""
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    proxied = [one for one in re.findall(r"location [^{]+\{([^}]*)\}", site) if "proxy_pass" in one]
    assert len(proxied) == 2
    for one in proxied:
        (written,) = re.findall(r"proxy_set_header Client-Cert (\S+);", one)
        assert written in ('""', "$seal_client_cert"), "nothing, or what TLS has proven"
