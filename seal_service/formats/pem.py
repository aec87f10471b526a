"""PEM (RFC 7468): certificates from a bundle, read strictly."""

from __future__ import annotations

import base64
import binascii
import re

from seal_service.domain.errors import InvalidInput
from seal_service.formats.der import read_certificate

LARGEST_BUNDLE = 4 << 20
"""Bytes."""
MOST_CERTIFICATES = 1000
_PEM_MARK = b"-----BEGIN "
_PEM_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")


def certificates_of(content: bytes, most: int = MOST_CERTIFICATES) -> list[bytes]:
    """The certificates of a PEM bundle or of one DER certificate, DER, each once; InvalidInput for none or too many.

    Text around the PEM blocks is let pass, as bundles carry it; a block that is no certificate is not.
    """
    if len(content) > LARGEST_BUNDLE:
        raise InvalidInput(f"The certificates have more than {LARGEST_BUNDLE} bytes", limit=LARGEST_BUNDLE)
    if _PEM_MARK not in content:
        return [bytes(read_certificate(content).dump())]
    blocks = _PEM_CERTIFICATE.findall(content)
    if len(blocks) != content.count(_PEM_MARK):
        raise InvalidInput("The file holds a damaged block, or one that is no certificate")
    if len(blocks) > most:
        raise InvalidInput(f"There are more than {most} certificates", limit=most)
    return list(dict.fromkeys(_decoded(block) for block in blocks))


def _decoded(block: bytes) -> bytes:
    try:
        der = base64.b64decode(b"".join(block.split()), validate=True)
    except binascii.Error as error:
        raise InvalidInput("A PEM block is not Base64") from error
    return bytes(read_certificate(der).dump())
