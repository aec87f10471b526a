"""docs/how-to/operate.md: from an empty Debian machine to a running service, every block typed on such a machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.empty_machine import EmptyMachine, empty_machine

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "operate.md"
SOURCES = "usr/local/src/seal-service"
pytestmark = pytest.mark.slow

_SECTION = re.compile(r"^## (\d+)\. (.*)$", re.MULTILINE)
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Every block of commands with the heading it stands under, in order."""
    text = GUIDE.read_text(encoding="utf-8")
    headings = [(found.start(), found[2]) for found in _SECTION.finditer(text)]
    return [
        (next(name for at, name in reversed(headings) if at < found.start()), found[1])
        for found in _BLOCK.finditer(text)
    ]


def put_sources(machine: EmptyMachine) -> None:
    """The repository's files, as a clone or an archive of it has them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    target = machine.root / SOURCES
    target.mkdir(parents=True)
    packed = subprocess.run(
        ["tar", "--create", "--null", "--files-from=-"], cwd=ROOT, input=listed.stdout, capture_output=True, check=True
    )
    subprocess.run(["tar", "--extract", "--directory", str(target)], input=packed.stdout, check=True)


def test_every_command_of_the_operators_guide_on_an_empty_machine(tmp_path: Path) -> None:
    found = blocks()
    assert len(found) >= 14
    with empty_machine(tmp_path) as machine:
        put_sources(machine)
        for heading, commands in found:
            done = machine.run(commands)
            told = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            if done.returncode != 0:
                journal = machine.run("journalctl --no-pager --unit='seal*' --lines=80", 60).stdout
                pytest.fail(f"{heading}:\n{commands}\nexit {done.returncode}\n{told}\n{journal}")
        assert machine.run("systemctl is-active seal.service", 60).stdout.strip() == "active"
        asked = machine.run("curl --silent http://127.0.0.1:8000/readyz", 60)
        assert '"ready":true' in asked.stdout.replace(" ", "")
        stopped = machine.run("systemctl stop seal.service; systemctl show --property=Result seal.service", 120)
        assert "Result=success" in stopped.stdout, "an orderly stop"
