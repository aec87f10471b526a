"""时间戳消息: requests and answers of the time-stamp protocol, as whoever asks sees them (RFC 3161, RFC 5816)."""

from __future__ import annotations

from typing import Any

from asn1crypto import cms, tsp

from seal_service.domain.errors import InvalidInput, TimestampUnavailable
from seal_service.formats.der import load, made, reading

RESPONSE_BYTES = 1 << 18
"""Largest answer read."""


class TimeStampResponse(tsp.TimeStampResp):  # type: ignore[misc]
    """TimeStampResp whose token may be absent, as RFC 3161, 2.4.2 has it (asn1crypto demands it)."""

    _fields = [("status", tsp.PKIStatusInfo), ("time_stamp_token", cms.ContentInfo, {"optional": True})]  # noqa: RUF012


def timestamp_request(sha256: bytes, nonce: int) -> bytes:
    """A request, DER, for a time-stamp over a SHA-256 digest, with the unit's certificate in the token."""
    request = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": made(
                tsp.MessageImprint, {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": sha256}
            ),
            "nonce": nonce,
            "cert_req": True,
        }
    )
    return bytes(request.dump())


def token_of(response: bytes, sha256: bytes, nonce: int) -> bytes:
    """The token of an answer, DER; TimestampUnavailable when there is none over this digest with this nonce.

    Whether its signature and certificate are to be trusted is for verification to say.
    """
    try:
        return _token_of(load(TimeStampResponse, response, RESPONSE_BYTES), sha256, nonce)
    except InvalidInput as error:
        raise TimestampUnavailable(f"The answer cannot be read: {error.message}") from error


def _token_of(response: Any, sha256: bytes, nonce: int) -> bytes:
    with reading("TimeStampResp"):
        status = response["status"]
        token = response["time_stamp_token"]
        if status["status"].native not in ("granted", "granted_with_mods"):
            failures = sorted(status["fail_info"].native or ()) if status["fail_info"] else []
            said = "; ".join(str(text)[:200] for text in (status["status_string"].native or ()))
            facts = ", ".join(filter(None, [*failures, said])) or "without a reason"
            raise TimestampUnavailable(f"The authority refused: {facts}")
        if not isinstance(token, cms.ContentInfo) or token["content_type"].native != "signed_data":
            raise TimestampUnavailable("The answer holds no token")
        content = token["content"]["encap_content_info"]
        if content["content_type"].native != "tst_info":
            raise TimestampUnavailable("The token holds no TSTInfo")
        info = content["content"].parsed
        imprint = info["message_imprint"]
        if (imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native) != ("sha256", sha256):
            raise TimestampUnavailable("The token is over another digest")
        if info["nonce"].native != nonce:
            raise TimestampUnavailable("The token answers another request: its nonce differs")
        if not token["content"]["certificates"] or not token["content"]["signer_infos"]:
            raise TimestampUnavailable("The token has no signer or no certificate")
        _ = info["gen_time"].native, info["serial_number"].native
        return bytes(token.dump())
