"""Where the tree begins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_BEFORE_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")

Detail = str | int | bool | None | Sequence[str]


class SealServiceError(Exception):
    """The service could not do what was asked."""

    def __init__(self, message: str | None = None, **details: Detail) -> None:
        """Take a message (default: the class's docstring) and the facts a caller can act on."""
        self.message = message or (type(self).__doc__ or "").split("\n", 1)[0]
        self.details: Mapping[str, Detail] = details
        super().__init__(self.message)

    @classmethod
    def code(cls) -> str:
        """The class's name in snake case: stored with failed uses, and the tail of a problem's URN."""
        return _BEFORE_CAPITAL.sub("_", cls.__name__).lower()


def error_kind(code: str) -> type[SealServiceError] | None:
    """The class that has this code, anywhere in the tree, or None."""
    waiting = [SealServiceError]
    while waiting:
        kind = waiting.pop()
        if kind.code() == code:
            return kind
        waiting.extend(kind.__subclasses__())
    return None
