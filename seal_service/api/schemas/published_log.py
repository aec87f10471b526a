"""Wire forms of the published log."""

from __future__ import annotations

from pydantic import Field

from seal_service.api.schemas.common import View
from seal_service.formats.base64_text import encoded
from seal_service.usecases.read_published_log import ConsistencyProof


class ConsistencyView(View):
    """一致性证明: that the tree of `to` entries begins with that of `from` entries (RFC 6962, 2.1.2)."""

    old: int = Field(alias="from", serialization_alias="from")
    size: int = Field(alias="to", serialization_alias="to")
    hashes: list[str] = Field(description="Of 32 bytes each, base64; empty for equal sizes.")

    @classmethod
    def of(cls, proof: ConsistencyProof) -> ConsistencyView:
        """The wire form."""
        return cls.model_validate({"from": proof.old, "to": proof.size, "hashes": [*map(encoded, proof.path)]})
