"""Wire forms of changes, invalidation, media, notifications and what expires."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from seal_service.api.schemas.common import Body, Identifier, Moment, Name, Text, View, example
from seal_service.api.schemas.seals import Base64, Millimetres
from seal_service.domain.algorithms import Suite
from seal_service.domain.expiry import ExpiringKind
from seal_service.domain.impression import SealType
from seal_service.domain.notification import Channel, NotificationState


class ChangeApplicationBody(Body):
    """变更申请 (article 23): only what is to change; names are refused, with what to do instead."""

    model_config = example(reason="印章管理员调岗", keeper_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50")

    reason: Text
    picture: Base64 | None = Field(None, description="实物印模: PNG or JPEG, at most 2 MiB.")
    width_mm: Millimetres | None = None
    height_mm: Millimetres | None = None
    seal_type: SealType | None = None
    keeper_id: Identifier | None = Field(None, description="Account of the new 印章管理员.")
    channel_unit_id: Identifier | None = Field(None, description="The unit's new 扎口单位.")
    unit_name: Name | None = None
    seal_name: Name | None = None


class ChangeSealBody(Body):
    """变更 by an approved application."""

    model_config = example(application_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50")

    application_id: Identifier
    suite: Suite | None = Field(None, description="null: that of the version before.")


class InvalidateSealBody(Body):
    """标记无效: void from a moment on."""

    model_config = example(**{"from": "2026-03-01T08:00:00Z"}, reason="违规制作", document_number="示政发〔2026〕5号")

    since: Moment = Field(alias="from")
    reason: Text
    document_number: Text


class MediumBody(Body):
    """介质交回 or 销毁 (article 23), with date and witness."""

    model_config = example(on="2026-03-01T08:00:00Z", witness="样某", medium_serial="UK-0001")

    on: Moment
    witness: Name
    medium_serial: Annotated[Name | None, Field(description="Serial number of the medium.")] = None


class RenameUnitBody(Body):
    """单位更名 (article 23)."""

    model_config = example(name="示例市数据局", document_number="示政发〔2026〕6号")

    name: Name
    document_number: Text


class NotificationView(View):
    """通知; its payload is what the receiver gets."""

    id: str
    event_id: str
    kind: str
    subject: str
    payload: str = Field(description="JSON.")
    channel: Channel
    target: str
    created_at: Moment
    attempts: int
    next_at: Moment
    state: NotificationState
    last_error: str | None
    ended_at: Moment | None


class NotificationPage(View):
    """A page of notifications, newest first."""

    items: list[NotificationView]
    next_cursor: str | None


class ExpiringView(View):
    """到期事项."""

    kind: ExpiringKind
    id: str
    ends_at: Moment
    name: str
    unit_id: str | None
    seal_code: str | None
    what_to_do: str


class ExpiringPage(View):
    """A page of what ends, what ends first stands first."""

    items: list[ExpiringView]
    next_cursor: str | None
