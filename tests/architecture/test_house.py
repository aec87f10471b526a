"""The rules of the house that no linter knows (docs/explanation/architecture.md), read from the source tree."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

import seal_service.usecases
from seal_service.domain.access import Permission
from seal_service.domain.events import EventKind

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "seal_service"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST_SOURCE = 400
LONGEST_TEST = 600
FORBIDDEN_ENDINGS = ("Manager", "Helper", "Helpers", "Util", "Utils", "Base", "Impl")
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
ROOMS_WITH_KEYS = {"ports", "sealing", "log", "pki", "filing", "testing"}
ROOMS_THAT_COMMIT = {"usecases", "storage", "testing"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def floor_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


@cache
def nodes(path: Path) -> tuple[tuple[ast.AST, str], ...]:
    """Every node, with where it is."""
    name = path.relative_to(ROOT)
    return tuple((node, f"{name}:{getattr(node, 'lineno', 1)}") for node in ast.walk(tree_of(path)))


def dotted(node: ast.AST) -> str:
    """The last two names of a.b.c as `b.c`."""
    if not isinstance(node, ast.Attribute):
        return ""
    owner = node.value
    return f"{owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, 'id', '')}.{node.attr}"


def committed_files() -> list[Path]:
    """The files that git tracks or would track, that are text."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("no git repository: which files belong to it cannot be told")
    files = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [one for one in files if one.is_file() and b"\0" not in one.read_bytes()[:8192]]


@pytest.mark.parametrize(("files", "most"), [(SOURCES, LONGEST_SOURCE), (TESTS, LONGEST_TEST)], ids=["source", "tests"])
def test_no_file_is_long(files: list[Path], most: int) -> None:
    lengths = {str(one.relative_to(ROOT)): len(one.read_text(encoding="utf-8").splitlines()) for one in files}
    assert {name: length for name, length in lengths.items() if length > most} == {}


def test_the_clock_is_asked_in_bootstrap_alone() -> None:
    found = [
        where
        for path in SOURCES
        if floor_of(path) != "bootstrap"
        for node, where in nodes(path)
        if isinstance(node, ast.Call) and dotted(node.func) in CLOCKS
    ]
    assert found == []


def test_only_use_cases_commit() -> None:
    """Storage and the fakes define what committing is; migrations are no business acts."""
    found = [
        where
        for path in SOURCES
        if floor_of(path) not in ROOMS_THAT_COMMIT
        for node, where in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert found == []


def test_signing_keys_are_known_where_seals_and_certificates_are_signed_alone() -> None:
    found = [
        where
        for path in SOURCES
        if floor_of(path) not in ROOMS_WITH_KEYS
        for node, where in nodes(path)
        if (isinstance(node, ast.Name) and node.id == "SigningKey")
        or (isinstance(node, ast.ImportFrom) and any(one.name == "SigningKey" for one in node.names))
    ]
    assert found == []


def test_a_permit_is_constructed_in_authorization_alone() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in SOURCES
        for node, _ in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SealingPermit"
    }
    assert found == {"domain/authorization.py"}


def test_classes_are_named_by_what_they_are() -> None:
    found = [
        f"{where} {node.name}"
        for path in SOURCES
        for node, where in nodes(path)
        if isinstance(node, ast.ClassDef) and node.name.endswith(FORBIDDEN_ENDINGS)
    ]
    assert found == []


def test_every_use_case_declares_its_permission() -> None:
    """Default deny. Initialising and restoring have none: without an instance there is no account to ask for."""
    undeclared = set()
    for path in sorted(Path(seal_service.usecases.__file__).parent.glob("*.py")):
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("UseCase"):
                declared = {
                    dotted(one.value).removeprefix("Permission.")
                    for one in node.body
                    if isinstance(one, ast.AnnAssign)
                    and isinstance(one.target, ast.Name)
                    and one.target.id == "permission"
                    and one.value is not None
                }
                if not declared <= set(Permission.__members__) or len(declared) != 1:
                    undeclared.add(node.name)
    assert undeclared == {"InitialiseUseCase", "RestoreUseCase"}


def test_every_kind_of_event_is_produced_somewhere() -> None:
    """A kind that nothing writes would be a promise; where it is only read (queries, codes) does not count."""
    produced = {
        node.attr
        for path in SOURCES
        if floor_of(path) == "usecases"
        for node, _ in nodes(path)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "EventKind"
    }
    assert {kind.name for kind in EventKind} == produced


def test_every_module_says_what_it_is_for() -> None:
    """Docstrings of classes and functions are the linter's."""
    assert [str(path.relative_to(ROOT)) for path in SOURCES if not ast.get_docstring(tree_of(path))] == []


def test_no_mock_stands_in_for_what_is_tested() -> None:
    found = [
        where
        for path in TESTS
        for node, where in nodes(path)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any("mock" in f"{getattr(node, 'module', '')}.{one.name}" for one in node.names)
    ]
    assert found == []


HOSTS = "|".join(
    re.escape(".".join(parts))
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("proxy", "golang", "org"), ("registry", "npmjs", "org"))
)
WORKPLACE = re.compile(rf"(?<![\w.])/(?:work|workspace|home/\w+|root|Users/\w+)/|{HOSTS}")


def test_no_file_names_a_registry_or_a_workplace() -> None:
    """What belongs to one machine has no place in the repository."""
    found = []
    for path in committed_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {one.group()}" for one in WORKPLACE.finditer(text)]
    assert found == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_hold_a_hash_for_every_requirement_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []
    assert "://" not in text


def test_no_key_is_in_the_repository() -> None:
    marks = re.compile("-----BEGIN [A-Z ]*" + "PRIVATE KEY-----")
    assert [str(one) for one in committed_files() if marks.search(one.read_text("utf-8", errors="replace"))] == []
    assert {one.name for one in committed_files() if one.parent == ROOT / "keys"} <= {"README.md"}
