"""外来签名: a signature that a unit's own medium made over what was prepared, as a bare value or within a CMS.

Whatever comes is compared byte for byte with what was prepared; of a CMS nothing but its signature value is taken over.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from asn1crypto import cms, x509

from seal_service.domain.algorithms import Suite
from seal_service.formats.cms import signature_is_valid
from seal_service.formats.cms_reading import attribute_values, signed_data

LARGEST_CMS = 1 << 16
LARGEST_SIGNATURE = 1 << 10
"""Bytes."""

_SET_OF = b"\x31"
_MESSAGE_DIGEST, _SIGNING_CERTIFICATE = "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.16.2.47"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_ALGORITHMS = {
    True: frozenset({"1.2.840.113549.1.1.11", "1.2.840.113549.1.1.1"}),  # sha256WithRSAEncryption, rsaEncryption
    False: frozenset({"1.2.840.10045.4.3.2"}),  # ecdsa-with-SHA256
}


class Fault(StrEnum):
    """What is wrong with a signature that came."""

    MALFORMED = "malformed"
    SEVERAL_SIGNERS = "not_one_signer"
    ALGORITHM = "algorithm"
    CERTIFICATE = "another_certificate"
    DIGEST = "another_digest"
    ATTRIBUTES = "attributes_changed"
    CONTENT = "content_not_detached"
    SIGNATURE = "signature_wrong"


class FaultySignature(ValueError):
    """A signature that is not one over what was prepared, and why."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.value)


def checked_signature(signature: bytes, prepared: bytes, certificate: bytes) -> bytes:
    """The bare signature value, if it is by the certificate's key (DER) over what was prepared; FaultySignature."""
    if not 1 <= len(signature) <= LARGEST_SIGNATURE:
        raise FaultySignature(Fault.MALFORMED)
    if not signature_is_valid(certificate, prepared, signature):
        raise FaultySignature(Fault.SIGNATURE)
    return signature


def checked_cms(content: bytes, prepared: bytes, certificate: bytes, suite: Suite) -> bytes:
    """The signature value of a CMS (SignedData, DER) by the certificate over exactly what was prepared.

    `prepared` is the DER of the signed attributes as a SET. FaultySignature with the first fault found.
    """
    if len(content) > LARGEST_CMS:
        raise FaultySignature(Fault.MALFORMED)
    try:
        return _checked(content, prepared, certificate, suite)
    except FaultySignature:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        raise FaultySignature(Fault.MALFORMED) from None


def _checked(content: bytes, prepared: bytes, certificate: bytes, suite: Suite) -> bytes:
    info = cms.ContentInfo.load(content, strict=True)
    if info["content_type"].native == "signed_data" and len(info["content"]["signer_infos"]) != 1:
        raise FaultySignature(Fault.SEVERAL_SIGNERS)
    data = signed_data(content)
    signer = data["signer_infos"][0]
    if data["encap_content_info"]["content"].native is not None:
        raise FaultySignature(Fault.CONTENT)
    if not _names(signer["sid"], certificate) or not _carries_only_own(data, signer, certificate):
        raise FaultySignature(Fault.CERTIFICATE)
    if (
        signer["digest_algorithm"]["algorithm"].dotted != _SHA256
        or signer["signature_algorithm"]["algorithm"].dotted not in _ALGORITHMS[suite.is_rsa]
    ):
        raise FaultySignature(Fault.ALGORITHM)
    attributes = bytes(signer["signed_attrs"].dump())
    if _SET_OF + attributes[1:] != prepared:
        raise FaultySignature(_difference(signer["signed_attrs"], prepared))
    return checked_signature(bytes(signer["signature"].native), prepared, certificate)


def _names(sid: cms.SignerIdentifier, certificate: bytes) -> bool:
    """Whether the signer is named by this very certificate's issuer and serial number, or its key identifier."""
    own = x509.Certificate.load(certificate)
    if sid.name == "issuer_and_serial_number":
        issuer, serial = sid.chosen["issuer"], sid.chosen["serial_number"].native
        return bool(issuer.dump() == own.issuer.dump() and serial == own.serial_number)
    return bool(sid.chosen.native == own.key_identifier)


def _carries_only_own(data: Any, signer: Any, certificate: bytes) -> bool:
    """Whether no certificate that it carries answers to the signer's name but this very one."""
    carried = [one.chosen.dump() for one in data["certificates"] or () if one.name == "certificate"]
    return all(one == certificate for one in carried if _names(signer["sid"], one))


def _difference(attributes: Any, prepared: bytes) -> Fault:
    """Which of the attributes differs, so that whoever signs can tell what went wrong."""
    own = cms.CMSAttributes.load(prepared)
    for oid, fault in ((_MESSAGE_DIGEST, Fault.DIGEST), (_SIGNING_CERTIFICATE, Fault.CERTIFICATE)):
        values = attribute_values(attributes, oid)
        if values is not None and [one.dump() for one in values] != [
            one.dump() for one in attribute_values(own, oid) or ()
        ]:
            return fault
    return Fault.ATTRIBUTES
