"""收到的证书: a certificate from outside with its chain, as files and EST servers hand them over."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from ssl import DER_cert_to_PEM_cert

from asn1crypto import cms

from seal_service.domain.certification import ReceivedCertificate
from seal_service.domain.errors import InvalidInput
from seal_service.formats.der import load, read_certificate, reading
from seal_service.formats.pem import certificates_of

LARGEST_ANSWER = 1 << 20
"""Bytes of a certificate with its chain, whatever its form."""
MOST_CERTIFICATES = 50
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_PEM_PKCS7 = re.compile(rb"\s*-----BEGIN (PKCS7|CMS)-----([A-Za-z0-9+/=\s]+?)-----END \1-----\s*")


def received_certificate(content: bytes, public_key_info: bytes) -> ReceivedCertificate:
    """The certificate for a public key (SubjectPublicKeyInfo, DER) among PEM certificates, one in DER, or PKCS#7.

    Where none is for this key, the first one stands for it. InvalidInput for what is none of these.
    """
    if len(content) > LARGEST_ANSWER:
        raise InvalidInput(f"The certificates have more than {LARGEST_ANSWER} bytes", limit=LARGEST_ANSWER)
    wrapped = _PEM_PKCS7.fullmatch(content)
    if wrapped is not None:
        return chosen(certificates_only(decoded(wrapped[2])), public_key_info)
    if b"-----BEGIN " not in content and _SIGNED_DATA in content[:32]:
        return chosen(certificates_only(content), public_key_info)
    return chosen(certificates_of(content, MOST_CERTIFICATES), public_key_info)


def as_pem(content: bytes) -> bytes:
    """The same certificates as PEM, so that several files can be put together; InvalidInput for none."""
    found = received_certificate(content, b"")
    return b"".join(DER_cert_to_PEM_cert(one).encode() for one in (found.certificate, *found.further))


def chosen(certificates: Sequence[bytes], public_key_info: bytes) -> ReceivedCertificate:
    """The certificate for a public key, or else the first, and the others."""
    if not certificates:
        raise InvalidInput("There is no certificate in this")
    fitting = (one for one in certificates if read_certificate(one).public_key.dump() == public_key_info)
    certificate = next(fitting, certificates[0])
    return ReceivedCertificate(
        certificate=certificate, further=tuple(one for one in certificates if one != certificate)
    )


def certificates_only(der: bytes) -> list[bytes]:
    """The certificates of a certs-only SignedData (RFC 5652; RFC 5751, 3.8), DER, each once; InvalidInput.

    The structure signs nothing: who reads it checks each certificate.
    """
    content = load(cms.ContentInfo, der, LARGEST_ANSWER)
    with reading("PKCS#7 certificates"):
        if content["content_type"].native != "signed_data":
            raise InvalidInput("This is no PKCS#7 of certificates")
        enclosed = content["content"]["certificates"]
        if len(enclosed) > MOST_CERTIFICATES:
            raise InvalidInput(f"There are more than {MOST_CERTIFICATES} certificates", limit=MOST_CERTIFICATES)
        found = [one.chosen.dump() for one in enclosed if one.name == "certificate"]
    return [bytes(read_certificate(one).dump()) for one in dict.fromkeys(found)]


def decoded(content: bytes) -> bytes:
    """The bytes of Base64, its white space apart (RFC 8951, 3.1); InvalidInput for anything else in it."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error as error:
        raise InvalidInput("This is not Base64") from error
