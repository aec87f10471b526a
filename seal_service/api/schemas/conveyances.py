"""Wire forms of conveyances (导入应用系统, article 20)."""

from __future__ import annotations

import base64
import ssl

from pydantic import Field

from seal_service.api.schemas.common import Body, Identifier, Moment, View, example
from seal_service.api.schemas.seals import ImpressionView
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.impression import SealType
from seal_service.usecases.convey_seal import ConveyedSeal


class ConveyanceBody(Body):
    """导入应用系统: to which."""

    model_config = example(system_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50")

    system_id: Identifier = Field(description="Account of the business system; the handle is bound to it.")


class ConveyanceView(View):
    """导入记录."""

    id: str
    seal_code: str
    system_id: str
    conveyed_by: str
    conveyed_at: Moment
    withdrawn_at: Moment | None


class ConveyancesView(View):
    """导入记录 of a seal, oldest first."""

    items: list[ConveyanceView]


class ConveyedSealView(View):
    """印章数据 and the handle. The structure of GB/T 38540 comes with national cryptography; no key is in it."""

    conveyance: ConveyanceView
    handle: str = Field(description="授权句柄, shown once: sent as `Seal-Handle` with every use of this system.")
    code: str
    name: str
    seal_type: SealType
    impression: ImpressionView
    picture: str = Field(description="印模: PNG, base64.")
    certificate: str = Field(description="PEM.")
    valid_from: Moment
    valid_until: Moment

    @classmethod
    def of(cls, conveyed: ConveyedSeal) -> ConveyedSealView:
        """The wire form."""
        return cls(
            conveyance=view_of(conveyed.conveyance),
            handle=conveyed.handle,
            code=conveyed.seal.code,
            name=conveyed.seal.name,
            seal_type=conveyed.seal.seal_type,
            impression=ImpressionView.model_validate(conveyed.seal.impression),
            picture=base64.b64encode(conveyed.impression).decode(),
            certificate=ssl.DER_cert_to_PEM_cert(conveyed.credential.certificate),
            valid_from=conveyed.credential.not_before,
            valid_until=conveyed.credential.not_after,
        )


def view_of(conveyance: Conveyance) -> ConveyanceView:
    """The wire form, without the handle's digest."""
    return ConveyanceView.model_validate(conveyance)
