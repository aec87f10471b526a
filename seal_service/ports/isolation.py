"""Port to processes that read untrusted documents: with limits, without keys, without network or database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, TypeVar

from seal_service.ports.documents import Content, Upload

Arguments = TypeVar("Arguments")
Result = TypeVar("Result")

Reading = Callable[[Content, Arguments], Result]
"""A function of a module that reads one document. Arguments and Result are frozen dataclasses of plain values (numbers,
str, bytes, enums, tuples, frozensets, None, other such dataclasses): they cross as JSON and are validated."""
Rewriting = Callable[[Content, Arguments, BinaryIO], Result]
"""The same, which also writes a document."""


class Isolation(Protocol):
    """隔离解析: runs such functions where a hostile document can do no harm. Safe for threads.

    What a function raises as DocumentRefused or InvalidPlacement is raised here again; a function that takes more time
    or memory than allowed raises DocumentOverLimit (what: reading); Unavailable when no process comes free in time.
    """

    def run(self, reading: Reading[Arguments, Result], document: Content, arguments: Arguments) -> Result:
        """What the function says of the document."""

    def begun(
        self, reading: Reading[Arguments, Result], document: Content, arguments: Arguments
    ) -> AbstractContextManager[Callable[[], Result]]:
        """The same, while the caller does something else; what is entered waits for what the function says, once.

        Left without asking, as by an error, the reading is given up.
        """

    def rewrite(
        self, rewriting: Rewriting[Arguments, Result], document: Content, arguments: Arguments, limit: int
    ) -> tuple[Upload, Result]:
        """The document that the function wrote, its digests taken; DocumentOverLimit beyond `limit` bytes.

        It has half of the time of a reading, for a document that was rewritten is rewritten once more to check that.
        """
