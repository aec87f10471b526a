"""状态公示名单 as bytes: canonical JSON (RFC 8785) in a compact JWS (RFC 7515) with its certificate chain (x5c)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seal_service.domain.errors import StatusListRefused
from seal_service.domain.lifecycle import Suspension
from seal_service.domain.seal import SealState
from seal_service.domain.status_list import ListedCertificate, ListedSeal, StatusList

STATUS_PUBLISHING = "2.25.238262218458528976008057717990391566721"
"""id-kp of our own for certificates that sign status lists, under 2.25 (X.667, 7)."""
MEDIA_TYPE = "application/jose"
TYPE = "seal-status-list+jws"
VERSION = 1
LARGEST_BYTES = 32 << 20
_MOST_CERTIFICATES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatusList:
    """A list as it was read, its signature not checked yet."""

    content: StatusList
    algorithm: str
    chain: tuple[bytes, ...]
    """DER, the signer's first."""
    signed: bytes
    """What was signed."""
    signature: bytes


def payload_of(one: StatusList) -> bytes:
    """The canonical bytes of a list: ASCII keys, text, integers and null alone, so that sorting them is enough."""
    plain = {
        "version": one.version,
        "issuer": one.issuer,
        "sequence": one.sequence,
        "issued_at": _text(one.issued_at),
        "next_update": _text(one.next_update),
        "issuers": [base64.b64encode(each).decode() for each in one.issuers],
        "entries": [_entry(each) for each in one.seals],
    }
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def signing_input(algorithm: str, chain: tuple[bytes, ...], payload: bytes) -> bytes:
    """What a compact JWS signs."""
    header = {"alg": algorithm, "typ": TYPE, "x5c": [base64.b64encode(one).decode() for one in chain]}
    return _url(json.dumps(header, sort_keys=True, separators=(",", ":")).encode()) + b"." + _url(payload)


def compact(signed: bytes, signature: bytes) -> bytes:
    """The whole list."""
    return signed + b"." + _url(signature)


def read(content: bytes) -> SignedStatusList:
    """The list of a compact JWS, unchecked; StatusListRefused for what is none."""
    if len(content) > LARGEST_BYTES:
        raise StatusListRefused(f"A status list has at most {LARGEST_BYTES} bytes")
    try:
        head, payload, signature = content.strip().split(b".")
        header = json.loads(_bytes(head))
        if header.get("typ") != TYPE or "crit" in header:
            raise StatusListRefused("This is a signature over something else than a status list")
        chain = tuple(base64.b64decode(one, validate=True) for one in header["x5c"])
        if not 1 <= len(chain) <= _MOST_CERTIFICATES:
            raise StatusListRefused("The list's certificate chain is missing or too long")
        return SignedStatusList(
            content=_list(json.loads(_bytes(payload))),
            algorithm=str(header["alg"]),
            chain=chain,
            signed=head + b"." + payload,
            signature=_bytes(signature),
        )
    except StatusListRefused:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError, OverflowError) as error:
        raise StatusListRefused("This is no status list: it cannot be read") from error


def _list(plain: Any) -> StatusList:
    if plain["version"] != VERSION:
        raise StatusListRefused(f"The list is of version {plain['version']!r}, known is {VERSION}"[:200])
    return StatusList(
        version=VERSION,
        issuer=str(plain["issuer"]),
        sequence=int(plain["sequence"]),
        issued_at=_moment(plain["issued_at"]),
        next_update=_moment(plain["next_update"]),
        issuers=tuple(base64.b64decode(one, validate=True) for one in plain["issuers"]),
        seals=tuple(_seal(one) for one in plain["entries"]),
    )


def _entry(one: ListedSeal) -> dict[str, object]:
    return {
        "seal_code": one.seal_code,
        "status": one.status.value,
        "since": _text(one.since),
        "intervals": [
            {"from": _text(each.since), "until": _text_or_none(each.until), "status": each.state.value}
            for each in one.intervals
        ],
        "invalid_from": _text_or_none(one.invalid_from),
        "certificates": [
            {"serial": each.serial, "sha256": each.sha256, "superseded_at": _text_or_none(each.superseded_at)}
            for each in one.certificates
        ],
    }


def _seal(plain: Any) -> ListedSeal:
    return ListedSeal(
        seal_code=str(plain["seal_code"]),
        status=SealState(plain["status"]),
        since=_moment(plain["since"]),
        intervals=tuple(
            Suspension(since=_moment(one["from"]), until=_moment_or_none(one["until"]), state=SealState(one["status"]))
            for one in plain["intervals"]
        ),
        invalid_from=_moment_or_none(plain["invalid_from"]),
        certificates=tuple(
            ListedCertificate(
                serial=str(one["serial"]),
                sha256=str(one["sha256"]),
                superseded_at=_moment_or_none(one["superseded_at"]),
            )
            for one in plain["certificates"]
        ),
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else _text(moment)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its time zone")
    return moment.astimezone(UTC)


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)


def _url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
