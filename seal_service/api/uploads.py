"""上传: documents as they stream in, raw or as multipart/form-data, bounded and hashed on the way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request

from seal_service.api.auth import Calling
from seal_service.api.edge import announced_length
from seal_service.api.multipart import SmallPart, read_parts
from seal_service.api.problems import DoorRefusal
from seal_service.domain.access import Caller
from seal_service.domain.errors import DocumentOverLimit
from seal_service.formats.upload import UploadReader
from seal_service.ports.documents import Upload

FRAMING = 64 * 1024
"""Bytes allowed for the boundaries and headers of a multipart body."""
MULTIPART = "multipart/form-data"
PDF = "application/pdf"
ANY_FILE = "application/octet-stream"
LONGEST_FILE_NAME = 150


@dataclass(frozen=True)
class Received:
    """The document, and the small parts that came beside it."""

    document: Upload
    parts: Mapping[str, bytes]
    is_multipart: bool


def media_type(request: Request) -> str:
    """The media type of the request's body, without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def file_name(given: str | None) -> str:
    """A name fit for reports: the last step of a path, printable, at most 150 characters."""
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    return "".join(one for one in last if one.isprintable())[:LONGEST_FILE_NAME].strip() or "document"


def receiving(
    calling: Calling, raw: Sequence[str], small_parts: Mapping[str, int]
) -> Callable[..., Coroutine[Any, Any, Received]]:
    """A dependency that takes in a document after `calling` let the caller pass.

    `raw`: media types of a body that is the document itself; `small_parts`: name → largest size of the parts that may
    come beside the part `document`. The document's limit is the instance's.
    """

    async def receive(request: Request, _caller: Caller = Depends(calling)) -> Received:
        given = media_type(request)
        limit: int = request.app.state.service.document_bytes
        reader = UploadReader(limit)
        if given == MULTIPART:
            parts = {name: SmallPart(name, size) for name, size in small_parts.items()}
            request.state.body_limit = limit + sum(small_parts.values()) + FRAMING
            names = await read_parts(request, {"document": reader, **parts})
            if "document" not in names:
                raise DoorRefusal("malformed-request", "The part document is missing")
            came = {name: bytes(part.content) for name, part in parts.items() if name in names}
            return Received(reader.finish(file_name(names["document"])), came, True)
        if given not in raw:
            raise DoorRefusal("unsupported-media-type", f"A document comes as {', '.join((*raw, MULTIPART))}")
        request.state.body_limit = sys.maxsize  # the reader, which can tell the reason, is the one to refuse
        if announced_length(request.scope) > limit:
            raise DocumentOverLimit(f"The document has more than {limit} bytes", limit=limit)
        async for chunk in request.stream():
            reader.write(chunk)
        return Received(reader.finish("document"), {}, False)

    return receive


def multipart_schema(document: str, request_schema: Mapping[str, Any] | None = None, **files: str) -> dict[str, Any]:
    """OpenAPI of a multipart body: the file part `document` (described), the JSON part `request`, other file parts."""
    properties: dict[str, Any] = {"document": {"type": "string", "format": "binary", "description": document}}
    if request_schema is not None:
        properties["request"] = dict(request_schema)
    properties |= {name: {"type": "string", "format": "binary", "description": told} for name, told in files.items()}
    required = ["document", "request"] if request_schema is not None else ["document"]
    return {"schema": {"type": "object", "properties": properties, "required": required}}


def answering(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI of an answer 200 in one of the media types, all of them bytes."""
    return {200: {"content": {media_type: binary_schema() for media_type in media_types}}}


def binary_schema() -> dict[str, Any]:
    """OpenAPI of bytes."""
    return {"schema": {"type": "string", "format": "binary"}}
