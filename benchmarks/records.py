"""The history of measurements: benchmarks/results.json, the oldest first."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """When, where and of what a measurement was made."""

    at: datetime
    machine: dict[str, Any]
    commit: str | None
    dirty: bool
    """Whether the tree differed from the commit."""


def record_of(
    circumstances: Circumstances,
    parts: Sequence[str],
    figures: Sequence[Figure],
    skipped: Sequence[str],
    *,
    whole: bool,
) -> dict[str, Any]:
    """A measurement as it is kept; `whole`: of every part there is, so that the README may quote it."""
    return {
        "date": circumstances.at.isoformat(timespec="seconds"),
        "commit": circumstances.commit,
        "dirty": circumstances.dirty,
        "machine": circumstances.machine,
        "whole": whole,
        "parts": list(parts),
        "skipped": list(skipped),
        "figures": [one.recorded() for one in figures],
    }


def history(path: Path = RESULTS) -> list[dict[str, Any]]:
    """Every record so far."""
    if not path.exists():
        return []
    kept: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def append(record: dict[str, Any], path: Path = RESULTS) -> None:
    """Add a record; the file is never half written."""
    text = json.dumps([*history(path), record], ensure_ascii=False, indent=1)
    fresh = path.with_suffix(".new")
    fresh.write_text(text + "\n", encoding="utf-8")
    os.replace(fresh, path)
