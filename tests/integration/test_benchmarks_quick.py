"""`make bench` works: a quick run of every part, whose figures mean nothing but whose outputs are judged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is read")
def test_every_part_of_the_measurements_works(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--results", str(results), "--directory", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    parts = [line for line in run.stdout.splitlines() if line and not line.startswith(" ")]
    assert parts[:8] == ["sealing", "use", "http", "memory", "verification", "start", "authorize", "filing"]
    assert "signer loaded once" in run.stdout
    assert "self-check's share" in run.stdout
    assert not results.exists(), "a quick run is no measurement"
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
