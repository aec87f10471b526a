"""人员证书: which certificates people sign in by, and which signatures of theirs hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from seal_service.domain.errors import (
    CertificateRefused,
    InvalidInput,
    KeyFamilyUnsupported,
    RevocationUnavailable,
    SealServiceError,
)
from seal_service.domain.second_factor import KeyFamily
from seal_service.pki.person_certificates import AnchoredPersonCertificates
from seal_service.ports.crypto import RevocationEvidence
from seal_service.testing import ChangeableClock
from tests.person_authority import PersonAuthority

AUTHORITY = PersonAuthority()


class NothingPublished:
    """A revocation source that knows of nothing."""

    def evidence(self, certificate: bytes, issuer: bytes, produced_after: datetime | None) -> RevocationEvidence:
        raise RevocationUnavailable


def certificates(*authorities: PersonAuthority) -> AnchoredPersonCertificates:
    ders = [one.certificate.public_bytes(Encoding.DER) for one in authorities]
    return AnchoredPersonCertificates(ders, NothingPublished(), ChangeableClock(datetime.now(UTC)))


@pytest.mark.parametrize(
    ("key", "family"),
    [
        (rsa.generate_private_key(65537, 2048), KeyFamily.RSA),
        (ec.generate_private_key(ec.SECP256R1()), KeyFamily.ECDSA),
        (ec.generate_private_key(ec.SECP384R1()), KeyFamily.ECDSA),
    ],
)
def test_rsa_and_ecdsa_are_taken_and_their_signatures_hold(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, family: KeyFamily
) -> None:
    checked, ukey = certificates(AUTHORITY), AUTHORITY.ukey(key=key)
    judged = checked.judged(ukey.certificate)
    assert judged.family is family
    assert "张某" in judged.subject
    for pss in (False, True):
        signature = ukey.sign(b"message", pss=pss)
        assert checked.is_signed(ukey.certificate, b"message", signature)
        assert not checked.is_signed(ukey.certificate, b"another message", signature)
        assert not checked.is_signed(ukey.certificate, b"message", signature[:-1])
        assert not checked.is_signed(AUTHORITY.ukey().certificate, b"message", signature)
    assert not checked.is_signed(ukey.certificate, b"message", b"")


def test_sm2_is_known_and_not_supported_yet() -> None:
    with pytest.raises(KeyFamilyUnsupported, match="sm2 are not supported yet"):
        certificates(AUTHORITY).judged(AUTHORITY.sm2_ukey().certificate)


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        (AUTHORITY.ukey(days=-1).certificate, "its chain does not hold"),
        (PersonAuthority().ukey().certificate, "its chain does not hold"),
        (AUTHORITY.ukey(signs=False).certificate, "its key usage is not digitalSignature"),
        (AUTHORITY.ukey(purpose=ExtendedKeyUsageOID.SERVER_AUTH).certificate, "its extended key usage is not"),
        (AUTHORITY.ukey(ca=True).certificate, "it is a certificate authority's"),
        (AUTHORITY.certificate.public_bytes(Encoding.DER), "it is a certificate authority's"),
        (AUTHORITY.ukey(key=rsa.generate_private_key(65537, 1024)).certificate, "fewer than 2048 bits"),
    ],
)
def test_what_is_no_persons_certificate_is_refused(certificate: bytes, reason: str) -> None:
    with pytest.raises(CertificateRefused, match=re.escape(reason)):
        certificates(AUTHORITY).judged(certificate)


def test_without_anchors_no_certificate_is_taken() -> None:
    with pytest.raises(CertificateRefused, match="no trust anchor"):
        certificates().judged(AUTHORITY.ukey().certificate)


@pytest.mark.parametrize("content", [b"", b"\x30\x00", b"\x30\x82\xff\xff", b"no certificate", bytes(2000)])
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    with pytest.raises((InvalidInput, SealServiceError)):
        certificates(AUTHORITY).judged(content)
    assert not safely_signed(content)


def safely_signed(content: bytes) -> bool:
    try:
        return certificates(AUTHORITY).is_signed(content, b"message", b"signature")
    except InvalidInput:
        return False
