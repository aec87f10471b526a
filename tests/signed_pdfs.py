"""Signed PDFs for tests of verification: their own little public-key infrastructure, made with the libraries alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pikepdf
from asn1crypto import cms, core, keys
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.attributes import CMSAttributeProvider
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from seal_service.domain.errors import RevocationUnavailable
from seal_service.domain.verdict import SignatureReport, VerificationReport
from seal_service.formats.cms import INTENT_LEAF_HASH_OID
from seal_service.formats.upload import upload_of
from seal_service.ports.crypto import RevocationEvidence, TrustAnchor
from seal_service.ports.documents import VerificationPolicy
from seal_service.testing.isolation import InProcess
from seal_service.verification.limits import VerificationLimits
from seal_service.verification.verifier import Verifier

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
DAY = timedelta(days=1)
SEAL_CODE = "99990000000001"
HOLDER = "11999900000000018R示例市样章局"

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Party:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def asn1(self) -> Any:
        return asn1_x509.Certificate.load(self.der)

    @property
    def asn1_key(self) -> Any:
        plain = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return keys.PrivateKeyInfo.load(plain)


def party(
    name: str,
    issuer: Party | None = None,
    *,
    ca: bool = False,
    organization: str | None = None,
    not_before: datetime = NOW - YEAR,
    not_after: datetime = NOW + 3 * YEAR,
    usage: Sequence[str] = ("digital_signature", "content_commitment"),
    extended: x509.ObjectIdentifier | None = None,
    extended_critical: bool = True,
    key: Key | None = None,
) -> Party:
    """A certificate; without issuer, self-signed."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN")]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    allowed = {"key_cert_sign", "crl_sign"} if ca else set(usage)
    flags = (
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
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{flag: flag in allowed for flag in flags}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=extended_critical)
        if extended == ExtendedKeyUsageOID.OCSP_SIGNING:
            builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return Party(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@dataclass(frozen=True)
class City:
    """Root, issuing CA, a seal, a time-stamping unit."""

    root: Party
    ca: Party
    seal: Party
    tsa: Party
    responder: Party


@cache
def city() -> City:
    """The same for all tests; nothing in it changes."""
    root = party("示例市样章根CA", ca=True, not_before=NOW - 5 * YEAR, not_after=NOW + 20 * YEAR)
    ca = party("示例市样章CA", root, ca=True, not_before=NOW - 5 * YEAR, not_after=NOW + 15 * YEAR)
    return City(
        root=root,
        ca=ca,
        seal=party(SEAL_CODE, ca, organization=HOLDER),
        tsa=party(
            "样章时间戳",
            ca,
            extended=ExtendedKeyUsageOID.TIME_STAMPING,
            not_before=NOW - 4 * YEAR,
            not_after=NOW + 10 * YEAR,
            key=rsa.generate_private_key(65537, 2048),
        ),
        responder=party("样章OCSP", ca, extended=ExtendedKeyUsageOID.OCSP_SIGNING, not_before=NOW - 5 * YEAR),
    )


def crl(
    issuer: Party,
    at: datetime,
    revoked: Sequence[tuple[Party, datetime, x509.ReasonFlags]] = (),
    until: datetime | None = None,
) -> bytes:
    """A list of an issuer, current for a week."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(at)
        .next_update(until or at + 7 * DAY)
    )
    for one, when, reason in revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(one.certificate.serial_number)
            .revocation_date(when)
            .add_extension(x509.CRLReason(reason), critical=False)
            .build()
        )
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def ocsp_response(
    subject: Party,
    issuer: Party,
    responder: Party,
    at: datetime,
    *,
    revoked_at: datetime | None = None,
    until: datetime | None = None,
) -> bytes:
    """An answer about one certificate, signed by a delegated responder, current for a day."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=subject.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked_at else ocsp.OCSPCertStatus.GOOD,
        this_update=at,
        next_update=until or at + DAY,
        revocation_time=revoked_at,
        revocation_reason=x509.ReasonFlags.superseded if revoked_at else None,
    )
    signed = (
        builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
        .certificates([responder.certificate])
        .sign(responder.key, hashes.SHA256())
    )
    return signed.public_bytes(Encoding.DER)


def document(pages: int = 2, text: str = "sample") -> bytes:
    """An unsigned PDF whose pages show text."""
    pdf = pikepdf.new()
    for number in range(pages):
        pdf.add_blank_page(page_size=(595, 842))
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        pdf.pages[-1].Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        pdf.pages[-1].Contents = pdf.make_stream(f"BT /F1 24 Tf 72 700 Td ({text} {number}) Tj ET".encode())
    out = io.BytesIO()
    pdf.save(out, deterministic_id=True, compress_streams=False)
    return out.getvalue()


class IntentAttribute(CMSAttributeProvider):
    """Our signed attribute."""

    attribute_type = INTENT_LEAF_HASH_OID

    def __init__(self, value: bytes) -> None:
        self.value = value

    async def get_attribute(self, dry_run: bool = False) -> Any:
        attribute_type = cms.CMSAttributeType(self.attribute_type)
        return cms.CMSAttribute({"type": attribute_type, "values": [core.OctetString(self.value)]})


class SealSigner(signers.SimpleSigner):
    """A signer that adds the intent's leaf hash."""

    leaf_hash: bytes | None = None

    def _signed_attr_providers(self, *given: Any, **named: Any) -> Any:
        yield from super()._signed_attr_providers(*given, **named)
        if self.leaf_hash is not None:
            yield IntentAttribute(self.leaf_hash)


