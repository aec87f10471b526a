"""签名算法: a suite's identifiers, and the check of signatures on certificates, CRLs and OCSP answers."""

from __future__ import annotations

from asn1crypto import algos
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from seal_service.domain.algorithms import Suite
from seal_service.formats.der import made

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""SHA-1 and older are not taken from anyone (SOG-IS Agreed Cryptographic Mechanisms)."""


def algorithm_of(suite: Suite) -> algos.SignedDigestAlgorithm:
    """AlgorithmIdentifier of a suite's signatures: RFC 4055, 5 (NULL parameters); RFC 5758, 3.2 (none)."""
    return made(algos.SignedDigestAlgorithm, {"algorithm": "sha256_rsa" if suite.is_rsa else "sha256_ecdsa"})


def is_signed_by(
    public_key_info: bytes, algorithm: algos.SignedDigestAlgorithm, message: bytes, signature: bytes
) -> bool:
    """Whether the signature over the message is that key's; False also for what is not supported here.

    RSASSA-PKCS1-v1_5, RSASSA-PSS and ECDSA with SHA-256, SHA-384 or SHA-512.
    """
    try:
        scheme, digest = algorithm.signature_algo, _HASHES[algorithm.hash_algo]
        key = load_der_public_key(public_key_info)
        if isinstance(key, ec.EllipticCurvePublicKey) and scheme == "ecdsa":
            key.verify(signature, message, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pkcs1v15":
            key.verify(signature, message, padding.PKCS1v15(), digest)
        elif isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pss":
            salt_length = algorithm["parameters"]["salt_length"].native
            key.verify(signature, message, padding.PSS(padding.MGF1(digest), salt_length), digest)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, KeyError, TypeError, OverflowError):
        return False
    return True
