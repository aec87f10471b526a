"""Real files of other projects' test suites: each is sealed rightly or refused with a typed error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from seal_service.domain.content import ContentKind
from seal_service.domain.errors import DocumentRefused, InvalidPlacement
from tests.sealing_world import World

pytestmark = pytest.mark.corpora


@pytest.fixture(scope="module")
def corpora() -> Path:
    named = os.environ.get("SEAL_TEST_CORPORA")
    if not named:
        pytest.skip("SEAL_TEST_CORPORA does not name the folder with other projects' files")
    return Path(named)


def _complaints(qpdf: str, path: Path) -> int:
    return subprocess.run([qpdf, "--check", str(path)], capture_output=True, timeout=60, check=False).returncode


def test_every_file_is_sealed_or_refused_with_a_typed_error(corpora: Path, tmp_path: Path) -> None:
    qpdf = shutil.which("qpdf")
    if qpdf is None:
        pytest.skip("qpdf is not installed")
    world = World(permitted_content=frozenset(ContentKind), width_mm=10, height_mm=10)
    files = [
        corpora / one["file"]
        for one in json.loads((corpora / "pdf" / "expectations.json").read_bytes())
        if one["use"] == "sign"
    ]
    assert files
    out = tmp_path / "sealed.pdf"
    sealed, worse = 0, []
    for file in files:
        content = file.read_bytes()
        try:
            result = world.seal(content)
        except (DocumentRefused, InvalidPlacement):
            continue
        sealed += 1
        assert result.content.startswith(content)
        out.write_bytes(result.content)
        if _complaints(qpdf, out) != 0 and _complaints(qpdf, file) == 0:
            worse.append(file.name)
    assert not worse
    assert sealed >= 0.79 * len(files), "129 of 163 were sealed when this was written"
