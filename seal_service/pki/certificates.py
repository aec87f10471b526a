"""证书: X.509 certificates by profile, built as ASN.1 and signed through the SigningKey port (RFC 5280)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import core, keys, x509

from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import published_name
from seal_service.domain.errors import InvalidInput
from seal_service.domain.issuance import AuthorityRole, CertificateSubject
from seal_service.formats.der import made, read, to_the_second, x509_time
from seal_service.formats.status_list import STATUS_PUBLISHING
from seal_service.pki.signatures import algorithm_of
from seal_service.ports.crypto import SigningKey
from seal_service.ports.system import Entropy

_UPPER_BOUND = 64
"""Characters of O and CN: ub-organization-name, ub-common-name (RFC 5280, appendix A.1)."""
_PUBLIC_KEY_BYTES = 2048


DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
"""id-kp-documentSigning (RFC 9336, 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a certificate of a kind says of its key."""

    key_usage: frozenset[str]
    path_length: int | None = None
    is_authority: bool = False
    extended_key_usage: str | None = None
    extended_key_usage_critical: bool = False
    never_checked: bool = False
    """id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1): its own revocation is not asked for."""


ROOT = Profile(key_usage=frozenset({"key_cert_sign", "crl_sign"}), is_authority=True)
ISSUING = Profile(key_usage=frozenset({"key_cert_sign", "crl_sign"}), is_authority=True, path_length=0)
SEAL = Profile(key_usage=frozenset({"digital_signature", "non_repudiation"}))
"""As the provinces' seals: digitalSignature and nonRepudiation, no extended key usage."""
OCSP_RESPONDER = Profile(
    key_usage=frozenset({"digital_signature"}), extended_key_usage="ocsp_signing", never_checked=True
)
TIMESTAMP_UNIT = Profile(
    key_usage=frozenset({"digital_signature"}), extended_key_usage="time_stamping", extended_key_usage_critical=True
)
"""RFC 3161, 2.3: the one extended key usage, critical."""
STATUS_PUBLISHER = Profile(
    key_usage=frozenset({"digital_signature"}),
    extended_key_usage=STATUS_PUBLISHING,
    extended_key_usage_critical=True,
)
"""状态公示: signs lists of status and nothing else; no other certificate may."""
REPORT_SIGNER = Profile(
    key_usage=frozenset({"digital_signature", "non_repudiation"}), extended_key_usage=DOCUMENT_SIGNING
)
"""日志报告: signs documents (RFC 9336) and is no seal, whose certificates have no extended key usage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAddresses:
    """Where an issuer's list, certificate and OCSP answers are found; printed into what it issues."""

    revocation_list: str
    certificate: str
    ocsp: str | None = None

    @classmethod
    def of(cls, role: AuthorityRole, version: int, public_url: str) -> IssuerAddresses:
        """Those of a generation of ROOT, which answers by its list alone, or of ISSUING."""
        base = _base(public_url)
        name = published_name(role, version)
        return cls(
            revocation_list=f"{base}/pki/{name}.crl",
            certificate=f"{base}/pki/{name}.cer",
            ocsp=f"{base}/pki/ocsp" if role is AuthorityRole.ISSUING else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An issuing certificate with its key, and where its answers are found (None: for its own certificate)."""

    certificate: x509.Certificate
    key: SigningKey
    addresses: IssuerAddresses


def subject_name(subject: CertificateSubject) -> x509.Name:
    """C (PrintableString), O, CN (UTF8String); InvalidInput beyond 64 characters."""
    for field, text in (("organization", subject.organization), ("common_name", subject.common_name)):
        if not 0 < len(text) <= _UPPER_BOUND:
            raise InvalidInput(f"A certificate's {field} has 1 to {_UPPER_BOUND} characters", field=field)
    if not (len(subject.country) == 2 and subject.country.isascii() and subject.country.isalpha()):
        raise InvalidInput("A certificate's country has two letters", field="country")
    return x509.Name.build(
        {
            "country_name": subject.country,
            "organization_name": subject.organization,
            "common_name": subject.common_name,
        }
    )


def key_identifier(public_key_info: keys.PublicKeyInfo) -> bytes:
    """Subject key identifier: the leftmost 160 bits of the key's SHA-256 (RFC 7093, 2, method 1)."""
    return hashlib.sha256(bytes(public_key_info["public_key"])).digest()[:20]


def read_public_key(public_key_info: bytes) -> keys.PublicKeyInfo:
    """SubjectPublicKeyInfo, DER; InvalidInput for what is none or not of a supported suite."""
    key = read(keys.PublicKeyInfo, public_key_info, _PUBLIC_KEY_BYTES)
    elliptic = key.algorithm == "ec" and key.curve == ("named", "secp256r1")
    if not (elliptic or (key.algorithm == "rsa" and key.bit_size in (2048, 3072))):
        raise InvalidInput(f"The key is of none of the suites {', '.join(Suite)}", field="public_key_info")
    return key


def certificate_serial(entropy: Entropy) -> int:
    """A positive serial number of always 20 octets with 158 random bits (RFC 5280, 4.1.2.2)."""
    random = bytearray(entropy.token(20))
    random[0] = random[0] & 0x3F | 0x40
    return int.from_bytes(random, "big")


def serial_text(serial: int) -> str:
    """A serial number as records keep it: lower-case hexadecimal."""
    return f"{serial:x}"


def self_signed(
    profile: Profile,
    subject: CertificateSubject,
    key: SigningKey,
    not_before: datetime,
    not_after: datetime,
    serial: int,
) -> x509.Certificate:
    """A root's own certificate."""
    name, public_key = subject_name(subject), read_public_key(key.public_key_info)
    extensions = _extensions(profile, public_key, key_identifier(public_key), None)
    return _signed(name, name, public_key, not_before, not_after, serial, extensions, key)


def issued(
    profile: Profile,
    subject: CertificateSubject,
    public_key_info: bytes,
    not_before: datetime,
    not_after: datetime,
    serial: int,
    issuer: Issuer,
) -> x509.Certificate:
    """A certificate by an issuer, never valid for longer than the issuer's own."""
    public_key = read_public_key(public_key_info)
    extensions = _extensions(profile, public_key, issuer.certificate.key_identifier, issuer.addresses)
    end = min(not_after, issuer.certificate.not_valid_after)
    name = subject_name(subject)
    return _signed(issuer.certificate.subject, name, public_key, not_before, end, serial, extensions, issuer.key)


def _signed(
    issuer: x509.Name,
    subject: x509.Name,
    public_key: keys.PublicKeyInfo,
    not_before: datetime,
    not_after: datetime,
    serial: int,
    extensions: list[x509.Extension],
    key: SigningKey,
) -> x509.Certificate:
    algorithm = algorithm_of(key.suite)
    to_be_signed = made(
        x509.TbsCertificate,
        {
            "version": "v3",
            "serial_number": serial,
            "signature": algorithm,
            "issuer": issuer,
            "validity": {
                "not_before": x509_time(to_the_second(not_before)),
                "not_after": x509_time(to_the_second(not_after)),
            },
            "subject": subject,
            "subject_public_key_info": public_key,
            "extensions": made(x509.Extensions, extensions),
        },
    )
    signature = key.sign(to_be_signed.dump())
    return made(
        x509.Certificate,
        {"tbs_certificate": to_be_signed, "signature_algorithm": algorithm, "signature_value": signature},
    )


def _extensions(
    profile: Profile, public_key: keys.PublicKeyInfo, authority_identifier: bytes, addresses: IssuerAddresses | None
) -> list[x509.Extension]:
    constraints: dict[str, Any] = {"ca": profile.is_authority}
    if profile.path_length is not None:
        constraints["path_len_constraint"] = profile.path_length
    found = [
        _extension("basic_constraints", True, x509.BasicConstraints(constraints)),
        _extension("key_usage", True, x509.KeyUsage(set(profile.key_usage))),
        _extension("key_identifier", False, core.OctetString(key_identifier(public_key))),
        _extension(
            "authority_key_identifier", False, x509.AuthorityKeyIdentifier({"key_identifier": authority_identifier})
        ),
    ]
    if profile.extended_key_usage is not None:
        purposes = x509.ExtKeyUsageSyntax([profile.extended_key_usage])
        found.append(_extension("extended_key_usage", profile.extended_key_usage_critical, purposes))
    if profile.never_checked:
        found.append(_extension("ocsp_no_check", False, core.Null()))
    elif addresses is not None:
        found.append(_extension("crl_distribution_points", False, _distribution_points(addresses.revocation_list)))
    if addresses is not None:
        found.append(_extension("authority_information_access", False, _access(addresses)))
    return found


def _distribution_points(address: str) -> x509.CRLDistributionPoints:
    full_name = x509.GeneralNames([_uri(address)])
    point = x509.DistributionPointName(name="full_name", value=full_name)
    return x509.CRLDistributionPoints([{"distribution_point": point}])


def _access(addresses: IssuerAddresses) -> x509.AuthorityInfoAccessSyntax:
    descriptions = [{"access_method": "ca_issuers", "access_location": _uri(addresses.certificate)}]
    if addresses.ocsp is not None:
        descriptions.insert(0, {"access_method": "ocsp", "access_location": _uri(addresses.ocsp)})
    return x509.AuthorityInfoAccessSyntax(descriptions)


def _uri(address: str) -> x509.GeneralName:
    return x509.GeneralName(name="uniform_resource_identifier", value=x509.URI(address))


def _extension(name: str, critical: bool, value: Any) -> x509.Extension:
    content = core.ParsableOctetString(value.dump())
    return made(x509.Extension, {"extn_id": name, "critical": critical, "extn_value": content})


def _base(public_url: str) -> str:
    if not (public_url.isascii() and public_url.startswith(("http://", "https://"))):
        raise InvalidInput("The public address is an ASCII http or https URL", field="public_url")
    return public_url.rstrip("/")
