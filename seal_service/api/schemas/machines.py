"""Wire forms of application systems (接入系统), their credentials (凭据) and units' persons (人员)."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from seal_service.api.schemas.common import Body, Identifier, Moment, Name, Text, View, example
from seal_service.domain.machine import CredentialKind, SystemState
from seal_service.usecases.read_systems import ReadSystem
from seal_service.usecases.system_credentials import AddCredential, AddedCredential

_EXAMPLE_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


Network = Annotated[str, StringConstraints(min_length=2, max_length=60)]


class RegisterSystemBody(Body):
    """接入申请 (Table A.1 of 电子印章应用系统接入申请表)."""

    model_config = example(
        name="示例市政务服务平台", address="https://service.example/", network_environment="政务外网",
        department="信息科", source_networks=["10.20.30.0/28"], technical_contact="样某", technical_phone="000-0000",
    )  # fmt: skip

    name: Name = Field(description="接入系统名称.")
    address: Text = Field(description="访问地址.")
    network_environment: Name = Field(description="网络环境.")
    department: Name = Field(description="接入部门.")
    source_networks: list[Network] = Field(
        min_length=1, max_length=20, description="接入系统IP: addresses or networks (CIDR) from which alone it calls."
    )
    technical_contact: Name = Field(description="技术联系人; kept encrypted.")
    technical_phone: Name = Field(description="联系电话; kept encrypted.")
    department_contact: Name | None = None
    department_phone: Name | None = None


class ChangeSystemBody(Body):
    """接入变更申请: what is to be other than it is; what is left out stays."""

    model_config = example(source_networks=["10.20.31.0/28"], technical_contact="样某", technical_phone="000-0001")

    address: Text | None = Field(None, description="访问地址.")
    network_environment: Name | None = Field(None, description="网络环境.")
    department: Name | None = Field(None, description="接入部门.")
    source_networks: list[Network] | None = Field(
        None, min_length=1, max_length=20, description="接入系统IP: all of them, in the place of those before."
    )
    technical_contact: Name | None = Field(None, description="技术联系人; kept encrypted.")
    technical_phone: Name | None = Field(None, description="联系电话; kept encrypted.")
    department_contact: Name | None = None
    department_phone: Name | None = None


class DecideSystemBody(Body):
    """主管部门意见."""

    model_config = example(approve=True, reason="材料齐全")

    approve: bool
    reason: Text | None = Field(None, description="Needed for a rejection.")


class TieAccountBody(Body):
    """接入账户."""

    model_config = example(account_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50")

    account_id: Identifier = Field(description="Of the unit, with the role business_system.")


class SystemChangeView(View):
    """接入变更, without its contacts."""

    id: str
    state: SystemState
    address: str
    network_environment: str
    department: str
    source_networks: list[str]
    asked_by: str
    asked_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    decision_reason: str | None


class SystemView(View):
    """接入系统, without its contacts."""

    id: str
    unit_id: str
    name: str
    address: str
    network_environment: str
    department: str
    source_networks: list[str]
    state: SystemState
    applied_by: str
    applied_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    decision_reason: str | None
    account_id: str | None = Field(description="Its client_id, once an account is tied.")
    change: SystemChangeView | None = Field(
        description="The change that was asked for last; until it is approved the system stands as above."
    )


class ContactsView(View):
    """联系人."""

    technical_contact: str
    technical_phone: str
    department_contact: str | None
    department_phone: str | None


class DetailedSystemView(SystemView):
    """接入系统 with whom to call."""

    contacts: ContactsView
    contacts_asked_for: ContactsView | None = Field(description="Of a change that waits.")

    @classmethod
    def of(cls, read: ReadSystem) -> DetailedSystemView:
        """From a system and its opened contacts."""
        system = SystemView.model_validate(read.system).model_dump()
        asked = read.contacts_asked_for
        return cls(
            **system,
            contacts=ContactsView.model_validate(read.contacts),
            contacts_asked_for=None if asked is None else ContactsView.model_validate(asked),
        )


class SystemPage(View):
    """A page of systems, oldest first."""

    items: list[SystemView]
    next_cursor: str | None


class CredentialBody(Body):
    """新增凭据."""

    model_config = example(kind="jwk", public_key=_EXAMPLE_KEY, days=365)

    kind: CredentialKind
    public_key: dict[str, Any] | None = Field(
        None, description="For `jwk`: the public key (RFC 7517): EC P-256, RSA of 2048 to 4096 bits, or Ed25519."
    )
    certificate: Annotated[str, StringConstraints(max_length=16384)] | None = Field(
        None, description="For `certificate`: PEM, self-signed or of any authority: this one certificate lets in."
    )
    days: int = Field(365, ge=1, le=730, description="Until it expires; a certificate not later than itself.")

    def command(self, system_id: str, key: str | None) -> AddCredential:
        """As the use case takes it."""
        return AddCredential(
            system_id=system_id,
            kind=self.kind,
            public_key=None if self.public_key is None else json.dumps(self.public_key),
            certificate=None if self.certificate is None else self.certificate.encode(),
            days=self.days,
            idempotency_key=key,
        )


class CredentialView(View):
    """系统凭据, without a secret."""

    id: str
    account_id: str
    kind: CredentialKind
    thumbprint: str | None = Field(description="base64url SHA-256: of the JWK (RFC 7638), or x5t#S256.")
    subject: str | None
    created_by: str
    created_at: Moment
    expires_at: Moment
    revoked_at: Moment | None
    last_used_at: Moment | None = Field(description="To the minute.")


class CredentialList(View):
    """All that the system ever had, oldest first."""

    items: list[CredentialView]


class AddedCredentialView(CredentialView):
    """系统凭据 just added; a client secret is told this once."""

    client_secret: str | None

    @classmethod
    def of(cls, added: AddedCredential) -> AddedCredentialView:
        """From a credential and its secret, if it has one."""
        kept = CredentialView.model_validate(added.credential).model_dump()
        return cls(**kept, client_secret=added.secret)


PersonId = Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^[^\x00-\x1f\x7f/]+$")]


class PersonBody(Body):
    """人员登记."""

    model_config = example(id="U1001", name="李四", department="审批科")

    id: PersonId = Field(description="工号 within the unit: the operator_id that systems name.")
    name: Name
    department: Name | None = None


class PersonView(View):
    """人员."""

    unit_id: str
    id: str
    name: str
    department: str | None
    registered_at: Moment
    removed_at: Moment | None


class PersonPage(View):
    """A page of persons, in no order that means anything."""

    items: list[PersonView]
    next_cursor: str | None
