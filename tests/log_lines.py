"""The lines that a server would write to its log, as an operator's tools read them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seal_service.observability.logging import Lines


@contextmanager
def log_lines(logger: str, level: int = logging.INFO) -> Iterator[list[dict[str, Any]]]:
    """The lines of a logger, in the list that this yields, when the context has ended."""
    written, lines = io.StringIO(), list[dict[str, Any]]()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Lines())
    watched = logging.getLogger(logger)
    before = watched.level
    watched.addHandler(handler)
    watched.setLevel(level)
    try:
        yield lines
    finally:
        watched.removeHandler(handler)
        watched.setLevel(before)
        lines += [json.loads(line) for line in written.getvalue().splitlines()]
