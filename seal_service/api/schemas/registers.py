"""Wire forms of units (单位), accounts (账户) and tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from seal_service.api.schemas.common import Body, Identifier, Moment, Name, View, example
from seal_service.domain.access import Role
from seal_service.domain.organization import UnitType


class RegisterUnitBody(Body):
    """单位登记 (articles 12, 13)."""

    model_config = example(
        name="示例市行政审批局", unit_type="department", credit_code="11999900MB0000001A", area_code="999900"
    )

    name: Name
    unit_type: UnitType
    credit_code: Annotated[str, StringConstraints(max_length=40)] = Field(
        description="统一社会信用代码; its check character is verified (GB 32100)."
    )
    area_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] = Field(description="GB/T 2260.")
    channel_unit_id: Identifier | None = Field(
        None, description="扎口单位, through which the unit's applications come; null: it applies for itself."
    )


class UnitView(View):
    """单位."""

    id: str
    name: str
    unit_type: UnitType
    credit_code: str
    area_code: str
    channel_unit_id: str | None
    registered_at: Moment


class UnitPage(View):
    """A page of units, newest first."""

    items: list[UnitView]
    next_cursor: str | None


class CreateAccountBody(Body):
    """开户. Roles that check each other cannot be held together."""

    model_config = example(name="示例市政务服务平台", roles=["business_system"], unit_id=None)

    name: Name
    roles: list[Role] = Field(min_length=1, max_length=5)
    unit_id: Identifier | None = Field(None, description="Needed for the roles unit and business_system.")


class AccountView(View):
    """账户, without its secret."""

    id: str = Field(description="The client_id.")
    name: str
    roles: list[Role]
    unit_id: str | None
    created_at: Moment
    disabled_at: Moment | None

    @field_validator("roles", mode="before")
    @classmethod
    def _sorted(cls, roles: frozenset[Role]) -> list[Role]:
        return sorted(roles)


class CreatedAccountView(AccountView):
    """账户 just created: the only time that its secret is told. It has no role yet."""

    client_secret: str
    request_id: str = Field(
        description="The request for its roles, which another security administrator confirms (/v1/controlled-acts)."
    )


class GiveRolesBody(Body):
    """授予角色: all the roles that the account is to have."""

    model_config = example(roles=["seal_keeper"])

    roles: list[Role] = Field(min_length=1, max_length=5)


class AccountPage(View):
    """A page of accounts, newest first."""

    items: list[AccountView]
    next_cursor: str | None


class TokenView(View):
    """访问令牌 (RFC 6749, 5.1; RFC 9449, 5)."""

    access_token: str
    token_type: Literal["Bearer", "DPoP"] = Field(
        description="`DPoP`: bound to the proof's key. `Bearer`: bound to the client certificate, or to nothing."
    )
    expires_in: int = Field(description="Seconds.")


class TokenErrorView(View):
    """RFC 6749, 5.2."""

    error: Literal[
        "invalid_request", "invalid_client", "unsupported_grant_type", "invalid_dpop_proof", "unauthorized_client"
    ]
    error_description: str
