"""时间戳消息: requests and answers of the time-stamp protocol, as whoever asks sees them (RFC 3161, RFC 5816)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from asn1crypto import algos, cms, tsp, x509

from seal_service.domain.errors import InvalidInput, TimestampUnavailable
from seal_service.formats.cms import read_timestamp_token
from seal_service.formats.der import load, made, read_certificate, reading
from seal_service.pki.signatures import is_signed_by

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

    Its signature is checked against its signer's certificate, which it must hold; whether that is to be trusted is
    for `timestamp_trust` to say.
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
        _ = info["gen_time"].native, info["serial_number"].native
        encoded = bytes(token.dump())
        signer_certificate = _signer_certificate(encoded)
        if not _is_signed_by(signer_certificate, token["content"]):
            raise TimestampUnavailable("The token's signature is wrong")
        return encoded


def _signer_certificate(token: bytes) -> x509.Certificate:
    try:
        certificate = read_timestamp_token(token).signer_certificate
    except ValueError as error:
        raise TimestampUnavailable("The token cannot be read") from error
    if certificate is None:
        raise TimestampUnavailable("The token has no signer or not its certificate")
    return read_certificate(certificate)


def _is_signed_by(certificate: x509.Certificate, signed_data: cms.SignedData) -> bool:
    """Whether the one signer's attributes digest the TSTInfo and are signed by the certificate's key (RFC 5652)."""
    signer = signed_data["signer_infos"][0]
    digest = signer["digest_algorithm"]["algorithm"].native
    attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    content = bytes(signed_data["encap_content_info"]["content"])
    if digest not in ("sha256", "sha384", "sha512") or "message_digest" not in attributes:
        return False
    if not hmac.compare_digest(attributes["message_digest"][0].native, hashlib.new(digest, content).digest()):
        return False
    algorithm = signer["signature_algorithm"]
    if algorithm["algorithm"].native == "rsassa_pkcs1v15":  # rsaEncryption: the digest stands beside it
        algorithm = made(algos.SignedDigestAlgorithm, {"algorithm": f"{digest}_rsa"})
    message = signer["signed_attrs"].untag().dump()
    return is_signed_by(certificate.public_key.dump(), algorithm, message, signer["signature"].native)
