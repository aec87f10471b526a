"""A public-key infrastructure for tests of sealing: keys, certificates, revocation data, time-stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import RevocationUnavailable, SignatureRefused, TimestampUnavailable
from seal_service.domain.operation import KeyPlace
from seal_service.ports.crypto import KeyFacts, RevocationEvidence
from seal_service.testing import ChangeableClock

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

NOW = datetime.now(UTC).replace(microsecond=0)
"""Of the run: cryptography takes the machine's time for an OCSP response's producedAt."""


@cache
def private_key(name: str, suite: Suite) -> PrivateKey:
    """One key a name and suite for the whole run: RSA keys are slow to make."""
    del name
    if suite is Suite.ECDSA_P256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048 if suite is Suite.RSA_2048 else 3072)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def certificate(
    subject: str,
    key: PrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: PrivateKey,
    *extensions: tuple[x509.ExtensionType, bool],
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=1000))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, signs: bool = False, issues: bool = False) -> tuple[x509.KeyUsage, bool]:
    return (
        x509.KeyUsage(
            digital_signature=signs,
            content_commitment=signs,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=issues,
            crl_sign=issues,
            encipher_only=False,
            decipher_only=False,
        ),
        True,
    )


_OCSP_ADDRESS = x509.AuthorityInformationAccess(
    [
        x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://seal.example/ocsp")
        )
    ]
)
_CRL_ADDRESS = x509.CRLDistributionPoints(
    [x509.DistributionPoint([x509.UniformResourceIdentifier("http://seal.example/crl")], None, None, None)]
)


@dataclass(frozen=True)
class SoftKey:
    """SigningKey over a key in memory."""

    key: PrivateKey
    suite: Suite

    @property
    def public_key_info(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))


@dataclass
class SoftKeys:
    """KeyStore of ready keys."""

    kept: dict[str, SoftKey] = field(default_factory=dict)

    def create(self, reference: str, suite: Suite) -> SoftKey:
        self.kept[reference] = SoftKey(private_key(reference, suite), suite)
        return self.kept[reference]

    def open(self, reference: str) -> SoftKey:
        if reference not in self.kept:
            raise SignatureRefused
        return self.kept[reference]

    def adopt(self, reference: str, private_key: bytes) -> SoftKey:
        raise NotImplementedError

    def held(self) -> Sequence[KeyFacts]:
        return [KeyFacts(reference=one, place=KeyPlace.FILE) for one in sorted(self.kept)]

    def place(self, reference: str) -> KeyPlace:
        return KeyPlace.FILE

    def require_destroyable(self, reference: str) -> None:
        """Each can be."""

    def destroy(self, reference: str) -> None:
        self.kept.pop(reference, None)


class Infrastructure:
    """Root → issuing CA → seals, OCSP responder, time-stamping unit; also RevocationSource and TimestampAuthority."""

    name = "test"

    def __init__(self, suite: Suite = Suite.ECDSA_P256) -> None:
        self.keys = {name: private_key(name, suite) for name in ("root", "issuing", "ocsp")}
        self.keys["timestamp"] = private_key("timestamp", Suite.RSA_2048)  # the dummy authority signs with RSA alone
        issues = (x509.BasicConstraints(ca=True, path_length=None), True)
        root_key, issuing_key = self.keys["root"], self.keys["issuing"]
        self.root = certificate("示例市根CA 样章", root_key, None, root_key, issues, _usage(issues=True))
        self.issuing = certificate(
            "示例市CA 样章", issuing_key, self.root, root_key, issues, _usage(issues=True), (_CRL_ADDRESS, False)
        )
        self.ocsp = certificate(
            "示例市OCSP 样章",
            self.keys["ocsp"],
            self.issuing,
            issuing_key,
            _usage(signs=True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
            (x509.OCSPNoCheck(), False),
        )
        self.unit = certificate(
            "示例市时间戳 样章",
            self.keys["timestamp"],
            self.issuing,
            issuing_key,
            _usage(signs=True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),
            (_OCSP_ADDRESS, False),
        )
        self.asked: list[tuple[bytes, datetime | None]] = []
        self.clock = ChangeableClock(NOW)
        self.timestamps_left: int | None = None
        """How many time-stamps are given before the authority fails; None: any number."""
        self.revocation_works = True
        self.padding_certificates: list[bytes] = []
        """Put into tokens to make them larger."""

    def chain(self, _certificate: bytes) -> tuple[bytes, ...]:
        return der(self.issuing), der(self.root)

    def issue(self, common_name: str, key: PrivateKey) -> x509.Certificate:
        return certificate(
            common_name, key, self.issuing, self.keys["issuing"], _usage(signs=True), (_OCSP_ADDRESS, False)
        )

    def timestamp(self, sha256: bytes) -> bytes:
        if self.timestamps_left is not None:
            if self.timestamps_left == 0:
                raise TimestampUnavailable("The test's authority has stopped")
            self.timestamps_left -= 1
        store = SimpleCertificateStore()
        for one in (der(self.issuing), *self.padding_certificates):
            store.register(asn1_x509.Certificate.load(one))
        private = self.keys["timestamp"].private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        stamper = DummyTimeStamper(
            asn1_x509.Certificate.load(der(self.unit)),
            asn1_keys.PrivateKeyInfo.load(private),
            certs_to_embed=store,
            fixed_dt=self.clock.now(),
        )
        request = tsp.TimeStampReq(
            {
                "version": "v1",
                "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": sha256},
                "cert_req": True,
            }
        )
        return bytes(stamper.request_tsa_response(request)["time_stamp_token"].dump())

    def evidence(self, certificate: bytes, issuer: bytes, produced_after: datetime | None) -> RevocationEvidence:
        self.asked.append((certificate, produced_after))
        if not self.revocation_works:
            raise RevocationUnavailable("The test's source has stopped")
        loaded, issued_by = x509.load_der_x509_certificate(certificate), x509.load_der_x509_certificate(issuer)
        if issued_by == self.root:
            return RevocationEvidence(crls=(self._crl(),))
        now = self.clock.now()
        answer = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=loaded,
                issuer=issued_by,
                algorithm=hashes.SHA1(),
                cert_status=ocsp.OCSPCertStatus.GOOD,
                this_update=now,
                next_update=now + timedelta(hours=1),
                revocation_time=None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.ocsp)
            .certificates([self.ocsp])
            .sign(self.keys["ocsp"], hashes.SHA256())
        )
        return RevocationEvidence(ocsp_responses=(answer.public_bytes(serialization.Encoding.DER),))

    def _crl(self) -> bytes:
        now = self.clock.now()
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(now)
            .next_update(now + timedelta(days=1))
            .sign(self.keys["root"], hashes.SHA256())
            .public_bytes(serialization.Encoding.DER)
        )
