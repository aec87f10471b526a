"""人员证书: the certificates by which people sign in, in a UKey or in their client's TLS (RSA, ECDSA; SM2 later)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from seal_service.domain.errors import CertificateRefused, KeyFamilyUnsupported, RevocationUnavailable
from seal_service.domain.second_factor import SUPPORTED_FAMILIES, KeyFamily
from seal_service.formats.der import read_certificate, reading
from seal_service.pki.authority_certificates import readable_name
from seal_service.pki.certification_path import NoPath, path_to_anchor
from seal_service.pki.incoming_certificate import is_revoked_by
from seal_service.ports.crypto import RevocationSource
from seal_service.ports.people import PersonCertificate
from seal_service.ports.system import Clock

_SM2_CURVE = "1.2.156.10197.1.301"
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_SMALLEST_RSA = 2048
_DIGEST = hashes.SHA256()
_PADDINGS = (padding.PKCS1v15(), padding.PSS(padding.MGF1(_DIGEST), padding.PSS.DIGEST_LENGTH))


class AnchoredPersonCertificates:
    """The port PersonCertificates: anchors are what issued itself, everything else given leads to them."""

    def __init__(self, authorities: Sequence[bytes], revocation: RevocationSource, clock: Clock) -> None:
        found = [read_certificate(one) for one in authorities]
        self._anchors = [one for one in found if one.subject.dump() == one.issuer.dump()]
        self._between = [one for one in found if one.subject.dump() != one.issuer.dump()]
        self._revocation = revocation
        self._clock = clock

    def judged(self, certificate: bytes) -> PersonCertificate:
        """What it is; CertificateRefused with every reason, KeyFamilyUnsupported."""
        found = read_certificate(certificate)
        with reading("X.509 certificate"):
            family = _family(found)
            reasons = [*_reasons(found)]
            subject = readable_name(found.subject)
        if family not in SUPPORTED_FAMILIES:
            raise KeyFamilyUnsupported(f"Certificates with keys of the family {family.value} are not supported yet")
        try:
            path = path_to_anchor(found, self._anchors, self._between, self._clock.now())
        except NoPath as error:
            reasons.append(f"its chain does not hold: {error}")
        else:
            reasons.extend(f"{readable_name(one.subject)} is revoked" for one in self._revoked([found, *path]))
        if reasons:
            raise CertificateRefused(f"The certificate is not taken: {'; '.join(reasons)}", reasons=reasons)
        return PersonCertificate(sha256=hashlib.sha256(certificate).hexdigest(), family=family, subject=subject)

    def is_signed(self, certificate: bytes, message: bytes, signature: bytes) -> bool:
        """Whether its key signed the message."""
        try:
            key = load_der_public_key(read_certificate(certificate).public_key.dump())
        except (ValueError, UnsupportedAlgorithm):
            return False
        checks: list[Callable[[], None]] = []
        if isinstance(key, ec.EllipticCurvePublicKey):
            checks = [partial(key.verify, signature, message, ec.ECDSA(_DIGEST))]
        elif isinstance(key, rsa.RSAPublicKey):
            checks = [partial(key.verify, signature, message, one, _DIGEST) for one in _PADDINGS]
        return any(_holds(one) for one in checks)

    def _revoked(self, path: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
        """What is known to be revoked; where nothing is published that may be fetched, nothing is known."""
        for certificate, issuer in pairwise(path):
            try:
                evidence = self._revocation.evidence(certificate.dump(), issuer.dump(), None)
            except RevocationUnavailable:
                continue
            if is_revoked_by(evidence, certificate):
                yield certificate


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _family(certificate: x509.Certificate) -> KeyFamily:
    algorithm = certificate.public_key["algorithm"]
    name = algorithm["algorithm"].native
    if name == "rsa":
        return KeyFamily.RSA
    if name == "ec":
        kind, curve = algorithm["parameters"].name, algorithm["parameters"].native
        if kind == "named" and curve in _CURVES:
            return KeyFamily.ECDSA
        if kind == "named" and curve == _SM2_CURVE:
            return KeyFamily.SM2
    raise KeyFamilyUnsupported


def _reasons(certificate: x509.Certificate) -> Iterator[str]:
    if certificate.ca:
        yield "it is a certificate authority's"
    if certificate.public_key.algorithm == "rsa" and certificate.public_key.bit_size < _SMALLEST_RSA:
        yield f"its RSA key has fewer than {_SMALLEST_RSA} bits"
    usage = certificate.key_usage_value
    if usage is not None and "digital_signature" not in usage.native:
        yield "its key usage is not digitalSignature"
    purposes = certificate.extended_key_usage_value
    if purposes is not None and not {"client_auth", "any_extended_key_usage"} & set(purposes.native):
        yield "its extended key usage is not clientAuth"
