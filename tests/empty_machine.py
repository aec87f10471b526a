"""An empty Debian machine with its own systemd: a fresh minimal system, booted in a container of this machine.

It needs root, `mmdebstrap`, `systemd-nspawn` and `slirp4netns` (Debian: mmdebstrap, systemd-container, slirp4netns) and
Debian's packages. Its network is its own: it reaches out, and its ports are nobody else's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("mmdebstrap", "systemd-nspawn", "slirp4netns", "nsenter")
INCLUDED = "systemd,systemd-sysv,dbus"
"""What a machine has that boots; everything else is for the guide to install."""
TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
RESOLVER = "10.0.2.3"
"""slirp4netns's own, which asks this machine's."""
NETWORK = Path("/etc/ssl/network.pem")
"""Whom this machine trusts in its network, for the package installer there."""


@dataclass(frozen=True)
class EmptyMachine:
    """A booted machine."""

    root: Path
    leader: int
    """Process id of its init, as this machine counts."""

    def run(self, commands: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """What a root's shell says to commands there; it stops at the first that fails."""
        inside = ("nsenter", "--target", str(self.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
        settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        if (self.root / NETWORK.relative_to("/")).exists():
            settings["PIP_CERT"] = str(NETWORK)
        plain = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        return subprocess.run(
            [*inside, "--", "bash", "-euo", "pipefail", "-c", f"cd /root\n{commands}"],
            env={**plain, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **settings},
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
        )


@contextmanager
def empty_machine(directory: Path) -> Iterator[EmptyMachine]:
    """The machine, as long as the context is open; skips the test where one cannot be had."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"an empty machine needs root and {', '.join(missing) or 'nothing else'}")
    root = directory / "machine"
    made = subprocess.run(
        ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", f"--include={INCLUDED}", _suite(), str(root)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if made.returncode != 0:
        pytest.skip(f"Debian's packages cannot be had: {made.stderr[-300:]}")
    if TRUST.exists():
        (root / NETWORK.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
        shutil.copy(TRUST, root / NETWORK.relative_to("/"))
    options = ("--quiet", "--register=no", "--keep-unit", "--timezone=off", "--private-network")
    command = ["systemd-nspawn", *options, "--resolv-conf=off", f"--directory={root}", "--boot"]
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text(f"nameserver {RESOLVER}\n")
    with (directory / "console").open("wb") as console:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
    network: subprocess.Popen[bytes] | None = None
    try:
        machine = _booted(root, running)
        reach = ["slirp4netns", "--configure", "--disable-host-loopback", "--mtu=65520", str(machine.leader), "tap0"]
        network = subprocess.Popen(
            reach, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        yield machine
    finally:
        if network is not None:
            network.kill()
            network.wait()
        running.terminate()  # nspawn passes it on as an orderly shutdown
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(timeout=60)
        running.kill()
        shutil.rmtree(root, ignore_errors=True)


def _suite() -> str:
    """This machine's own Debian release: what the packages at hand are for."""
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    pytest.skip("this machine is no Debian release")


def _booted(root: Path, running: subprocess.Popen[bytes]) -> EmptyMachine:
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and running.poll() is None:
        found = children.read_text().split() if children.exists() else []
        if found:
            machine = EmptyMachine(root, int(found[0]))
            if machine.run("systemctl is-system-running || true", 20).stdout.strip() in ("running", "degraded"):
                return machine
        time.sleep(0.2)
    pytest.skip("systemd does not boot in a container here")
