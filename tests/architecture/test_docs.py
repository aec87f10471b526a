"""The paper is true: generated parts are current, links lead somewhere, printed commands run, named tests exist."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from tests.preloaded_command import preloaded_command
from tests.softhsm import softhsm_module

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
PRINTED_ADDRESS = "127.0.0.1:8000"
PRINTED_MODULE = "/usr/lib/softhsm/libsofthsm2.so"

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TEST_FILE = re.compile(r"`((?:tests/[\w/]+/)?test_\w+\.py)(?:::(test_\w+))?`")
_TEST_NAME = re.compile(r"`(test_\w+)`")


def generator() -> ModuleType:
    """docs/generate.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_what_the_code_says() -> None:
    assert sorted(generator().drifted()) == []


def test_a_drifted_part_is_noticed() -> None:
    docs = generator()
    page = (DOCS / "reference" / "lifecycle.md").read_text(encoding="utf-8")
    drifted = page.replace("| `active` |", "| `retired` |", 1)
    assert drifted != page
    assert docs.generated(drifted) == page


def headings(path: Path) -> set[str]:
    """The anchors of a page's headings, as hosts of Markdown make them."""
    found = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_what_is_there(page: Path) -> None:
    broken = []
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("https://", "http://")):
            continue
        target, _, anchor = unquote(link).partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in headings(path)):
            broken.append(link)
    assert broken == []


def test_the_index_leads_to_every_page() -> None:
    index = {(DOCS / link).resolve() for link in _LINK.findall((DOCS / "README.md").read_text(encoding="utf-8"))}
    assert [str(page) for page in sorted(DOCS.rglob("*.md")) if page not in index | {DOCS / "README.md"}] == []


def test_commands_of_make_that_are_printed_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    printed = {
        name
        for page in PAGES
        for name in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"demo", "test", "check"} <= printed
    assert printed - targets == set()


@pytest.mark.parametrize("name", ["regulation.md", "threat-model.md", "sealing-cycle.md"])
def test_every_test_that_is_named_exists(name: str) -> None:
    """A capability that is claimed has a test, under the name that the page gives."""
    tests = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py"))}
    everything = "\n".join(tests.values())
    page = (DOCS / "explanation" / name).read_text(encoding="utf-8")
    missing = []
    for file, test in _TEST_FILE.findall(page):
        texts = [text for path, text in tests.items() if str(path.relative_to(ROOT)) == file or path.name == file]
        if len(texts) != 1 or (test and f"def {test}(" not in texts[0]):
            missing.append(f"{file}::{test}")
    missing += [test for test in _TEST_NAME.findall(page) if f"def {test}(" not in everything]
    assert missing == []


def blocks(page: str) -> Iterator[str]:
    """The shell commands that a page prints to be run."""
    yield from _BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


def run(commands: str, directory: Path, programs: Path) -> None:
    """Run commands as a reader would, with `seal` from `programs`; the first that fails ends them."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")}
    environment |= {
        "PATH": os.pathsep.join((str(programs), environment["PATH"])),
        "REPOSITORY": str(ROOT),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@contextmanager
def served(home: Path) -> Iterator[str]:
    """`seal serve` on a port of its own; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "seal_service", "serve", "--port", str(port)]
    with (
        (home / "serve.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=home, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=log, stdout=log
        ) as server,
    ):
        try:
            run(
                f"curl --silent --retry 120 --retry-delay 1 --retry-connrefused http://127.0.0.1:{port}/healthz",
                home,
                home,
            )
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="tests.preloaded_command is for Linux")
def test_every_command_that_is_printed_runs(tmp_path: Path) -> None:
    """The tutorial, then the how-to pages that go on from it, in its directory and against its instance."""
    for tool in ("bash", "curl", "openssl", "qpdf", "pdfsig"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    tutorial = list(blocks("tutorial/first-seal.md"))
    functions = "\n".join(one for one in tutorial if "field()" in one)
    programs, instance = tmp_path / "programs", tmp_path / "first-seal"
    programs.mkdir()
    with preloaded_command(programs):
        # Setting up the path to the repository's own environment is what `programs` stands for.
        run("\n".join(tutorial).replace('export PATH="$REPOSITORY/.venv/bin:$PATH"', ""), tmp_path, programs)
        with served(instance) as address:
            pages = (
                "serve",
                "apply-over-http",
                "verify-without-instance",
                "trace",
                "audit-the-log",
                "approve-uses",
                "rotate-keys",
                "recover",
                "outside-authority",
                "import-a-seal",
                "back-up",
            )
            for page in pages:
                commands = "\n".join(blocks(f"how-to/{page}.md"))
                run(f"{functions}\n{commands}".replace(PRINTED_ADDRESS, address), instance, programs)


@pytest.mark.skipif(sys.platform != "linux", reason="tests.preloaded_command is for Linux")
def test_every_command_of_the_hsm_page_runs(tmp_path: Path) -> None:
    """From an empty directory to an instance in a token, as printed; only SoftHSM's module may lie elsewhere."""
    programs = tmp_path / "programs"
    programs.mkdir()
    commands = "\n".join(blocks("how-to/hsm.md"))
    assert PRINTED_MODULE in commands
    with preloaded_command(programs):
        run(commands.replace(PRINTED_MODULE, str(softhsm_module())), tmp_path, programs)
