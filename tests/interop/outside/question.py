"""What a verifier of others is asked, as JSON on its standard input, and how it answers: a line for each log.

The programs beside this file run in an environment that does not have the service.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_REASON = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whether a log is what it says."""

    log: Path
    key: str
    """The log's verifier key."""
    earlier: str
    """A checkpoint that was seen earlier."""
    indexes: tuple[int, ...]
    """Entries that are looked at where a verifier looks at single ones."""
    issued: tuple[dict[str, Any], ...]
    """Proofs that the service gave out: index, size, path, root and entry."""
    consistency: tuple[dict[str, Any], ...]
    """Consistency proofs that the service gave out: old, size, path, old_root, root."""
    roots: Path
    """The service's roots of the first 1, 2, … entries, in hexadecimal, a line each."""


class Refused(Exception):
    """The log is not what it says."""


def answer(check: Callable[[Question], str]) -> None:
    """Ask `check` about each log: it says what is well, or raises."""
    asked = json.load(sys.stdin)
    common = {
        "key": asked["key"],
        "earlier": asked["earlier"],
        "issued": tuple(asked["issued"]),
        "consistency": tuple(asked["consistency"]),
        "roots": Path(asked["roots"]),
    }
    for one in asked["logs"]:
        question = Question(log=Path(one["log"]), indexes=tuple(one["indexes"]), **common)
        started = time.monotonic()
        try:
            said, well = check(question), True
        except Exception as reason:  # Whatever a library raises is its refusal.
            said, well = " ".join(f"{type(reason).__name__}: {reason}".rstrip(": ").split())[:LONGEST_REASON], False
        print(json.dumps({"well": well, "said": said, "seconds": time.monotonic() - started}), flush=True)


def demand(holds: bool, otherwise: str) -> None:
    """Refused unless it holds."""
    if not holds:
        raise Refused(otherwise)
