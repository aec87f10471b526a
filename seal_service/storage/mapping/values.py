"""What is written into a row."""

from __future__ import annotations

Values = dict[str, object]
