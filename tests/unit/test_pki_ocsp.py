from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asn1crypto import core
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.algorithms import Suite
from seal_service.domain.issuance import AuthorityRole, IssuedCertificate
from seal_service.pki.ocsp import request_for
from seal_service.pki.signatures import is_signed_by
from tests.pki_instance import Instance, instance_of


@pytest.fixture(params=[Suite.ECDSA_P256, Suite.RSA_2048])
def instance(request: pytest.FixtureRequest) -> Instance:
    return instance_of(request.param)


def request_by_pyca(instance: Instance, issued: IssuedCertificate, digest: hashes.HashAlgorithm, nonce: bytes) -> bytes:
    issuer = x509.load_der_x509_certificate(instance.services.certificate(AuthorityRole.ISSUING))
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        x509.load_der_x509_certificate(issued.certificate),
        issuer,
        digest,
    )
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def request_of(*identifiers: dict[str, Any], extensions: list[dict[str, Any]] | None = None) -> bytes:
    body: dict[str, Any] = {"request_list": [{"req_cert": one} for one in identifiers]}
    if extensions:
        body["request_extensions"] = extensions
    return bytes(asn1.OCSPRequest({"tbs_request": body}).dump())


def identifier(instance: Instance, serial: int, role: AuthorityRole = AuthorityRole.ISSUING) -> dict[str, Any]:
    issuer = instance.certificate(role)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(issuer.subject.dump())
    key = hashes.Hash(hashes.SHA256())
    key.update(bytes(issuer.public_key["public_key"]))
    return {
        "hash_algorithm": {"algorithm": "sha256"},
        "issuer_name_hash": digest.finalize(),
        "issuer_key_hash": key.finalize(),
        "serial_number": serial,
    }


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256()], ids=["sha1", "sha256"])
def test_an_answer_is_read_and_verified_by_others(instance: Instance, digest: hashes.HashAlgorithm) -> None:
    issued = instance.issue()
    response = ocsp.load_der_ocsp_response(instance.services.ocsp(request_by_pyca(instance, issued, digest, b"n" * 32)))
    assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.serial_number == int(issued.serial, 16)
    now = instance.clock.now().replace(microsecond=0)
    assert (response.produced_at_utc, response.this_update_utc) == (now, now)
    assert response.next_update_utc is not None
    assert timedelta(0) < response.next_update_utc - now <= timedelta(hours=1)
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32
    (responder,) = response.certificates
    issuing = x509.load_der_x509_certificate(instance.services.certificate(AuthorityRole.ISSUING))
    responder.verify_directly_issued_by(issuing)
    key_hash = x509.SubjectKeyIdentifier.from_public_key(responder.public_key()).digest  # SHA-1, RFC 6960, 4.2.1
    assert response.responder_key_hash == key_hash
    parsed = asn1.OCSPResponse.load(instance.services.ocsp(request_by_pyca(instance, issued, digest, b"")))
    basic = parsed["response_bytes"]["response"].parsed
    certificate = instance.certificate(AuthorityRole.OCSP)
    tbs, signature = basic["tbs_response_data"].dump(), basic["signature"].native
    assert is_signed_by(certificate.public_key.dump(), basic["signature_algorithm"], tbs, signature)
    assert not is_signed_by(certificate.public_key.dump(), basic["signature_algorithm"], tbs + b"x", signature)


def test_the_answer_follows_the_status(instance: Instance) -> None:
    issued = instance.issue()

    def status() -> tuple[ocsp.OCSPCertStatus, x509.ReasonFlags | None]:
        response = ocsp.load_der_ocsp_response(
            instance.services.ocsp(request_by_pyca(instance, issued, hashes.SHA1(), b""))
        )
        return response.certificate_status, response.revocation_reason

    assert status() == (ocsp.OCSPCertStatus.GOOD, None)
    instance.hold(issued.serial)
    assert status() == (ocsp.OCSPCertStatus.REVOKED, x509.ReasonFlags.certificate_hold)
    instance.release(issued.serial)
    assert status() == (ocsp.OCSPCertStatus.GOOD, None)
    instance.revoke(issued.serial, "key_compromise")
    assert status() == (ocsp.OCSPCertStatus.REVOKED, x509.ReasonFlags.key_compromise)


