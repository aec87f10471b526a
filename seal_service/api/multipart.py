"""multipart/form-data (RFC 7578), taken in part by part while it streams: nothing is spooled to disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from seal_service.api.problems import DoorRefusal

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


class Sink(Protocol):
    """Takes the bytes of one part, and refuses when they are too many."""

    def write(self, chunk: bytes) -> None:
        """Take a chunk."""


class SmallPart:
    """A part of at most `limit` bytes; DoorRefusal beyond."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self.content = bytearray()

    def write(self, chunk: bytes) -> None:
        """Take a chunk."""
        if len(self.content) + len(chunk) > self._limit:
            raise DoorRefusal("content-too-large", f"The part {self._name} has more than {self._limit} bytes")
        self.content += chunk


@dataclass
class _Reading:
    """The parser's callbacks: each known part once, its bytes into its sink."""

    sinks: Mapping[str, Sink]
    file_names: dict[str, str | None] = field(default_factory=dict)
    disposition: bytes = b""
    header_name: bytes = b""
    header_value: bytes = b""
    sink: Sink | None = None
    ended: bool = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self.part_begin,
            "on_header_field": self.header_field,
            "on_header_value": self.header_data,
            "on_header_end": self.header_end,
            "on_headers_finished": self.headers_finished,
            "on_part_data": self.part_data,
            "on_end": self.end,
        }

    def part_begin(self) -> None:
        self.disposition, self.sink = b"", None

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.header_name += data[start:end]

    def header_data(self, data: bytes, start: int, end: int) -> None:
        self.header_value += data[start:end]

    def header_end(self) -> None:
        if self.header_name.lower() == b"content-disposition":
            self.disposition = self.header_value
        self.header_name, self.header_value = b"", b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self.disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name not in self.sinks:
            known = ", ".join(self.sinks)
            raise DoorRefusal("malformed-request", f"The parts are {known}, not {name[:50]!r}")
        if name in self.file_names:
            raise DoorRefusal("malformed-request", f"The part {name} comes twice")
        file_name = options.get(b"filename")
        self.file_names[name] = file_name.decode("utf-8", "replace") if file_name is not None else None
        self.sink = self.sinks[name]

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self.sink is not None:
            self.sink.write(data[start:end])

    def end(self) -> None:
        self.ended = True


async def read_parts(request: Request, sinks: Mapping[str, Sink]) -> dict[str, str | None]:
    """Stream each part into its sink; the file names (or None) of the parts that came.

    Raises DoorRefusal for what is malformed, unknown, repeated or too large, and whatever a sink raises.
    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if not boundary:
        raise DoorRefusal("malformed-request", "multipart/form-data without a boundary")
    reading = _Reading(sinks)
    try:
        parser = MultipartParser(boundary, reading.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise DoorRefusal("malformed-request", "The multipart body is malformed") from error
    if not reading.ended:
        raise DoorRefusal("malformed-request", "The multipart body ends early")
    return reading.file_names
