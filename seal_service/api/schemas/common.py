"""Forms that all resources share: times, texts, problems, pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{8,18}([Zz]|[+-][0-9]{2}:[0-9]{2})")


def _rfc_3339(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    raise ValueError("a time in RFC 3339 is needed, with its time zone")  # no bare number of seconds


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time lies outside the years 1 to 9999 in UTC") from error


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_rfc_3339),
    AfterValidator(_utc),
    Field(description="RFC 3339, with its time zone; answered in UTC.", examples=["2026-03-01T08:00:00Z"]),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^[^\x00-\x1f\x7f]+$")]
Identifier = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
    Field(examples=["019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50"]),
]
SealCode = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{14}$"),
    Field(description="印章编码: six digits of the area, eight of a serial number.", examples=["99990000000001"]),
]
Digest = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Field(description="Lower-case hexadecimal.", examples=["ab" * 32]),
]
LARGEST_LIST = 256 * 1024
"""Bytes of a JSON body that may hold a thousand digests."""
ScenarioCode = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$"),
    Field(description="用印场景 (articles 20, 21).", examples=["license.issue"]),
]


class Body(BaseModel):
    """What a client sends: unknown fields are refused, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Problem(BaseModel):
    """问题说明 (RFC 9457): why the request was refused. Extension members name facts that a client can act on."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:seal:problem:seal-not-found",
                    "title": "印章不存在",
                    "title_en": "Seal not found",
                    "status": 404,
                    "detail": "There is no such seal (电子印章).",
                    "request_id": "5f0c6f0e-3d5a-4a53-9d1c-1f5d2a6b7c8d",
                }
            ]
        },
    )

    type: str
    title: str
    title_en: str
    status: int
    detail: str | None = None
    request_id: str | None


def example(**fields: Any) -> ConfigDict:
    """The configuration of a body with one example."""
    return ConfigDict(json_schema_extra={"examples": [fields]})
