"""A seal's medium (UKey) of the unit: a key that no code of the service ever sees, and what it hands out."""

from __future__ import annotations

from dataclasses import dataclass, field

from asn1crypto import cms, core, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID

from seal_service.domain.algorithms import Suite

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass
class UnitMedium:
    """A medium with one key."""

    suite: Suite = Suite.ECDSA_P256
    serial_number: str = "UKEY-2026-000017"
    key: PrivateKey = field(init=False)

    def __post_init__(self) -> None:
        bits = {Suite.RSA_2048: 2048, Suite.RSA_3072: 3072}
        if self.suite is Suite.ECDSA_P256:
            self.key = ec.generate_private_key(ec.SECP256R1())
        else:
            self.key = rsa.generate_private_key(65537, bits[self.suite])

    def request(self) -> bytes:
        """Its certificate request (PKCS#10), DER."""
        name = Name([NameAttribute(NameOID.COMMON_NAME, self.serial_number)])
        return (
            CertificateSigningRequestBuilder()
            .subject_name(name)
            .sign(self.key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )

    def sign(self, message: bytes) -> bytes:
        """The signature over a message."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))

    def cms(
        self, attributes: bytes, certificate: bytes, *, signed: bytes | None = None, content: bytes | None = None
    ) -> bytes:
        """A CMS with these signed attributes (SET, DER), as vendors' middleware makes it with a general library.

        `signed`: what it signs, if that is not these attributes.
        """
        own = x509.Certificate.load(certificate)
        algorithm = "sha256_rsa" if self.suite.is_rsa else "sha256_ecdsa"
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    {
                        "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                            {"issuer": own.issuer, "serial_number": own.serial_number}
                        )
                    }
                ),
                "digest_algorithm": {"algorithm": "sha256"},
                "signed_attrs": cms.CMSAttributes.load(attributes),
                "signature_algorithm": {"algorithm": algorithm},
                "signature": self.sign(attributes if signed is None else signed),
            }
        )
        encapsulated: dict[str, object] = {"content_type": "data"}
        if content is not None:
            encapsulated["content"] = core.OctetString(content)
        data = cms.SignedData(
            {
                "version": "v1",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": encapsulated,
                "certificates": [cms.CertificateChoices("certificate", own)],
                "signer_infos": [signer],
            }
        )
        return bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump())
