"""签名者: the mathematics of one CMS signature, and the certificate it names (RFC 5652, 5.6; RFC 5035)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko.sign.general import CMSExtractionError, check_ess_certid, extract_certificate_info
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import get_signing_cert_attr, validate_sig_integrity

from seal_service.domain.verdict import Check, Outcome
from seal_service.formats.der import known_certificate
from seal_service.verification.algorithms import judge_algorithms
from seal_service.verification.findings import Findings, check

_DIGESTS = frozenset(
    {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512"}
)

Digest = Callable[[str], bytes]
"""The digest of the signed content by an algorithm's name as asn1crypto and hashlib give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerFindings:
    """签名者: the certificate that came with a signature, and what its mathematics came to."""

    findings: Findings
    checks: tuple[Check, ...]
    certificate: Any = None


def verify_signer(data: Any, content_type: str, digest: Digest, needs_certificate_attribute: bool) -> SignerFindings:
    """Check the one signature of a SignedData over content that is given by its digests."""
    signer_info = data["signer_infos"][0]
    try:
        certificate = known_certificate(extract_certificate_info(data).signer_cert.dump())
    except (CMSExtractionError, ValueError) as error:
        message = f"the signer's certificate is not in the signature: {error}"
        return SignerFindings(
            findings=Findings(signer=Outcome.FAIL),
            checks=(check("signing_certificate", Outcome.FAIL, "签名中没有签名证书", message),),
        )
    signer, attributes, certificate_check = _signing_certificate(signer_info, certificate, needs_certificate_attribute)
    algorithm, sound, algorithm_check = judge_algorithms(signer_info, certificate.public_key)
    intact, valid, mathematics = _mathematics(signer_info, certificate, content_type, digest)
    return SignerFindings(
        findings=Findings(
            signer=signer,
            attributes=attributes,
            digest=intact,
            signature_value=valid,
            algorithm=algorithm,
            algorithm_sound=sound,
        ),
        checks=(*mathematics, certificate_check, algorithm_check),
        certificate=certificate,
    )


def _signing_certificate(signer_info: Any, certificate: Any, needed: bool) -> tuple[Outcome, Outcome, Check]:
    """Whether the signed attributes name this certificate (signing-certificate, ESS)."""
    identifier = "signing_certificate"
    try:
        attribute = get_signing_cert_attr(signer_info["signed_attrs"])
        matches = attribute is None or check_ess_certid(certificate, attribute["certs"][0])
    except (SignatureValidationError, ValueError, TypeError, KeyError, IndexError) as error:
        result = check(identifier, Outcome.FAIL, "签名证书属性不可读", f"the attribute cannot be read: {error}")
        return Outcome.FAIL, Outcome.FAIL, result
    if not matches:
        result = check(identifier, Outcome.FAIL, "签名证书与属性不符", "another certificate than the signed one")
        return Outcome.FAIL, Outcome.PASS, result
    if attribute is None:
        outcome = Outcome.FAIL if needed else Outcome.UNKNOWN
        en = "the signed attributes do not name the certificate" + (", as this profile requires" if needed else "")
        return Outcome.PASS, outcome, check(identifier, outcome, "签名属性未指明签名证书", en)
    result = check(identifier, Outcome.PASS, "签名证书与签名属性一致", "the certificate is the one that was signed")
    return Outcome.PASS, Outcome.PASS, result


def _mathematics(
    signer_info: Any, certificate: Any, content_type: str, digest: Digest
) -> tuple[Outcome, Outcome, tuple[Check, ...]]:
    """Digest and signature value."""
    name = signer_info["digest_algorithm"]["algorithm"].native
    if name not in _DIGESTS:
        result = check("digest", Outcome.FAIL, "杂凑算法未知", f"no digest algorithm: {name}")
        return Outcome.FAIL, Outcome.SKIPPED, (result,)
    try:
        intact, valid = validate_sig_integrity(signer_info, certificate, content_type, digest(name))
    except SignatureValidationError as error:
        result = check("digest", Outcome.FAIL, "签名属性不符合规定", f"the signed attributes are refused: {error}")
        return Outcome.FAIL, Outcome.SKIPPED, (result,)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AssertionError) as error:
        result = check("signature_value", Outcome.FAIL, "签名值无法验证", f"it cannot be verified: {error!r}")
        return Outcome.SKIPPED, Outcome.FAIL, (result,)
    outcomes = (Outcome.PASS if intact else Outcome.FAIL), (Outcome.PASS if valid else Outcome.FAIL)
    checks = (
        check("digest", outcomes[0], "文件杂凑值一致", "the digest is the signed one")
        if intact
        else check("digest", outcomes[0], "文件杂凑值不一致，内容被修改", "the signed bytes were changed"),
        check("signature_value", outcomes[1], "签名值正确", "the signature value is right")
        if valid
        else check("signature_value", outcomes[1], "签名值错误", "the signature value is wrong"),
    )
    return *outcomes, checks


def digest_of(data: bytes) -> Digest:
    """Digests of bytes that are here."""
    return lambda name: hashlib.new(name, data, usedforsecurity=False).digest()
