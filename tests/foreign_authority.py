"""Certificates of authorities elsewhere, made by another library than the one that reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAY = timedelta(days=1)


def name_of(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def authority_certificate(
    key: Key,
    *,
    name: str = "另一市样章根证书",
    issuer: tuple[str, Key] | None = None,
    not_before: datetime | None = None,
    days: int = 3650,
    ca: bool | None = True,
    key_cert_sign: bool | None = True,
) -> bytes:
    """An authority's certificate, DER; `None` leaves the extension out."""
    begin = not_before or datetime.now(UTC) - DAY
    issuer_name, issuer_key = issuer or (name, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name_of(name))
        .issuer_name(name_of(issuer_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + days * DAY)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if key_cert_sign is not None:
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        ) | {"encipher_only": False, "decipher_only": False}
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=key_cert_sign, crl_sign=key_cert_sign, **usage),
            critical=True,
        )
    made = builder.sign(issuer_key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def signed_with_sha1(key: rsa.RSAPrivateKey) -> bytes:
    """A root's certificate as they were made long ago: the library above refuses to."""
    certificate = asn1.Certificate.load(authority_certificate(key))
    algorithm = {"algorithm": "sha1_rsa"}
    body = certificate["tbs_certificate"]
    body["signature"] = algorithm
    certificate["signature_algorithm"] = algorithm
    signature = key.sign(body.dump(force=True), padding.PKCS1v15(), hashes.SHA1())
    certificate["signature_value"] = signature
    encoded: bytes = certificate.dump(force=True)
    return encoded
