"""Wire forms of people's way in: sessions (会话), passwords (口令), second factors (第二因素), identity links."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Base64Bytes, Field, StringConstraints

from seal_service.api.schemas.common import Body, Moment, View, example
from seal_service.domain.access import MustFirst, Role
from seal_service.domain.second_factor import FactorKind
from seal_service.domain.session import Way

Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Challenge = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,8}$")]
Binary = Annotated[Base64Bytes, Field(max_length=16 * 1024, description="Base64.")]


class SignInBody(Body):
    """登录: account and password."""

    model_config = example(account="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50", password="correct horse battery staple")  # noqa: S106

    account: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="The account's id, or its login name."
    )
    password: Password


class SignInByProviderBody(Body):
    """统一身份登录: an id token of the identity provider."""

    id_token: Annotated[str, StringConstraints(min_length=1, max_length=16 * 1024)]
    nonce: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = Field(
        None, description="What the client put into its request to the provider; then the token must hold it."
    )


class SecondFactorBody(Body):
    """第二因素: a code or a signature; neither: the certificate of the client's TLS connection."""

    challenge: Challenge
    code: Code | None = None
    signature: Binary | None = None


class SessionView(View):
    """已登录: the token goes into `Authorization: Bearer`."""

    status: Literal["signed_in"] = "signed_in"
    token: str
    must_first: MustFirst | None = Field(description="What has to be done before anything else is allowed.")


class ChallengeView(View):
    """待第二因素."""

    status: Literal["second_factor"] = "second_factor"
    challenge: str
    kinds: list[FactorKind]
    to_sign: str = Field(description="Base64: what a UKey signs (RSA PKCS #1 v1.5 or PSS, or ECDSA; SHA-256).")
    expires_at: Moment


class CurrentSessionView(View):
    """当前会话: who am I."""

    account_id: str
    name: str
    roles: list[Role]
    unit_id: str | None
    must_first: MustFirst | None
    way: Way
    second_factor: FactorKind | None
    opened_at: Moment
    idle_until: Moment
    ends_at: Moment
    password_expires_at: Moment | None
    password_expires_soon: bool = Field(description="Within 14 days.")


class ChangePasswordBody(Body):
    """修改口令."""

    present: Password
    new: Password = Field(description="12 to 128 characters, not one of the last five.")


class ResetPasswordBody(Body):
    """重置口令."""

    login_name: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="Another name to sign in with: 3 to 32 of a-z, 0-9, '.', '_' and '-'."
    )
    remove_second_factors: bool = Field(False, description="Whether the person lost them.")


class InitialPasswordView(View):
    """The password, which is shown this once and has to be changed at the first sign-in."""

    account_id: str
    login_name: str | None
    password: str
    expires_at: Moment | None


class EnrolFactorBody(Body):
    """第二因素登记."""

    kind: FactorKind
    certificate: Binary | None = Field(None, description="Of a UKey: its certificate, DER in base64.")


class FactorView(View):
    """第二因素."""

    id: str
    kind: FactorKind
    certificate_sha256: str | None
    enrolled_at: Moment
    confirmed_at: Moment | None


class EnrolmentView(FactorView):
    """第二因素 with what its proof needs, shown this once."""

    otpauth: str | None = Field(description="TOTP: the address that an authenticator application takes in.")
    to_sign: str | None = Field(description="UKey: base64 of what it signs.")


class FactorList(View):
    """第二因素列表."""

    items: list[FactorView]


class ConfirmFactorBody(Body):
    """第二因素确认: the first code, or the UKey's signature."""

    code: Code | None = None
    signature: Binary | None = None


class IdentityLinkBody(Body):
    """身份关联."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        description="`sub` of the person at the identity provider that is set."
    )


class IdentityLinkView(View):
    """身份关联."""

    issuer: str
    subject: str
    account_id: str
    linked_at: Moment
    linked_by: str
    removed_at: Moment | None


class IdentityLinkList(View):
    """身份关联列表."""

    items: list[IdentityLinkView]
