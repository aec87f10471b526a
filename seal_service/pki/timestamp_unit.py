"""时间戳单元: the embedded time-stamping unit (RFC 3161, RFC 5816)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, core, tsp, x509

from seal_service.domain.errors import InvalidInput
from seal_service.domain.issuance import AuthorityRole
from seal_service.formats.der import known_certificate, made, read
from seal_service.pki.chains import chain_of
from seal_service.pki.own_authorities import certificate_of, current, own_issuers
from seal_service.pki.signatures import algorithm_of
from seal_service.pki.timestamp_messages import TimeStampResponse
from seal_service.ports.crypto import KeyStore, SigningKey
from seal_service.ports.records import Records
from seal_service.ports.system import Clock, Entropy

POLICY = "2.25.238262218458528976008057717990391566720"
"""The unit's policy, UUID b33fa255-54a1-4bb1-8c09-03dc77905180 under 2.25 (X.667, 7).

The time is the server's clock, within a second; the unit and its key are the instance's own.
"""

_REQUEST_BYTES = 1 << 12
_DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}
_ACCURACY_SECONDS = 1
_SERIAL_BYTES = 16


class TimestampUnit:
    """The unit: signs with its own key, only digests, only at the clock's time. Safe for threads."""

    def __init__(self, records: Records, keys: KeyStore, clock: Clock, entropy: Entropy) -> None:
        self._records = records
        self._keys = keys
        self._clock = clock
        self._entropy = entropy

    def answer(self, request: bytes) -> bytes:
        """The answer, DER; a rejection with its PKIFailureInfo for what cannot be granted."""
        try:
            asked = read(tsp.TimeStampReq, request, _REQUEST_BYTES)
        except InvalidInput:
            return _rejection("bad_data_format", "the request cannot be read")
        refusal = _refusal_of(asked)
        if refusal is not None:
            return _rejection(*refusal)
        now = self._clock.now()
        with self._records.read() as transaction:
            credential = current(transaction, AuthorityRole.TIMESTAMP, now)
            issuers = own_issuers(transaction, now)
        if not credential.not_before <= now < credential.not_after:
            return _rejection("system_failure", "the unit's certificate is not valid now")
        info = self._info(asked, now)
        certificate = certificate_of(credential)
        # A later root's cross certificate goes with it, for who trusts an earlier root.
        between = [known_certificate(one) for one in chain_of(credential.certificate, issuers)[:-1]]
        enclosed = [certificate, *between] if asked["cert_req"].native else []
        return _granted(_token(info, certificate, self._keys.open(credential.key_reference), enclosed))

    def _info(self, asked: tsp.TimeStampReq, now: datetime) -> tsp.TSTInfo:
        fields: dict[str, Any] = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": asked["message_imprint"],
            "serial_number": int.from_bytes(self._entropy.token(_SERIAL_BYTES), "big"),
            "gen_time": now.replace(microsecond=now.microsecond // 1000 * 1000),
            "accuracy": {"seconds": _ACCURACY_SECONDS},
        }
        if asked["nonce"].native is not None:
            fields["nonce"] = asked["nonce"].native
        return made(tsp.TSTInfo, fields)


def _refusal_of(asked: tsp.TimeStampReq) -> tuple[str, str] | None:
    """Why it is not granted, as (PKIFailureInfo, sentence), or None."""
    imprint = asked["message_imprint"]
    algorithm = imprint["hash_algorithm"]
    length = _DIGEST_BYTES.get(algorithm["algorithm"].native)
    if asked["version"].native != "v1":
        return "bad_request", "the request is not of version 1"
    if length is None or algorithm["parameters"].native is not None:
        return "bad_alg", f"digests are taken by {', '.join(_DIGEST_BYTES)} alone"
    if len(imprint["hashed_message"].native) != length:
        return "bad_data_format", "the digest is not as long as its algorithm's"
    if asked["req_policy"].native not in (None, POLICY):
        return "unaccepted_policy", f"the policy is {POLICY}"
    if asked["extensions"].native:
        return "unaccepted_extensions", "extensions are not supported"
    return None


def _token(
    info: tsp.TSTInfo, certificate: x509.Certificate, key: SigningKey, enclosed: Sequence[x509.Certificate]
) -> cms.ContentInfo:
    content = info.dump()
    # ESSCertIDv2 with its default algorithm, SHA-256 (RFC 5816, 2.2.1)
    bound = made(tsp.ESSCertIDv2, {"cert_hash": hashlib.sha256(certificate.dump()).digest()})
    attributes = made(
        cms.CMSAttributes,
        [
            _attribute("content_type", "tst_info"),
            _attribute("message_digest", hashlib.sha256(content).digest()),
            _attribute("signing_certificate_v2", made(tsp.SigningCertificateV2, {"certs": [bound]})),
        ],
    )
    # Signed as a SET OF in DER, whatever the tag it then has in SignerInfo (RFC 5652, 5.4).
    signature = key.sign(attributes.dump())
    digest = made(algos.DigestAlgorithm, {"algorithm": "sha256"})
    serial = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier(name="issuer_and_serial_number", value=made(cms.IssuerAndSerialNumber, serial)),
        "digest_algorithm": digest,
        "signed_attrs": attributes,
        "signature_algorithm": algorithm_of(key.suite),
        "signature": signature,
    }
    encapsulated = {"content_type": "tst_info", "content": core.ParsableOctetString(content)}
    signed: dict[str, Any] = {
        "version": "v3",
        "digest_algorithms": made(cms.DigestAlgorithms, [digest]),
        "encap_content_info": made(cms.EncapsulatedContentInfo, encapsulated),
        "signer_infos": made(cms.SignerInfos, [made(cms.SignerInfo, signer)]),
    }
    if enclosed:
        choices = [cms.CertificateChoices(name="certificate", value=one) for one in enclosed]
        signed["certificates"] = made(cms.CertificateSet, choices)
    return made(cms.ContentInfo, {"content_type": "signed_data", "content": made(cms.SignedData, signed)})


def _attribute(kind: str, value: Any) -> cms.CMSAttribute:
    return made(cms.CMSAttribute, {"type": kind, "values": [value]})


def _granted(token: cms.ContentInfo) -> bytes:
    return bytes(TimeStampResponse({"status": {"status": "granted"}, "time_stamp_token": token}).dump())


def _rejection(failure: str, sentence: str) -> bytes:
    status = {"status": "rejection", "status_string": [sentence], "fail_info": {failure}}
    return bytes(TimeStampResponse({"status": status}).dump())