def timestamper(unit: Party, at: datetime, others: Sequence[Party] = ()) -> DummyTimeStamper:
    """A time-stamping authority whose clock stands still."""
    store = SimpleCertificateStore.from_certs([unit.asn1, *(one.asn1 for one in others)])
    return DummyTimeStamper(unit.asn1, unit.asn1_key, certs_to_embed=store, fixed_dt=at)


def sign(
    content: bytes,
    signer: Party | None = None,
    *,
    name: str = "Seal1",
    stamped: DummyTimeStamper | None = None,
    chain: Sequence[Party] | None = None,
    sub_filter: fields.SigSeedSubFilter = fields.SigSeedSubFilter.PADES,
    certify: fields.MDPPerm | None = None,
    leaf_hash: bytes | None = None,
    md: str = "sha256",
    lock: fields.FieldMDPSpec | None = None,
) -> bytes:
    """The content with one more signature."""
    signer = signer or city().seal
    store = SimpleCertificateStore.from_certs([one.asn1 for one in ([city().ca] if chain is None else chain)])
    made = SealSigner(signing_cert=signer.asn1, signing_key=signer.asn1_key, cert_registry=store)
    made.leaf_hash = leaf_hash
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    fields.append_signature_field(writer, fields.SigFieldSpec(name, field_mdp_spec=lock, box=(10, 10, 60, 60)))
    metadata = signers.PdfSignatureMetadata(
        field_name=name,
        md_algorithm=md,
        subfilter=sub_filter,
        certify=certify is not None,
        docmdp_permissions=certify or fields.MDPPerm.FILL_FORMS,
    )
    out = io.BytesIO()
    signers.PdfSigner(metadata, signer=made, timestamper=stamped).sign_pdf(writer, output=out)
    return out.getvalue()


def add_store(
    content: bytes,
    *,
    crls: Sequence[bytes] = (),
    ocsp_responses: Sequence[bytes] = (),
    certificates: Sequence[Party] = (),
) -> bytes:
    """The content with a document security store."""
    out = io.BytesIO(content)
    DocumentSecurityStore.add_dss(
        out,
        sig_contents=None,
        certs=[one.asn1 for one in certificates],
        ocsps=[asn1_ocsp.OCSPResponse.load(one) for one in ocsp_responses],
        crls=[asn1_crl.CertificateList.load(one) for one in crls],
    )
    return out.getvalue()


def add_document_timestamp(content: bytes, stamper: DummyTimeStamper) -> bytes:
    """The content with a document time-stamp."""
    out = io.BytesIO()
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    signers.PdfTimeStamper(timestamper=stamper).timestamp_pdf(writer, "sha256", output=out)
    return out.getvalue()


def sealed_b_lt(stamped_at: datetime = NOW - DAY) -> bytes:
    """B-LT: a time-stamp, and lists made just after it."""
    made = stamped_at + timedelta(minutes=1)
    content = sign(document(), stamped=timestamper(city().tsa, stamped_at))
    return add_store(content, crls=[crl(city().ca, made), crl(city().root, made)], certificates=[city().ca])


def update(content: bytes, change: Any) -> bytes:
    """An incremental update: `change` gets pyHanko's writer."""
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@dataclass(frozen=True)
class Trust:
    """Anchors that are given."""

    roots: Sequence[Party] = ()
    timestamp_roots: Sequence[Party] = ()
    helping: Sequence[Party] = ()

    def anchors(self) -> Sequence[TrustAnchor]:
        both = [TrustAnchor(certificate=one.der) for one in self.roots]
        return [*both, *(TrustAnchor(certificate=one.der, for_signatures=False) for one in self.timestamp_roots)]

    def intermediates(self) -> Sequence[bytes]:
        return [one.der for one in self.helping]


@dataclass
class Source:
    """Revocation data that is given; counts how often it was asked."""

    crls: Sequence[bytes] = ()
    asked: list[bytes] = field(default_factory=list)

    def evidence(self, certificate: bytes, issuer: bytes, produced_after: datetime | None) -> RevocationEvidence:
        self.asked.append(certificate)
        if not self.crls:
            raise RevocationUnavailable
        return RevocationEvidence(crls=tuple(self.crls))


@dataclass(frozen=True)
class FixedClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


def fresh_lists(at: datetime = NOW) -> Source:
    """A source that knows of no revocation."""
    return Source(crls=[crl(city().ca, at - timedelta(hours=1)), crl(city().root, at - timedelta(hours=1))])


def verify(
    content: bytes,
    *,
    roots: Sequence[Party] | None = None,
    source: Source | None = None,
    at: datetime | None = None,
    now: datetime = NOW,
    offline: bool = False,
    limits: VerificationLimits | None = None,
    trust: Trust | None = None,
) -> VerificationReport:
    """The report, by the city's root unless other anchors are given."""
    verifier = Verifier(
        trust=trust or Trust([city().root] if roots is None else roots),
        revocation=fresh_lists(now) if source is None else source,
        clock=FixedClock(now),
        isolation=InProcess(),
        limits=limits or VerificationLimits(),
        strict=True,
    )
    return verifier.verify(upload_of(content, "sample.pdf"), VerificationPolicy(at=at, offline=offline))


def only(report: VerificationReport) -> SignatureReport:
    """The one signature of a report."""
    (one,) = report.signatures
    return one


def outcome(report: SignatureReport, identifier: str) -> str:
    """The outcome of a check by its id."""
    (found,) = {one.outcome.value for one in report.checks if one.id == identifier}
    return found
