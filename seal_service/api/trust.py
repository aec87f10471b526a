"""Trust anchors as a client sends them."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from seal_service.domain.errors import InvalidInput

MOST_ANCHORS = 50


def certificates_of_pem(text: bytes) -> tuple[bytes, ...]:
    """The certificates (DER) of a PEM file, none for an empty one; InvalidInput for what cannot be read."""
    if not text.strip():
        return ()
    try:
        certificates = x509.load_pem_x509_certificates(text)
        encoded = tuple(one.public_bytes(Encoding.DER) for one in certificates)
    except ValueError as error:
        raise InvalidInput("The part trust is certificates in PEM", field="trust") from error
    if len(encoded) > MOST_ANCHORS:
        raise InvalidInput(f"At most {MOST_ANCHORS} trust anchors", field="trust")
    return encoded
