"""读取上限: a document's values, counted before they are read.

Objects are few where values are many, and a value that many objects share is read once for each: what a document costs
to read is bounded by the values read, not by its bytes or objects.
"""

from __future__ import annotations

import pikepdf

from seal_service.domain.errors import DocumentOverLimit
from seal_service.formats.pdf import is_mapping


class CountedValues:
    """Reads arrays and dictionaries of one document, at most `most` values of them; used by one thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most

    def items(self, value: object) -> list[object]:
        """The items of an array, [] of anything else; DocumentOverLimit."""
        if not isinstance(value, pikepdf.Array):
            return []
        self._count(len(value))
        return list(value)

    def entries(self, value: object) -> dict[str, object]:
        """The entries of a dictionary or of a stream's, {} of anything else; DocumentOverLimit."""
        if not is_mapping(value):
            return {}
        dictionary = value.stream_dict if isinstance(value, pikepdf.Stream) else value
        self._count(len(dictionary))
        return dict(dictionary.items())

    def _count(self, values: int) -> None:
        self._left -= values
        if self._left < 0:
            raise DocumentOverLimit(
                f"More than {self._most} values of the document would have to be read", what="values", limit=self._most
            )
