"""What other programs say of an output: qpdf, and Poppler's pdfsig."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.figures import VoidMeasurement

PROGRAMS = ("qpdf", "pdfsig")


def missing() -> list[str]:
    """Those that are not installed here: outputs are then judged by this service alone."""
    return [one for one in PROGRAMS if shutil.which(one) is None]


def require_accepted(content: bytes, signatures: int = 1) -> None:
    """VoidMeasurement unless those that are installed find file and signatures good."""
    absent = missing()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sealed.pdf"
        path.write_bytes(content)
        if "qpdf" not in absent:
            checked = _said("qpdf", "--check", str(path))
            if checked.returncode != 0:
                raise VoidMeasurement(f"qpdf --check: {checked.stdout}{checked.stderr}")
        if "pdfsig" not in absent:
            told = _said("pdfsig", "-nocert", str(path))
            if told.stdout.count("Signature Validation: Signature is Valid.") != signatures:
                raise VoidMeasurement(f"pdfsig: {told.stdout}{told.stderr}")


def _said(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
