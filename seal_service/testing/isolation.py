"""A fake of isolation: the same functions, called in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TypeVar

from seal_service.domain.errors import DocumentOverLimit
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import Content, Upload
from seal_service.ports.isolation import Reading, Rewriting

Arguments = TypeVar("Arguments")
Result = TypeVar("Result")


class InProcess:
    """Isolation without any: for documents that one made oneself."""

    def run(self, reading: Reading[Arguments, Result], document: Content, arguments: Arguments) -> Result:
        """What the function says."""
        return reading(document, arguments)

    @contextmanager
    def begun(
        self, reading: Reading[Arguments, Result], document: Content, arguments: Arguments
    ) -> Iterator[Callable[[], Result]]:
        """Called when it is asked for."""
        yield lambda: reading(document, arguments)

    def rewrite(
        self, rewriting: Rewriting[Arguments, Result], document: Content, arguments: Arguments, limit: int
    ) -> tuple[Upload, Result]:
        """The document that the function wrote."""
        output = BytesIO()
        result = rewriting(document, arguments, output)
        if len(output.getvalue()) > limit:
            raise DocumentOverLimit(f"The document has more than {limit} bytes", what="bytes", limit=limit)
        return upload_of(output.getvalue()), result
