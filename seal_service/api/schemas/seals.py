"""Wire forms of applications (申请) and seals (电子印章)."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from seal_service.api.schemas.common import Body, Identifier, Moment, Name, SealCode, Text, View, example
from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Application, ApplicationKind, ApplicationState, Decision
from seal_service.domain.impression import SealType
from seal_service.domain.lifecycle import Action, allowed_actions, renewal_window, state_at
from seal_service.domain.organization import UnitType
from seal_service.domain.paging import Page
from seal_service.domain.seal import CredentialPurpose, Custody, Seal, SealState
from seal_service.usecases.apply_for_seal import SubmitApplication


def _decoded(text: object) -> bytes:
    """The bytes of strict base64 (RFC 4648, 4): Pydantic's own type skips what is none."""
    if not isinstance(text, str):
        raise ValueError("a string of base64 is needed")
    return base64.b64decode(text, validate=True)


Base64 = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "examples": ["iVBORw0KGgo="]}),
]
Millimetres = Annotated[float, Field(gt=0, lt=1000, allow_inf_nan=False)]


class ApplicationPart(Body):
    """印章申请材料 (article 12), without the picture: the part `request` of a multipart application."""

    model_config = example(
        unit_name="示例市行政审批局", unit_type="department", credit_code="11999900MB0000001A",
        seal_name="示例市行政审批局样章", seal_type="01", width_mm=42, height_mm=42,
    )  # fmt: skip

    unit_name: Name
    unit_type: UnitType
    credit_code: Annotated[str, StringConstraints(max_length=40)]
    seal_name: Name
    seal_type: SealType
    width_mm: Millimetres | None = Field(None, description="Of the ink; null: by the picture's own resolution.")
    height_mm: Millimetres | None = None
    replaces_seal_code: SealCode | None = None

    def command(self, picture: bytes, application_id: str | None, key: str | None) -> SubmitApplication:
        """The use case's command."""
        fields = {name: getattr(self, name) for name in ApplicationPart.model_fields}
        return SubmitApplication(**fields, picture=picture, application_id=application_id, idempotency_key=key)


class ApplicationBody(ApplicationPart):
    """印章申请材料 with the picture of the physical seal (实物印模) as base64."""

    picture: Base64 = Field(description="实物印模: PNG or JPEG, at most 2 MiB.")


class ImpressionView(View):
    """印模."""

    digest: str
    width_mm: float
    height_mm: float
    dpi: int
    ink_rgb: str


class ApplicationView(View):
    """印章申请."""

    id: str
    unit_id: str
    seal_name: str
    seal_type: SealType
    impression: ImpressionView
    replaces_seal_code: str | None
    state: ApplicationState
    applied_by: str
    applied_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    decision_reason: str | None
    seal_code: str | None
    kind: ApplicationKind
    changes_seal_code: str | None
    keeper_id: str | None
    channel_unit_id: str | None

    @classmethod
    def of(cls, application: Application) -> ApplicationView:
        """The wire form."""
        return cls.model_validate(application)


class ApplicationPage(View):
    """A page of applications, newest first."""

    items: list[ApplicationView]
    next_cursor: str | None


class DecisionBody(Body):
    """审批结论 (article 14): a rejection or return says why."""

    model_config = example(decision="return", reason="实物印模模糊，请重新扫描")

    decision: Decision
    reason: Text | None = None


class MakeSealBody(Body):
    """制章 (article 14)."""

    model_config = example(application_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50")

    application_id: Identifier
    suite: Suite | None = Field(None, description="null: the instance's default.")
    seal_code: SealCode | None = Field(None, description="A code that the province issued; null: the next one.")


class RenewSealBody(Body):
    """续期 (article 16)."""

    suite: Suite | None = Field(None, description="null: that of the version before.")


class ReasonBody(Body):
    """Why."""

    model_config = example(reason="印章介质遗失")

    reason: Text


class CancelSealBody(ReasonBody):
    """注销 (article 23)."""

    model_config = example(reason="机构撤并", document_number="示政发〔2026〕3号")

    document_number: Text = Field(description="文号 of the written notice.")


class CredentialView(View):
    """签章凭据."""

    version: int
    suite: Suite
    purpose: CredentialPurpose
    custody: Custody
    serial: str = Field(description="Certificate serial number, hexadecimal.")
    not_before: Moment
    not_after: Moment


class SealView(View):
    """电子印章, with its state at the moment of the answer."""

    code: str
    name: str
    seal_type: SealType
    unit_id: str
    application_id: str
    state: SealState
    allowed_actions: list[Action]
    version: int
    valid_from: Moment
    valid_until: Moment
    renewal_from: Moment = Field(description="First moment at which it can be renewed (article 16).")
    credentials: list[CredentialView]
    impression: ImpressionView
    made_at: Moment
    replaces_seal_code: str | None
    state_reason: str | None
    document_number: str | None
    history_note: str | None = Field(description="Of a seal that was made elsewhere and imported: its history.")
    invalid_from: Moment | None = Field(description="标记无效: void from this moment on.")
    medium_returned_on: Moment | None
    medium_destroyed_on: Moment | None
    keeper_id: str | None = Field(description="印章管理员, where a change named one.")

    @classmethod
    def of(cls, seal: Seal, now: datetime) -> SealView:
        """The wire form."""
        state = state_at(seal, now)
        return cls(
            code=seal.code,
            name=seal.name,
            seal_type=seal.seal_type,
            unit_id=seal.unit_id,
            application_id=seal.application_id,
            state=state,
            allowed_actions=list(allowed_actions(state)),
            version=seal.version,
            valid_from=seal.not_before,
            valid_until=seal.not_after,
            renewal_from=renewal_window(seal)[0],
            credentials=[CredentialView.model_validate(one) for one in seal.credentials],
            impression=ImpressionView.model_validate(seal.impression),
            made_at=seal.made_at,
            replaces_seal_code=seal.replaces_seal_code,
            state_reason=seal.state_reason,
            document_number=seal.document_number,
            history_note=seal.history_note,
            invalid_from=seal.invalid_from,
            medium_returned_on=seal.medium_returned_on,
            medium_destroyed_on=seal.medium_destroyed_on,
            keeper_id=seal.keeper_id,
        )


class SealPage(View):
    """A page of seals, newest first."""

    items: list[SealView]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[Seal], now: datetime) -> SealPage:
        """The wire form."""
        return cls(items=[SealView.of(seal, now) for seal in page.items], next_cursor=page.next_cursor)


class PublicSealView(View):
    """状态公示: what anyone may know of a seal."""

    code: str
    name: str
    holder: str
    state: SealState
    since: Moment = Field(description="Since when it is in this state.")
    valid_from: Moment
    valid_until: Moment
    invalid_from: Moment | None = Field(description="标记无效: what is sealed from this moment on never verifies.")
    asked_at: Moment
