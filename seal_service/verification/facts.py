"""Facts: what the bytes say of each signature field, before anything is judged but its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seal_service.domain.verdict import Check, Outcome
from seal_service.formats.cms_reading import (
    ContentKind,
    SignatureContents,
    read_contents,
    signed_data,
    uses_national_algorithms,
)
from seal_service.formats.pdf_signatures import SignatureField
from seal_service.verification.byte_range import CoveredBytes
from seal_service.verification.digests import CoveredDigests
from seal_service.verification.findings import Change, check
from seal_service.verification.reading import ReadSignature

READ_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    UnboundLocalError,
)
"""What asn1crypto raises for bytes that are not what they should be."""

_NOT_SUPPORTED = {
    ContentKind.SES: ("电子签章（GB/T 38540）尚不支持验证", "seals of GB/T 38540 cannot be verified yet"),
    ContentKind.NATIONAL_CMS: ("国密签名（GM/T 0010）尚不支持验证", "signatures of GM/T 0010 cannot be verified yet"),
    ContentKind.PKCS1: ("不支持 PKCS#1 签名", "bare PKCS#1 signatures (adbe.x509.rsa_sha1) are not supported"),
}
_MISTYPED = check(
    "format",
    Outcome.FAIL,
    "文档时间戳的 /Type 不是 /DocTimeStamp",
    "a document time-stamp whose dictionary does not say /Type /DocTimeStamp: readers take it for a signature",
)
_NATIONAL = ("国密算法签名（SM2/SM3）尚不支持验证", "signatures with SM2 and SM3 cannot be verified yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureFacts:
    """One signature field with what its contents are."""

    read: ReadSignature
    digests: CoveredDigests
    kind: str
    """pades | cms | ses | document_timestamp"""
    format: Outcome
    supported: Outcome
    check: Check
    """Of the form, or of the support, whichever failed."""
    typed: Outcome = Outcome.PASS
    """Whether the dictionary's /Type is that of its contents (ISO 32000-2, table 255 and 12.8.5)."""
    data: Any = None
    """SignedData (asn1crypto), when it is one that is supported."""

    @property
    def field(self) -> SignatureField:
        """What the signature dictionary says."""
        return self.read.field

    @property
    def covered(self) -> CoveredBytes:
        """The bytes that are signed."""
        return self.read.covered

    @property
    def change(self) -> Change:
        """What came after it."""
        return self.read.change

    def digest(self, name: str) -> bytes:
        """The digest of the covered bytes, by the algorithm's name; ValueError for a name that is none."""
        return self.digests.digest(name, self.covered)


def read_facts(read: ReadSignature, digests: CoveredDigests) -> SignatureFacts:
    """The facts of a field; whatever is wrong with its contents is a failed format, never an error."""
    field = read.field
    kind = _kind_of(field)

    def malformed(reason: str) -> SignatureFacts:
        told = check("format", Outcome.FAIL, "签名结构错误", reason)
        return SignatureFacts(
            read=read, digests=digests, kind=kind, format=Outcome.FAIL, supported=Outcome.SKIPPED, check=told
        )

    def unsupported(kind: str, words: tuple[str, str]) -> SignatureFacts:
        told = check("supported", Outcome.FAIL, *words)
        return SignatureFacts(
            read=read, digests=digests, kind=kind, format=Outcome.PASS, supported=Outcome.FAIL, check=told
        )

    if not field.contents:
        return malformed("the field's value is no signature with /Contents")
    try:
        contents = read_contents(field.contents)
    except READ_ERRORS as error:
        return malformed(f"/Contents is no DER: {error}")
    if contents.kind in _NOT_SUPPORTED:
        return unsupported("ses" if contents.kind is ContentKind.SES else "cms", _NOT_SUPPORTED[contents.kind])
    if contents.kind is not ContentKind.CMS:
        return malformed("/Contents is neither CMS nor a seal")
    try:
        data = signed_data(contents.value)
        if uses_national_algorithms(data):
            return unsupported("cms", _NATIONAL)
        problem = _encapsulation(field, data)
        encapsulated = data["encap_content_info"]["content_type"].native
    except READ_ERRORS as error:
        return malformed(f"the CMS structure cannot be read: {error}")
    if problem is not None:
        return malformed(problem)
    typed = Outcome.FAIL if encapsulated == "tst_info" and field.type != "DocTimeStamp" else Outcome.PASS
    return SignatureFacts(
        read=read,
        digests=digests,
        kind="document_timestamp" if encapsulated == "tst_info" else kind,
        format=Outcome.PASS,
        supported=Outcome.PASS,
        check=_well_formed(contents) if typed is Outcome.PASS else _MISTYPED,
        typed=typed,
        data=data,
    )


def _well_formed(contents: SignatureContents) -> Check:
    """What follows the signature within /Contents is unsigned, and never shown; it is noted, not refused."""
    if contents.padding_is_zero:
        return check("format", Outcome.PASS, "签名结构正确", "the structure of the signature is right")
    en = "the structure is right, but /Contents holds other bytes than zeros after the signature"
    return check("format", Outcome.PASS, "签名结构正确，但签名值后有多余字节", en)


def _kind_of(field: SignatureField) -> str:
    if field.stamps:
        return "document_timestamp"
    return "pades" if field.sub_filter == "ETSI.CAdES.detached" else "cms"


def _encapsulation(field: SignatureField, data: Any) -> str | None:
    """Why the encapsulated content is not one that a PDF signature has; None when it is."""
    encapsulated = data["encap_content_info"]
    content_type = encapsulated["content_type"].native
    if content_type == "tst_info":
        return None if field.stamps else "a time-stamp stands where a signature should"
    if field.stamps:
        return "a document time-stamp without a time-stamp"
    if content_type != "data":
        return f"it signs content of type {content_type}"
    if field.sub_filter != "adbe.pkcs7.sha1" and bytes(encapsulated["content"] or b""):
        return "it carries content of its own beside the document"
    return None