def test_several_certificates_are_answered_in_order_and_strangers_are_unknown() -> None:
    instance = instance_of()
    good, held = instance.issue(), instance.issue()
    instance.hold(held.serial)
    stranger = identifier(instance, int(good.serial, 16), AuthorityRole.ROOT)
    request = request_of(
        identifier(instance, int(good.serial, 16)),
        identifier(instance, int(held.serial, 16)),
        identifier(instance, 4711),
        identifier(instance, -1),
        stranger,
    )
    answer = asn1.OCSPResponse.load(instance.services.ocsp(request))
    singles = answer["response_bytes"]["response"].parsed["tbs_response_data"]["responses"]
    assert [one["cert_status"].name for one in singles] == ["good", "revoked", "unknown", "unknown", "unknown"]
    assert [one["cert_id"]["serial_number"].native for one in singles][:3] == [
        int(good.serial, 16),
        int(held.serial, 16),
        4711,
    ]


def test_a_request_about_other_issuers_alone_is_unauthorized() -> None:
    instance = instance_of()
    issuing = instance.certificate(AuthorityRole.ISSUING)
    request = request_for(issuing, instance.certificate(AuthorityRole.ROOT), None)
    assert refusal(instance, request) == "unauthorized"
    odd = identifier(instance, 1) | {"hash_algorithm": {"algorithm": "sha512"}}
    assert refusal(instance, request_of(odd)) == "unauthorized"


def refusal(instance: Instance, request: bytes) -> str:
    answer = asn1.OCSPResponse.load(instance.services.ocsp(request), strict=True)
    assert answer["response_bytes"].native is None
    return str(answer["response_status"].native)


def nonce(value: bytes) -> dict[str, Any]:
    return {"extn_id": "nonce", "extn_value": core.OctetString(value)}


@pytest.mark.parametrize("length", [1, 16, 32, 128])
def test_nonces_of_1_to_128_bytes_are_echoed(length: int) -> None:
    """RFC 9654, 2.1."""
    instance = instance_of()
    request = request_of(identifier(instance, 1), extensions=[nonce(b"\x07" * length)])
    answer = asn1.OCSPResponse.load(instance.services.ocsp(request))
    assert answer.nonce_value.native == b"\x07" * length


def test_malformed_requests_are_answered_as_such() -> None:
    instance = instance_of()
    one = identifier(instance, 1)
    critical = {"extn_id": "1.2.3.4", "critical": True, "extn_value": core.ParsableOctetString(b"\x05\x00")}
    good = request_of(one)
    for request in [
        b"",
        b"\x00",
        good[:-1],
        good + b"\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30" * 10_000,
        b"\x30\x80" * 5000,
        bytes(20_000),
        request_of(),
        request_of(*[one] * 65),
        request_of(one, extensions=[nonce(b"")]),
        request_of(one, extensions=[nonce(b"x" * 129)]),
        request_of(one, extensions=[nonce(b"x"), nonce(b"y")]),
        request_of(one, extensions=[critical]),
    ]:
        assert refusal(instance, request) == "malformed_request"


@given(st.binary(max_size=200), st.data())
def test_no_bytes_whatever_raise(garbage: bytes, data: st.DataObject) -> None:
    instance = instance_of()
    good = request_of(identifier(instance, 1), extensions=[nonce(b"12345678")])
    position = data.draw(st.integers(0, len(good)))
    for request in (garbage, good[:position] + garbage + good[position + len(garbage) :]):
        asn1.OCSPResponse.load(instance.services.ocsp(request), strict=True)


def test_a_responder_whose_certificate_is_over_says_so() -> None:
    instance = instance_of()
    request = request_of(identifier(instance, 1))
    instance.clock.moment = instance.certificate(AuthorityRole.OCSP).not_valid_after
    assert refusal(instance, request) == "internal_error"
