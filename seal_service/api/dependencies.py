"""What endpoints ask for: the service, a page, the idempotency key, bodies that are no plain JSON."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import Depends, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from seal_service.bootstrap import Service
from seal_service.domain.paging import DEFAULT_LIMIT, LARGEST_LIMIT, PageRequest

Model = TypeVar("Model", bound=BaseModel)


async def service_of(request: Request) -> Service:
    """The service that the application was made with."""
    service: Service = request.app.state.service
    return service


async def page_request(
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
) -> PageRequest:
    """The page asked for."""
    return PageRequest(limit=limit, cursor=cursor)


Serving = Annotated[Service, Depends(service_of)]
Paging = Annotated[PageRequest, Depends(page_request)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="The same key with the same request does nothing twice; with another request it is refused (409).",
    ),
]
RequiredIdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="Unique for each use: a repeated request with the same key gets the same answer, not a second use.",
    ),
]

SealHandle = Annotated[
    str | None,
    Header(
        alias="Seal-Handle",
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="授权句柄 of a system to which the seal was conveyed (导入应用系统); others send none.",
    ),
]


def parsed(model: type[Model], content: bytes, place: str) -> Model:
    """The model that JSON bytes hold; RequestValidationError naming the fields, under `place`."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise RequestValidationError([one | {"loc": (place, *one["loc"])} for one in error.errors()]) from error


def missing(*place: str) -> RequestValidationError:
    """That a field is missing which this form of the request needs."""
    return RequestValidationError([{"type": "missing", "loc": place, "msg": "Field required", "input": None}])
