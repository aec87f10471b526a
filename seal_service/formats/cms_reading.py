"""What a signature's /Contents holds, told by its bytes, never by a name beside them.

RFC 5652; GM/T 0010; GB/T 38540.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asn1crypto import cms, core, parser

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_NATIONAL_SIGNED_DATA = bytes.fromhex("060a2a811ccf550601040202")
NATIONAL_ARC = "1.2.156.10197."
"""商用密码 algorithm identifiers (GM/T 0006)."""

_SEQUENCE, _INTEGER, _OCTET_STRING = 0x30, 0x02, 0x04


class ContentKind(StrEnum):
    """签名数据类型."""

    CMS = "cms"
    NATIONAL_CMS = "national_cms"
    SES = "ses"
    PKCS1 = "pkcs1"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureContents:
    """签名数据: one BER value, and whether only zeros fill the rest of the reserved space."""

    kind: ContentKind
    value: bytes
    padding_is_zero: bool


def read_contents(contents: bytes) -> SignatureContents:
    """The value at the beginning of /Contents and its kind; ValueError when it is no BER value at all."""
    length = parser.peek(contents)
    value, rest = contents[:length], contents[length:]
    return SignatureContents(kind=_kind(value), value=value, padding_is_zero=not rest.strip(b"\0"))


def _kind(value: bytes) -> ContentKind:
    if value[0] == _OCTET_STRING:
        return ContentKind.PKCS1
    if value[0] != _SEQUENCE:
        return ContentKind.UNKNOWN
    body = _body(value)
    if body.startswith(_SIGNED_DATA):
        return ContentKind.CMS
    if body.startswith(_NATIONAL_SIGNED_DATA):
        return ContentKind.NATIONAL_CMS
    if body[:1] == bytes([_SEQUENCE]):
        first = _body(body)
        if first[:1] == bytes([_INTEGER]):
            after = first[parser.peek(first) :]
            if after[:1] == bytes([_SEQUENCE]):
                return ContentKind.SES
    return ContentKind.UNKNOWN


def _body(value: bytes) -> bytes:
    """What follows the identifier and length octets."""
    header = 2 + (value[1] & 0x7F if value[1] > 0x80 else 0)
    return value[header:]


def signed_data(value: bytes) -> Any:
    """SignedData (asn1crypto) of a ContentInfo; ValueError when it is none or has not exactly one signer."""
    content = cms.ContentInfo.load(value)
    if content["content_type"].native != "signed_data":
        raise ValueError("not SignedData")
    data = content["content"]
    if len(data["signer_infos"]) != 1:
        raise ValueError(f"{len(data['signer_infos'])} signers instead of one")
    return data


def uses_national_algorithms(data: Any) -> bool:
    """Whether digest or signature of the one signer are SM3, SM2 or others of the national arc."""
    signer = data["signer_infos"][0]
    return any(
        signer[part]["algorithm"].dotted.startswith(NATIONAL_ARC)
        for part in ("digest_algorithm", "signature_algorithm")
    )


def attribute_values(attributes: Any, oid: str) -> tuple[Any, ...] | None:
    """The values of an attribute; None without it; ValueError when it stands there twice (RFC 5652, 11)."""
    if not isinstance(attributes, core.SetOf):
        return None
    found = [one for one in attributes if one["type"].dotted == oid]
    if len(found) > 1:
        raise ValueError(f"attribute {oid} stands there {len(found)} times")
    return tuple(found[0]["values"]) if found else None


def octets_attribute(attributes: Any, oid: str, size: int) -> str | None:
    """The one OCTET STRING of an attribute as lower-case hex; None without it, or when it is anything else."""
    try:
        values = attribute_values(attributes, oid)
        if values is None or len(values) != 1:
            return None
        value = core.OctetString.load(values[0].dump(), strict=True).native
    except (ValueError, TypeError, KeyError):
        return None
    return value.hex() if isinstance(value, bytes) and len(value) == size else None
