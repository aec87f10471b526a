"""An authority of people's certificates, and UKeys that sign with keys of each family."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SM2_CURVE = "1.2.156.10197.1.301"


@dataclass(frozen=True)
class UKey:
    """智能密码钥匙: a certificate, and a key that signs."""

    certificate: bytes
    key: Key

    def sign(self, message: bytes, *, pss: bool = False) -> bytes:
        """SHA-256; RSA PKCS #1 v1.5 or PSS, ECDSA as DER."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        digest = hashes.SHA256()
        form = padding.PSS(padding.MGF1(digest), digest.digest_size) if pss else padding.PKCS1v15()
        return self.key.sign(message, form, digest)


class PersonAuthority:
    """A root of its own; what it issues is valid for a year."""

    def __init__(self, name: str = "示例市人员证书样章机构") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = _usage(key_cert_sign=True, crl_sign=True)
        builder = self._builder(self.name, self.key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = builder.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())

    def written(self, path: Path) -> Path:
        """The root as SEAL_PERSON_ANCHORS names it."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def ukey(
        self,
        name: str = "张某",
        key: Key | None = None,
        *,
        days: int = 365,
        signs: bool = True,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
        ca: bool = False,
    ) -> UKey:
        """A UKey with an ECDSA key unless another is given."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key.public_key(), days)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=signs, key_encipherment=not signs), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        return UKey(made.public_bytes(serialization.Encoding.DER), key)

    def sm2_ukey(self) -> UKey:
        """One whose certificate says that its key is on the SM2 curve."""
        made = self.ukey()
        certificate = asn1_x509.Certificate.load(made.certificate)
        tbs = certificate["tbs_certificate"]
        spki = tbs["subject_public_key_info"].dump()
        p256 = bytes.fromhex("06082a8648ce3d030107")
        sm2 = bytes.fromhex("06082a811ccf5501822d")
        changed = tbs.dump().replace(spki, spki.replace(p256, sm2))
        signature = self.key.sign(changed, ec.ECDSA(hashes.SHA256()))
        rebuilt = asn1_x509.Certificate(
            {
                "tbs_certificate": asn1_x509.TbsCertificate.load(changed),
                "signature_algorithm": certificate["signature_algorithm"],
                "signature_value": signature,
            }
        )
        return UKey(rebuilt.dump(), made.key)

    def _builder(self, subject: x509.Name, key: object, days: int = 365) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        begins = now - timedelta(days=400)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
        builder = builder.public_key(key)  # type: ignore[arg-type]
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(begins).not_valid_after(now + timedelta(days=days))


def _usage(**named: bool) -> x509.KeyUsage:
    kinds = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{kind: named.get(kind, False) for kind in kinds})
