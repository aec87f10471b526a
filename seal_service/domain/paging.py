"""分页: lists are read by keyset, so that a page is not moved by what is written meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A page asked for: at most `limit` items (1–500) after `cursor` (None: from the beginning)."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        """Keep the limit within 1–500."""
        object.__setattr__(self, "limit", max(1, min(self.limit, LARGEST_LIMIT)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """A page and the cursor of the next one (None: this was the last)."""

    items: tuple[Item, ...]
    next_cursor: str | None = None
