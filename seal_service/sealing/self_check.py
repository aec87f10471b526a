"""自检: whether a sealed PDF is what was meant, told without the code that wrote it.

The signature is found with qpdf, and every statement is checked against what went in: the original document or its
repair, the permit and the intent. What is not to the byte what it should be is read with asn1crypto, which tells why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asn1crypto import x509

from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import DocumentRefused, SelfCheckFailed
from seal_service.domain.use import IntentReference, SignatureLevel
from seal_service.formats.cms import (
    INTENT_LEAF_HASH_OID,
    read_timestamp_token,
    signature_algorithm,
    signature_is_valid,
    signed_attributes,
    tlv,
)
from seal_service.formats.cms import signed_data as made_signed_data
from seal_service.formats.cms_reading import attribute_values, octets_attribute, read_contents, signed_data
from seal_service.ports.documents import SealedDocument, Upload
from seal_service.ports.isolation import Isolation
from seal_service.sealing.finding import FieldsToFind, FoundField, find_fields

_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_END_OF_REVISION = b"%%EOF\n"

_READ_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoundSignature:
    """A signature as an independent parser finds it, its byte range proved."""

    contents: bytes
    digest: bytes
    end: int
    """Where the revision that it covers ends."""


def check_sealed(
    original: Upload,
    sealed: SealedDocument,
    permit: SealingPermit,
    intent: IntentReference,
    intermediates: Sequence[bytes],
    isolation: Isolation,
) -> None:
    """Check everything; SelfCheckFailed with the first thing that is not as it should be.

    `intermediates` are the certificates (DER) that the signature holds beside the seal's.
    """
    try:
        _check(original, sealed, permit, intent, frozenset(intermediates), isolation)
    except (DocumentRefused, *_READ_ERRORS) as error:
        raise SelfCheckFailed(f"The sealed document cannot be read: {error}"[:300], what="unreadable") from error


def _check(
    original: Upload,
    sealed: SealedDocument,
    permit: SealingPermit,
    intent: IntentReference,
    intermediates: frozenset[bytes],
    isolation: Isolation,
) -> None:
    _require(original.sha256_hex == permit.document_sha256, "document", "it is not the document of the permit")
    original = sealed.repaired or original
    begins = sealed.original is original.content or sealed.original[:] == original.content[:]
    _require(begins, "prefix", "it does not begin with the original")
    archived = sealed.level is SignatureLevel.B_LTA
    stamp_name = f"Timestamp-{sealed.field_name}"
    names = (sealed.field_name, stamp_name) if archived else (sealed.field_name,)
    asked = FieldsToFind(appended=sealed.appended, names=names)
    with isolation.begun(find_fields, sealed.original, asked) as found_fields:
        _check_digests(original, sealed)
        proven = _proven_attributes(original, sealed, permit, intent)
        fields = found_fields()
    field, found = _signature(fields[0], original, sealed, "/ETSI.CAdES.detached")
    _require(field.shown_on == (sealed.page,), "page", "the seal is not on its page alone")
    _check_signed_data(found, sealed, permit, intent, intermediates, proven)
    if sealed.level.at_least(SignatureLevel.B_LT):
        stored = field.stored_certificates > 0 and field.stored_revocations > 0
        _require(stored, "validation_data", "the validation data is not in the security store")
    else:
        end = len(sealed.original) + len(sealed.appended)
        _require(found.end == end, "coverage", "the signature does not cover all of it")
    if archived:
        _, stamp = _signature(fields[1], original, sealed, "/ETSI.RFC3161")
        imprint = read_timestamp_token(stamp.contents).imprint
        _require(imprint == stamp.digest, "archive", "the document time-stamp is over something else")
        _require(stamp.end > found.end, "archive", "the document time-stamp does not cover the signature")


def _check_digests(original: Upload, sealed: SealedDocument) -> None:
    for state, stated in ((original.sha256.copy(), sealed.sha256), (original.sm3.copy(), sealed.sm3)):
        state.update(sealed.appended)
        _require(state.digest().hex() == stated, "digest", "its digest is not the one stated")


def _proven_attributes(
    original: Upload, sealed: SealedDocument, permit: SealingPermit, intent: IntentReference
) -> bytes | None:
    """Signed attributes that the signature is proved to be over, while the parser is still at work; None: not proved.

    They are over everything around the place where the signature value stands. Whether the document says so too is
    for the parser to tell: what it finds counts, and this only saves proving the same once more.
    """
    appended, value = sealed.appended, sealed.signature_value
    at = appended.find(value.hex().encode("ascii"))
    start, end = appended.rfind(b"<", 0, max(at, 0)), appended.find(b">", at) + 1
    if at < 0 or start < 0:
        return None
    state = original.sha256.copy()
    state.update(appended[:start])
    state.update(appended[end : appended.find(_END_OF_REVISION, end) + len(_END_OF_REVISION)])
    certificate = permit.credential.certificate
    attributes = signed_attributes(state.digest(), certificate, intent.leaf_hash)
    return attributes if signature_is_valid(certificate, attributes, value) else None


def _signature(
    field: FoundField | None, original: Upload, sealed: SealedDocument, sub_filter: str
) -> tuple[FoundField, _FoundSignature]:
    """The signature of a field that was found, with its byte range proved against the bytes of the file."""
    if field is None:
        raise _failure("field", "its signature field is not there, or not once")
    _require(field.sub_filter == sub_filter, "format", "the signature has another format")
    byte_range = field.byte_range
    _require(len(byte_range) == 4 and byte_range[0] == 0, "byte_range", "its byte range is not two parts from 0 on")
    base, appended = len(sealed.original), sealed.appended
    gap_start, gap_end = byte_range[1] - base, byte_range[2] - base
    end = gap_end + byte_range[3]
    _require(
        0 < gap_start < gap_end < end <= len(appended),
        "byte_range",
        "the byte range does not cover the original and a revision after it",
    )
    gap = appended[gap_start:gap_end]
    exact = gap[:1] == b"<" and gap[-1:] == b">" and gap[1:-1].lower() == field.contents.hex().encode("ascii")
    _require(exact, "byte_range", "the gap in the byte range is not exactly the signature")
    _require(appended[:end].endswith(_END_OF_REVISION), "byte_range", "the byte range does not end with a revision")
    state = original.sha256.copy()
    state.update(appended[:gap_start])
    state.update(appended[gap_end:end])
    return field, _FoundSignature(contents=field.contents, digest=state.digest(), end=base + end)


def _check_signed_data(
    found: _FoundSignature,
    sealed: SealedDocument,
    permit: SealingPermit,
    intent: IntentReference,
    intermediates: frozenset[bytes],
    proven: bytes | None,
) -> None:
    if _is_as_expected(found, sealed, permit, intent, intermediates, proven):
        return
    certificate = permit.credential.certificate
    value = read_contents(found.contents)
    _require(value.padding_is_zero, "signed_data", "something is hidden behind the signature")
    data = signed_data(value.value)
    alone = value.value == tlv(0x30, _SIGNED_DATA, data.dump())
    _require(alone, "signed_data", "something stands beside the signature")
    signer = data["signer_infos"][0]
    _require(_is_detached_with_sha256(data, signer), "signed_data", "it is no detached signature with SHA-256")
    held = {one.chosen.dump() for one in data["certificates"]}
    _require(held == {certificate, *intermediates}, "certificate", "it holds other certificates than the seal's chain")
    loaded = x509.Certificate.load(certificate)
    identifier = signer["sid"].chosen
    _require(
        identifier["issuer"].dump() == loaded.issuer.dump()
        and identifier["serial_number"].native == loaded.serial_number,
        "certificate",
        "the signer is not the seal's certificate",
    )
    attributes = signer["signed_attrs"]
    _require(_only(attributes, _CONTENT_TYPE).native == "data", "attributes", "the content type is not data")
    _require(_only(attributes, _MESSAGE_DIGEST).native == found.digest, "message_digest", "its digest differs")
    signing_certificate = _only(attributes, _SIGNING_CERTIFICATE_V2)["certs"][0]["cert_hash"].native
    expected = hashlib.sha256(certificate).digest()
    _require(signing_certificate == expected, "attributes", "the signing certificate attribute names another one")
    intent_hash = octets_attribute(attributes, INTENT_LEAF_HASH_OID, 32)
    _require(intent_hash == intent.leaf_hash.hex(), "intent", "it does not name the log's intent")
    _require(attribute_values(attributes, _SIGNING_TIME) is None, "attributes", "it has a signing time of its own")
    signature = signer["signature"].native
    message = b"\x31" + attributes.dump()[1:]  # as SET OF, not as [0] (RFC 5652, 5.4)
    algorithm = signer["signature_algorithm"]["algorithm"].dotted
    stated = signature == sealed.signature_value and algorithm == sealed.signature_algorithm
    _require(stated, "signature", "the signature is not the one stated")
    _require(signature_is_valid(certificate, message, signature), "signature", "the signature is not valid")
    _check_timestamp(signer, sealed)
    raise _failure("signed_data", "it is not the SignedData that its parts make")


def _is_as_expected(
    found: _FoundSignature,
    sealed: SealedDocument,
    permit: SealingPermit,
    intent: IntentReference,
    intermediates: frozenset[bytes],
    proven: bytes | None,
) -> bool:
    """Whether /Contents is, to the byte, the one DER that what went in makes, and its signature is valid.

    What the form is made of is proved against a general ASN.1 library in the tests; here it saves reading it with one.
    """
    credential = permit.credential
    certificate, token = credential.certificate, sealed.timestamp_token
    attributes = signed_attributes(found.digest, certificate, intent.leaf_hash)
    value = sealed.signature_value
    expected = made_signed_data(attributes, value, credential.suite, certificate, tuple(intermediates), token)
    padding = found.contents[len(expected) :]
    stated = sealed.signature_algorithm == signature_algorithm(credential.suite)
    stamped = (token is not None) is sealed.level.at_least(SignatureLevel.B_T)
    if not (stated and stamped and found.contents[: len(expected)] == expected and not padding.strip(b"\0")):
        return False
    if token is not None and read_timestamp_token(token).imprint != hashlib.sha256(value).digest():
        return False
    return attributes == proven or signature_is_valid(certificate, attributes, value)


def _is_detached_with_sha256(data: Any, signer: Any) -> bool:
    """The fixed parts of SignedData and SignerInfo (RFC 5652, 5.1 and 5.3)."""
    content = data["encap_content_info"]
    digests = [*data["digest_algorithms"], signer["digest_algorithm"]]
    return (
        (data["version"].native, signer["version"].native, content["content_type"].native) == ("v1", "v1", "data")
        and content["content"].native is None
        and len(digests) == 2
        and all(one["algorithm"].native == "sha256" and one["parameters"].native is None for one in digests)
        and signer["signature_algorithm"]["parameters"].native is None
    )


def _check_timestamp(signer: Any, sealed: SealedDocument) -> None:
    tokens = attribute_values(signer["unsigned_attrs"], _SIGNATURE_TIME_STAMP)
    if not sealed.level.at_least(SignatureLevel.B_T):
        _require(tokens is None and sealed.timestamp_token is None, "timestamp", "it has a time-stamp")
        return
    stated = tokens is not None and [one.dump() for one in tokens] == [sealed.timestamp_token]
    _require(stated, "timestamp", "the time-stamp is not the one stated")
    imprint = read_timestamp_token(sealed.timestamp_token or b"").imprint
    expected = hashlib.sha256(sealed.signature_value).digest()
    _require(imprint == expected, "timestamp", "the time-stamp is over something else")


def _only(attributes: Any, oid: str) -> Any:
    values = attribute_values(attributes, oid)
    _require(values is not None and len(values) == 1, "attributes", f"the attribute {oid} is missing")
    return values[0] if values else None


def _require(holds: bool, what: str, sentence: str) -> None:
    if not holds:
        raise _failure(what, sentence)


def _failure(what: str, sentence: str) -> SelfCheckFailed:
    return SelfCheckFailed(f"The sealed document did not pass our own check: {sentence}", what=what)
