"""Real files of other projects' test suites: each is sealed rightly or refused with a typed error."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from tests.sealing_world import World
from tests.strangers_files import PYHANKO_ALONE, Outcome, files, outcomes, pyhanko_alone_seals

CORPORA = Path(os.environ.get("SEAL_TEST_CORPORA", "nowhere"))
DOCS = Path(__file__).parents[2] / "docs"

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.slow,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="SEAL_TEST_CORPORA names no folder with other projects' files"),
]


@pytest.fixture(scope="module")
def came_of(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """What came of each file."""
    for program in ("qpdf", "pdfsig"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    return list(outcomes(CORPORA, tmp_path_factory.mktemp("strangers")))


def table_writer() -> ModuleType:
    """docs/strangers_files.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("docs_strangers_files", DOCS / "strangers_files.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_is_sealed_and_verifies_or_is_refused_with_a_typed_error(came_of: list[Outcome]) -> None:
    """By us, by qpdf and by Poppler; what was sealed begins with the original or its repair, which looks the same."""
    assert len(came_of) == len(files(CORPORA)) > 0
    sealed = [one for one in came_of if one.sealed]
    assert [one.file for one in sealed if not one.verified] == []
    assert [one.file for one in sealed if not one.prefixed] == []
    assert [one.file for one in sealed if one.qpdf[1] > (0 if one.repaired else one.qpdf[0])] == []
    assert [one.file for one in sealed if one.pdfsig is False] == []
    assert [one.file for one in sealed if one.repaired and not one.shown_as_before] == []


def test_every_sealed_file_verifies_at_the_default_level_too(came_of: list[Outcome]) -> None:
    """B-LT, whose validation data is a revision after the signature's; pyHanko's rules cannot read each such file."""
    assert [one.file for one in came_of if one.sealed and not one.verified_at_default_level] == []


def test_at_least_as_many_are_sealed_as_pyhanko_alone_seals(came_of: list[Outcome]) -> None:
    sealed = Counter(one.source for one in came_of if one.sealed)
    assert {source: sealed[source] for source, least in PYHANKO_ALONE.items() if sealed[source] < least} == {}


def test_no_file_that_bears_a_signature_was_repaired(came_of: list[Outcome]) -> None:
    assert {one.file for one in came_of if one.repaired}, "the corpora hold damaged files"
    for one in came_of:
        if one.repaired:
            assert b"/ByteRange" not in (CORPORA / "pdf" / one.file).read_bytes()


def test_the_numbers_of_pyhanko_are_its_own() -> None:
    world = World()
    root = CORPORA / "pdf"
    sealed = Counter(
        path.relative_to(root).parts[0] for path in files(CORPORA) if pyhanko_alone_seals(world, path.read_bytes())
    )
    assert sealed == PYHANKO_ALONE


def test_the_table_in_the_reference_is_what_comes_of_the_files(came_of: list[Outcome]) -> None:
    """Without the columns of other programs, which speak differently in each version."""
    writer = table_writer()
    assert writer.told(came_of) == writer.told_by((DOCS / "reference" / "strangers-files.md").read_text("utf-8"))
