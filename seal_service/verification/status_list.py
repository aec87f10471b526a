"""状态名单验证: whether a list was signed by an authority that is trusted, and for whose seals it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from seal_service.domain.errors import StatusListRefused
from seal_service.domain.status_list import TrustedStatusList
from seal_service.formats.der import known_certificate
from seal_service.formats.status_list import STATUS_PUBLISHING, SignedStatusList, read
from seal_service.verification.certificate_path import find_path
from seal_service.verification.facts import READ_ERRORS
from seal_service.verification.findings import Trust
from seal_service.verification.naming import signer_facts

_MOST_PATHS = 5


def trusted_status_list(
    content: bytes, anchors: Sequence[x509.Certificate], others: Sequence[x509.Certificate]
) -> TrustedStatusList:
    """The list, if a certificate for status lists under an anchor signed it; else StatusListRefused.

    The certificate is judged by the list's own time of issue: an expired list still tells what it told.
    """
    signed = read(content)
    try:
        chain = [known_certificate(x509.Certificate.load(one).dump()) for one in signed.chain]
        signer = chain[0]
        usage = signer.extended_key_usage_value
        if usage is None or usage.native != [STATUS_PUBLISHING] or signer.ca:
            raise StatusListRefused("The list's certificate is not one for status lists")
        if not _is_signed(signer, signed):
            raise StatusListRefused("The list's signature is wrong")
        found = find_path(signer, anchors, (*others, *chain[1:]), signed.content.issued_at, _MOST_PATHS)
        if found.trust is not Trust.TRUSTED or found.path is None:
            raise StatusListRefused(f"The list's certificate leads to no trust anchor: {found.reason}"[:300])
        above = [one for one in found.path if one.dump() != signer.dump()]
        vouched = [known_certificate(x509.Certificate.load(one).dump()) for one in signed.content.issuers]
        return TrustedStatusList(
            content=signed.content,
            complete_for=frozenset(_named(one) for one in vouched if any(_issued(up, one) for up in above)),
        )
    except READ_ERRORS as error:
        raise StatusListRefused("The list's certificates cannot be read") from error


def _named(issuer: Any) -> tuple[str, str]:
    """As a report names the issuer of what it certified."""
    return signer_facts(issuer).subject, (issuer.key_identifier or b"").hex()


def _issued(issuer: Any, certificate: Any) -> bool:
    return bool(issuer.subject == certificate.issuer) and _verified(
        issuer, certificate["tbs_certificate"].dump(), certificate.signature, certificate.hash_algo
    )


def _is_signed(signer: Any, signed: SignedStatusList) -> bool:
    if signed.algorithm == "ES256" and signer.public_key.algorithm == "ec" and len(signed.signature) == 64:
        halves = (int.from_bytes(signed.signature[:32], "big"), int.from_bytes(signed.signature[32:], "big"))
        return _verified(signer, signed.signed, encode_dss_signature(*halves), "sha256")
    if signed.algorithm == "RS256" and signer.public_key.algorithm == "rsa":
        return _verified(signer, signed.signed, signed.signature, "sha256")
    return False


def _verified(signer: Any, message: bytes, signature: bytes, digest: str) -> bool:
    algorithm = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}.get(digest)
    if algorithm is None:
        return False
    try:
        key = load_der_public_key(signer.public_key.dump())
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), algorithm)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
