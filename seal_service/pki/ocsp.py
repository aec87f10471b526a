"""在线证书状态查询: OCSP answers for the certificates of the issuing CA (RFC 6960, RFC 9654)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import core, crl, ocsp, x509

from seal_service.domain.authority import current
from seal_service.domain.errors import InvalidInput, SignatureRefused
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateStatus, IssuedCertificate
from seal_service.formats.der import made, read, to_the_second
from seal_service.formats.issuing import identity_of, is_of
from seal_service.pki.certificates import serial_text
from seal_service.pki.own_authorities import certificate_of, generations
from seal_service.pki.signatures import algorithm_of
from seal_service.ports.crypto import KeyStore, SigningKey
from seal_service.ports.records import Records, Transaction
from seal_service.ports.system import Clock

_REQUEST_BYTES = 1 << 14
_SINGLE_REQUESTS = 64
_NONCE_BYTES = range(1, 129)
"""RFC 9654, 2.1."""
_LIFETIME = timedelta(minutes=10)
_KNOWN_EXTENSIONS = frozenset({"nonce", "acceptable_responses", "preferred_signature_algorithms", "service_locator"})
_DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
"""Of certificate identifiers. SHA-1 only names an issuer here and protects nothing (RFC 6960, 4.3)."""


class OcspResponder:
    """The responders of all generations of the issuing CA; answers straight from the records. Safe for threads.

    An answer has one signature, by a responder to whom the issuer itself delegated. Who asks for certificates of two
    generations at once gets the answer of the first one's responder, to which the other's are unknown.
    """

    def __init__(self, records: Records, keys: KeyStore, clock: Clock) -> None:
        self._records = records
        self._keys = keys
        self._clock = clock

    def answer(self, request: bytes) -> bytes:
        """The answer, DER: malformedRequest for bad bytes, unauthorized when it asks for other issuers alone.

        internalError when the responder's certificate is not valid now (`seal keys rotate ocsp`) or its key is gone.
        """
        try:
            wanted, nonce = _read_request(request)
        except InvalidInput:
            return _refusal("malformed_request")
        now = to_the_second(self._clock.now())
        with self._records.read() as transaction:
            issuer = _issuer_asked_for(transaction, wanted)
            if issuer is None:
                return _refusal("unauthorized")
            responder = _responder_of(transaction, issuer, now)
            if responder is None or not responder.not_before <= now < responder.not_after:
                return _refusal("internal_error")
            answers = [
                _single(one, _found(transaction, one, issuer) if identifies_issuer(one, issuer) else None, now)
                for one in wanted
            ]
        try:
            key = self._keys.open(responder.key_reference)
        except SignatureRefused:  # it may be destroyed once nothing that its issuer issued is valid
            return _refusal("internal_error")
        return _signed(answers, nonce, now, certificate_of(responder), key)


def _issuer_asked_for(transaction: Transaction, wanted: Sequence[ocsp.CertId]) -> x509.Certificate | None:
    """The generation of the issuing CA that the first identifier of ours names; None: there is none of ours."""
    issuers = [certificate_of(one) for one in generations(transaction, AuthorityRole.ISSUING)]
    return next((issuer for one in wanted for issuer in issuers if identifies_issuer(one, issuer)), None)


def _responder_of(transaction: Transaction, issuer: x509.Certificate, now: datetime) -> AuthorityCredential | None:
    """The responder that a generation of the issuing CA delegated to last."""
    identity = identity_of(issuer)
    responders = generations(transaction, AuthorityRole.OCSP)
    return current([one for one in responders if is_of(one.certificate, identity)], now)


_UNKNOWN = ocsp.CertStatus(name="unknown", value=ocsp.StatusUnknown())


def identifies_issuer(identifier: ocsp.CertId, issuer: x509.Certificate) -> bool:
    """Whether a CertID names this issuer, by SHA-1 or SHA-256 of its name and key."""
    digest = _DIGESTS.get(identifier["hash_algorithm"]["algorithm"].native)
    return digest is not None and (
        identifier["issuer_name_hash"].native == digest(issuer.subject.dump()).digest()
        and identifier["issuer_key_hash"].native == digest(bytes(issuer.public_key["public_key"])).digest()
    )


def request_for(certificate: x509.Certificate, issuer: x509.Certificate, nonce: bytes | None) -> bytes:
    """A request, DER, for one certificate; its CertID by SHA-1, which every responder knows."""
    name, key = issuer.subject.dump(), bytes(issuer.public_key["public_key"])
    fields = {
        "hash_algorithm": {"algorithm": "sha1"},
        "issuer_name_hash": hashlib.sha1(name, usedforsecurity=False).digest(),
        "issuer_key_hash": hashlib.sha1(key, usedforsecurity=False).digest(),
        "serial_number": certificate.serial_number,
    }
    single = made(ocsp.Request, {"req_cert": made(ocsp.CertId, fields)})
    to_be_asked: dict[str, Any] = {"request_list": made(ocsp.Requests, [single])}
    if nonce is not None:
        extension = {"extn_id": "nonce", "extn_value": core.OctetString(nonce)}
        to_be_asked["request_extensions"] = made(ocsp.TBSRequestExtensions, [extension])
    return bytes(ocsp.OCSPRequest({"tbs_request": made(ocsp.TBSRequest, to_be_asked)}).dump())


def _read_request(request: bytes) -> tuple[list[ocsp.CertId], bytes | None]:
    body = read(ocsp.OCSPRequest, request, _REQUEST_BYTES)["tbs_request"]
    singles = list(body["request_list"])
    extensions = [*body["request_extensions"]]
    for single in singles:
        extensions.extend(single["single_request_extensions"])
    if not 0 < len(singles) <= _SINGLE_REQUESTS or body["version"].native != "v1":
        raise InvalidInput("The request asks for none or too many, or is of another version")
    if any(one["critical"].native and one["extn_id"].native not in _KNOWN_EXTENSIONS for one in extensions):
        raise InvalidInput("The request has a critical extension that is not known here")
    nonces = [one["extn_value"].parsed.native for one in body["request_extensions"] if one["extn_id"].native == "nonce"]
    if len(nonces) > 1 or any(len(nonce) not in _NONCE_BYTES for nonce in nonces):
        raise InvalidInput("A nonce has 1 to 128 bytes")
    return [single["req_cert"] for single in singles], nonces[0] if nonces else None


def _found(transaction: Transaction, identifier: ocsp.CertId, issuer: x509.Certificate) -> IssuedCertificate | None:
    certificate = transaction.certificates.find(serial_text(identifier["serial_number"].native))
    if certificate is None or not is_of(certificate.certificate, identity_of(issuer)):
        return None  # those of the root, of other generations and of outside authorities are recorded beside ours
    return certificate


def _status(certificate: IssuedCertificate | None) -> ocsp.CertStatus:
    if certificate is None:
        return _UNKNOWN
    if certificate.status is CertificateStatus.GOOD or certificate.status_since is None:
        return ocsp.CertStatus(name="good", value=ocsp.StatusGood())
    info: dict[str, Any] = {"revocation_time": to_the_second(certificate.status_since)}
    if certificate.reason is not None:
        info["revocation_reason"] = crl.CRLReason(certificate.reason)
    return ocsp.CertStatus(name="revoked", value=ocsp.RevokedInfo(info))


def _single(identifier: ocsp.CertId, certificate: IssuedCertificate | None, now: datetime) -> ocsp.SingleResponse:
    fields: dict[str, Any] = {
        "cert_id": identifier,
        "cert_status": _status(certificate),
        "this_update": now,
        "next_update": now + _LIFETIME,
    }
    if certificate is not None and certificate.invalidity_date is not None:  # RFC 6960, 4.4.5
        since = core.GeneralizedTime(to_the_second(certificate.invalidity_date))
        fields["single_extensions"] = [{"extn_id": "invalidity_date", "extn_value": since}]
    return made(ocsp.SingleResponse, fields)


def _signed(
    answers: Sequence[ocsp.SingleResponse],
    nonce: bytes | None,
    now: datetime,
    responder: x509.Certificate,
    key: SigningKey,
) -> bytes:
    key_hash = hashlib.sha1(bytes(responder.public_key["public_key"]), usedforsecurity=False).digest()
    data: dict[str, Any] = {
        "responder_id": ocsp.ResponderId(name="by_key", value=key_hash),
        "produced_at": now,
        "responses": made(ocsp.Responses, list(answers)),
    }
    if nonce is not None:
        extension = {"extn_id": "nonce", "extn_value": core.OctetString(nonce)}
        data["response_extensions"] = made(ocsp.ResponseDataExtensions, [extension])
    body = made(ocsp.ResponseData, data)
    basic = ocsp.BasicOCSPResponse(
        {
            "tbs_response_data": body,
            "signature_algorithm": algorithm_of(key.suite),
            "signature": key.sign(body.dump()),
            "certs": made(ocsp.Certificates, [responder]),
        }
    )
    answer = {"response_type": "basic_ocsp_response", "response": core.ParsableOctetString(basic.dump())}
    fields = {"response_status": "successful", "response_bytes": made(ocsp.ResponseBytes, answer)}
    return bytes(ocsp.OCSPResponse(fields).dump())


def _refusal(status: str) -> bytes:
    return bytes(ocsp.OCSPResponse({"response_status": status}).dump())
