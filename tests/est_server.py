"""An EST server (RFC 7030) made by others: libest's `estserver`, a process of its own over `OutsideAuthority`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.outside_authority import OutsideAuthority

USER, PASSWORD = "estuser", "estpwd"
"""What libest's server is compiled with."""
_UNPACKED = Path(os.environ.get("SEAL_TEST_TOOLS", Path.home() / ".cache" / "seal-tests")) / "libest"
"""Where .ci/run unpacks Debian's package on a release that does not have it yet."""


def est_server_program() -> tuple[str, dict[str, str]]:
    """The program and its environment; skips where there is none."""
    installed = shutil.which("estserver")
    if installed is not None:
        return installed, dict(os.environ)
    unpacked = _UNPACKED / "usr" / "bin" / "estserver"
    if not unpacked.exists():
        pytest.skip("estserver (Debian's libest-utils) is not installed")
    libraries = os.pathsep.join(str(one) for one in (_UNPACKED / "usr" / "lib").glob("*-linux-gnu"))
    return str(unpacked), os.environ | {"LD_LIBRARY_PATH": libraries}


@contextmanager
def est_server(authority: OutsideAuthority, *options: str) -> Iterator[str]:
    """The server, and its address; with `-m SECONDS` it answers a request for the first time with 202."""
    program, environment = est_server_program()
    with_key = authority.server_certificate()
    both = authority.directory / "cacerts.pem"
    both.write_bytes(authority.root.read_bytes() + authority.issuing.read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment |= {
        "EST_TRUSTED_CERTS": str(authority.root),
        "EST_CACERTS_RESP": str(both),
        "EST_OPENSSL_CACONFIG": str(authority.directory / "issuing.cnf"),
    }
    arguments = [program, "-c", str(with_key), "-k", str(with_key), "-r", "estrealm", "-b", "-p", str(port), *options]
    with (
        (authority.directory / "estserver.log").open("wb") as log,
        subprocess.Popen(
            arguments, cwd=authority.directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _await(port, process, authority.directory / "estserver.log")
            yield f"https://127.0.0.1:{port}/.well-known/est"
        finally:
            process.kill()
            process.wait(10)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"estserver does not listen: {log.read_text(errors='replace')[-2000:]}")
