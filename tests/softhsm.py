"""A token of SoftHSM for a test: an HSM in software behind the same PKCS#11 interface as a real one.

SoftHSM reads SOFTHSM2_CONF when a process first uses it, so a test process has one directory of tokens, and every
test a token of its own in it. Processes that a test starts inherit the variable with the environment.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

import pytest

USER_PIN = "271828-user"
SECURITY_OFFICER_PIN = "314159-officer"
TRANSPORT_PIN = "141421-transport"
_NUMBERS = count(1)


def softhsm_module() -> Path:
    """SoftHSM's PKCS#11 module; the test is skipped where it is not installed."""
    if shutil.which("softhsm2-util") is None:
        pytest.skip("softhsm2-util (softhsm2) is not installed")
    places = [Path("/usr/lib/softhsm"), *sorted(Path("/usr/lib").glob("*/softhsm")), Path("/usr/local/lib/softhsm")]
    found = next((place / "libsofthsm2.so" for place in places if (place / "libsofthsm2.so").exists()), None)
    if found is None:
        pytest.skip("libsofthsm2.so (softhsm2) is not installed")
    return found


def softhsm_token() -> str:
    """The label of a new, empty token with the two PINs above."""
    label = f"seal-test-{os.getpid()}-{next(_NUMBERS)}"
    prepared_token(label, USER_PIN)
    return label


def softhsm_settings(tmp: Path) -> dict[str, object]:
    """Settings that put new keys into a new token, for `Instance(changes=…)`; the PIN lies in a file in `tmp`."""
    tmp.mkdir(parents=True, exist_ok=True)
    label = softhsm_token()
    pin_file = tmp / f"{label}.pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(f"{USER_PIN}\n", encoding="ascii")
    return {
        "key_store": "pkcs11",
        "pkcs11_module": softhsm_module(),
        "pkcs11_token": label,
        "pkcs11_pin_file": pin_file,
    }


def prepared_token(label: str, pin: str = TRANSPORT_PIN) -> None:
    """An empty token of this label for a seal's key, as an operator prepares it."""
    softhsm_module()
    _configure()
    command = ["softhsm2-util", "--init-token", "--free", "--label", label]
    pins = ["--so-pin", SECURITY_OFFICER_PIN, "--pin", pin]
    subprocess.run([*command, *pins], check=True, capture_output=True, timeout=60)


def softhsm_seal_settings(tmp: Path, tokens: int) -> dict[str, object]:
    """Settings, beside those above, by which seals' keys go into so many prepared tokens, one each."""
    tmp.mkdir(parents=True, exist_ok=True)
    softhsm_module()
    beginning = f"kept-{os.getpid()}-{next(_NUMBERS)}-"
    for number in range(tokens):
        prepared_token(f"{beginning}{number}")
    pin_file = tmp / f"{beginning}.pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(f"{TRANSPORT_PIN}\n", encoding="ascii")
    return {"pkcs11_seal_tokens": beginning, "pkcs11_seal_pin_file": pin_file}


def softhsm_environment(settings: dict[str, object]) -> dict[str, str]:
    """The same settings as environment variables, with SoftHSM's own, for a process that a test starts."""
    told = {f"SEAL_{name.upper()}": str(value) for name, value in settings.items()}
    return {**told, "SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"]}


@cache
def _configure() -> None:
    directory = Path(tempfile.mkdtemp(prefix="softhsm-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    (directory / "tokens").mkdir()
    configuration = directory / "softhsm2.conf"
    lines = [f"directories.tokendir = {directory / 'tokens'}", "objectstore.backend = file", "log.level = ERROR"]
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
