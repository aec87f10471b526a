"""Wire forms of custody (article 20): uses in two steps, seals on media."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from seal_service.api.schemas.common import Body, Identifier, Moment, Name, SealCode, View, example
from seal_service.api.schemas.seals import Base64
from seal_service.domain.algorithms import Suite
from seal_service.domain.medium import Medium, MediumAct
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.use import SealUse, UseState
from seal_service.usecases.activate_seal import ActivationState

Serial = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$"),
    Field(description="介质序列号.", examples=["UKEY-2026-000017"]),
]
RequestPem = Annotated[
    str,
    StringConstraints(min_length=1, max_length=30_000),
    Field(description="PEM: the medium's certificate request (PKCS#10), signed by the key that is to be certified."),
]


class PreparedUseView(View):
    """待签用印: what the seal's medium is to sign, and until when."""

    id: str = Field(description="Id of the use.")
    seal_code: str
    state: UseState
    to_be_signed: str = Field(
        description="Base64 of the DER of the signed attributes as a SET (RFC 5652, 5.4): the message that the medium "
        "hashes and signs; in a CMS they stand as [0], byte for byte."
    )
    digest_sha256: str = Field(description="Of these bytes, for media that sign a digest; hexadecimal.")
    algorithm: Suite
    certificate_serial: str = Field(description="Of the seal's certificate, which alone may sign.")
    document_sha256: str
    expires_at: Moment
    attempts: int = Field(description="Signatures refused so far; the fifth ends the use.")

    @classmethod
    def of(cls, use: SealUse, prepared: PreparedUse, digest: str) -> PreparedUseView:
        """The wire form."""
        return cls(
            id=use.id,
            seal_code=use.seal_code,
            state=use.state,
            to_be_signed=base64.b64encode(prepared.to_be_signed).decode(),
            digest_sha256=digest,
            algorithm=prepared.suite,
            certificate_serial=prepared.certificate_serial,
            document_sha256=use.document_sha256,
            expires_at=prepared.expires_at,
            attempts=prepared.attempts,
        )


class CompletionBody(Body):
    """The signature over what was prepared: bare, or as a CMS; one of the two."""

    model_config = example(signature="MEUCIQDd…")

    signature: Base64 | None = Field(None, description="ECDSA: DER (RFC 3279, 2.2.3); RSA: RSASSA-PKCS1-v1_5.")
    cms: Base64 | None = Field(None, description="ContentInfo with a detached SignedData, DER.")

    @model_validator(mode="after")
    def _one_of_the_two(self) -> CompletionBody:
        if (self.signature is None) == (self.cms is None):
            raise ValueError("either the signature or the cms is given")
        return self


class MakeOnMediumBody(Body):
    """制章于介质 (articles 14, 20)."""

    model_config = example(
        application_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50", medium_serial="UKEY-2026-000017", keeper="王样例",
        certificate_request="-----BEGIN CERTIFICATE REQUEST-----\nMIIB…\n-----END CERTIFICATE REQUEST-----\n",
    )  # fmt: skip

    application_id: Identifier
    certificate_request: RequestPem
    medium_serial: Serial
    keeper: Name = Field(description="保管人 to whom the medium will be handed over.")
    seal_code: SealCode | None = Field(None, description="A code that the province issued; null: the next one.")


class RenewOnMediumBody(Body):
    """介质印章续期 (article 16): a new key, on the same medium or another."""

    certificate_request: RequestPem
    medium_serial: Serial
    keeper: Name


class HandOverBody(Body):
    """介质交付."""

    model_config = example(serial_number="UKEY-2026-000017", keeper="王样例", giver="李样例")

    serial_number: Serial
    keeper: Name = Field(description="Who takes it.")
    giver: Name = Field(description="Who gives it.")
    at: Moment | None = Field(None, description="When it happened; null: now.")


class ReturnBody(Body):
    """介质交回."""

    model_config = example(serial_number="UKEY-2026-000017", receiver="李样例")

    serial_number: Serial
    receiver: Name = Field(description="Who takes it at the making office.")
    at: Moment | None = Field(None, description="When it happened; null: now.")


class MediumEventView(View):
    """介质交接记录: one line."""

    act: MediumAct
    at: Moment
    recorded_at: Moment
    recorded_by: str
    version: int
    keeper: str
    giver: str | None
    witness: str | None


class MediumView(View):
    """印章介质 and its history, oldest first."""

    serial_number: str
    seal_code: str
    version: int = Field(description="The seal's version whose key it holds.")
    keeper: str
    last: MediumAct = Field(description="What happened to it last; `handed_over`: its keeper can press the seal.")
    history: list[MediumEventView]

    @classmethod
    def of(cls, medium: Medium) -> MediumView:
        """The wire form."""
        return cls.model_validate(medium)


class MediaView(View):
    """The media that a seal is or was on, newest last."""

    items: list[MediumView]


Secret = Annotated[str, StringConstraints(min_length=12, max_length=200), Field(description="激活口令.")]


class TakeIntoCustodyBody(Body):
    """印章保管: the secret that only the unit keeps; it cannot be read again, nor set anew."""

    secret: Secret = Field(repr=False)


class ActivationBody(Body):
    """印章启用, for a time, a number of uses, or both."""

    secret: Secret = Field(repr=False)
    until: Moment | None = Field(None, description="At most 31 days ahead; null with `uses`: that long.")
    uses: int | None = Field(None, ge=1, le=1_000_000, description="Signatures; null: not counted.")


class ActivationView(View):
    """启用状态."""

    taken: bool = Field(description="Whether a keeper has taken the present key into custody.")
    taken_at: Moment | None
    active: bool
    until: Moment | None
    uses_left: int | None
    blocked_until: Moment | None = Field(description="Until when no secret is tried, after wrong ones.")

    @classmethod
    def of(cls, state: ActivationState) -> ActivationView:
        """The wire form."""
        record, activation = state.record, state.activation
        return cls(
            taken=record is not None,
            taken_at=record.taken_at if record else None,
            active=activation is not None,
            until=activation.until if activation else None,
            uses_left=activation.uses_left if activation else None,
            blocked_until=record.blocked_until if record else None,
        )
