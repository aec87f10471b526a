"""Trust anchors as a client sends them."""

from __future__ import annotations

from seal_service.domain.errors import InvalidInput
from seal_service.formats.pem import certificates_of

MOST_ANCHORS = 50


def anchors_of(part: bytes) -> tuple[bytes, ...]:
    """The certificates (DER) of the part `trust`, none for an empty one; InvalidInput naming the field."""
    if not part.strip():
        return ()
    try:
        return tuple(certificates_of(part, MOST_ANCHORS))
    except InvalidInput as error:
        raise InvalidInput(error.message, **{**error.details, "field": "trust"}) from error
