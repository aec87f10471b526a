from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import cms, tsp
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import TimestampUnavailable
from seal_service.domain.issuance import AuthorityRole
from seal_service.pki.signatures import is_signed_by
from seal_service.pki.timestamp_client import EmbeddedTimestampAuthority, FirstAnsweringTimestampAuthority
from seal_service.pki.timestamp_messages import TimeStampResponse, timestamp_request
from seal_service.pki.timestamp_unit import POLICY
from seal_service.pki.trust import InstanceTrustStore
from seal_service.ports.crypto import TimestampAuthority, TrustStore
from tests.pki_instance import Instance, instance_of
from tests.sealing_infrastructure import NOW, PrivateKey, certificate, der, private_key

DIGEST = hashlib.sha256(b"document").digest()


@pytest.fixture(params=[Suite.ECDSA_P256, Suite.RSA_2048])
def instance(request: pytest.FixtureRequest) -> Instance:
    return instance_of(request.param)


def request_of(**fields: Any) -> bytes:
    imprint = fields.pop("imprint", ("sha256", DIGEST))
    body = {
        "version": "v1",
        "message_imprint": {"hash_algorithm": {"algorithm": imprint[0]}, "hashed_message": imprint[1]},
        **fields,
    }
    return bytes(tsp.TimeStampReq(body).dump())


def token_in(answer: bytes) -> cms.SignedData:
    response = TimeStampResponse.load(answer, strict=True)
    assert response["status"]["status"].native == "granted"
    return response["time_stamp_token"]["content"]


def info_in(answer: bytes) -> tsp.TSTInfo:
    return token_in(answer)["encap_content_info"]["content"].parsed


def test_a_token_is_signed_by_the_unit_over_der_attributes_with_its_certificate_bound(instance: Instance) -> None:
    signed = token_in(instance.services.timestamp(timestamp_request(DIGEST, 7)))
    certificate = instance.certificate(AuthorityRole.TIMESTAMP)
    assert signed["version"].native == "v3"
    assert [one.chosen.dump() for one in signed["certificates"]] == [certificate.dump()]
    (signer,) = signed["signer_infos"]
    content = signed["encap_content_info"]["content"].contents
    attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    assert set(attributes) == {"content_type", "message_digest", "signing_certificate_v2"}
    assert attributes["message_digest"][0].native == hashlib.sha256(content).digest()
    bound = attributes["signing_certificate_v2"][0]["certs"][0]
    assert bound["cert_hash"].native == hashlib.sha256(certificate.dump()).digest()
    encodings = [one.dump() for one in signer["signed_attrs"]]
    assert encodings == sorted(encodings)  # DER SET OF: X.690, 11.6
    message = signer["signed_attrs"].untag().dump()
    assert message[0] == 0x31
    assert is_signed_by(
        certificate.public_key.dump(), signer["signature_algorithm"], message, signer["signature"].native
    )


def test_a_token_states_imprint_nonce_policy_accuracy_and_time() -> None:
    instance = instance_of()
    instance.clock.moment = instance.clock.now().replace(microsecond=123_456)
    info = info_in(instance.services.timestamp(request_of(nonce=2**100 + 1, cert_req=True, req_policy=POLICY)))
    assert info["message_imprint"]["hashed_message"].native == DIGEST
    assert info["nonce"].native == 2**100 + 1
    assert info["policy"].dotted == POLICY
    assert info["accuracy"]["seconds"].native == 1
    assert info["gen_time"].native == instance.clock.now().replace(microsecond=123_000)
    assert info["serial_number"].native > 0


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [
        (0, b"20261123080000Z"),
        (120_999, b"20261123080000.12Z"),
        (999, b"20261123080000Z"),
        (5_000, b"20261123080000.005Z"),
    ],
)
def test_the_fraction_of_the_time_has_at_most_milliseconds_and_no_trailing_zero(microsecond: int, text: bytes) -> None:
    """RFC 3161, 2.4.2."""
    instance = instance_of()
    year = instance.clock.now().year
    instance.clock.moment = datetime(year + 1, 11, 23, 8, 0, 0, microsecond, tzinfo=UTC)
    info = info_in(instance.services.timestamp(request_of()))
    assert info["gen_time"].contents == text.replace(b"2026", str(year + 1).encode())


def test_without_cert_req_no_certificate_is_enclosed_and_without_nonce_none_is_echoed() -> None:
    instance = instance_of()
    answer = instance.services.timestamp(request_of())
    assert not token_in(answer)["certificates"]
    assert info_in(answer)["nonce"].native is None


@pytest.mark.parametrize(("algorithm", "length"), [("sha256", 32), ("sha384", 48), ("sha512", 64)])
def test_digests_of_the_sha_2_family_are_stamped(algorithm: str, length: int) -> None:
    info = info_in(instance_of().services.timestamp(request_of(imprint=(algorithm, b"d" * length))))
    imprint = info["message_imprint"]
    assert (imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native) == (
        algorithm,
        b"d" * length,
    )


def test_serial_numbers_do_not_repeat() -> None:
    instance = instance_of()
    serials = {info_in(instance.services.timestamp(request_of()))["serial_number"].native for _ in range(30)}
    assert len(serials) == 30
    assert max(serials) > 2**64


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        ({"imprint": ("sha1", b"d" * 20)}, "bad_alg"),
        ({"imprint": ("md5", b"d" * 16)}, "bad_alg"),
        ({"imprint": ("1.2.156.10197.1.401", b"d" * 32)}, "bad_alg"),
        ({"imprint": ("sha256", b"d" * 31)}, "bad_data_format"),
        ({"imprint": ("sha256", b"")}, "bad_data_format"),
        ({"version": "v2"}, "bad_request"),
        ({"req_policy": "1.2.3"}, "unaccepted_policy"),
        ({"extensions": [{"extn_id": "1.2.3", "extn_value": b""}]}, "unaccepted_extensions"),
    ],
)
def test_what_cannot_be_granted_is_rejected_with_its_reason(fields: dict[str, Any], failure: str) -> None:
    assert rejected(instance_of(), request_of(**fields)) == {failure}


def rejected(instance: Instance, request: bytes) -> set[str]:
    response = TimeStampResponse.load(instance.services.timestamp(request), strict=True)
    assert response["status"]["status"].native == "rejection"
    assert not response["time_stamp_token"]
    return set(response["status"]["fail_info"].native)


def test_malformed_requests_are_rejected() -> None:
    instance = instance_of()
    good = request_of(nonce=1)
    for request in [
        b"",
        b"\x00",
        good[:-1],
        good + b"\x00",
        b"\x30" * 3000,
        bytes(5000),
        request_of(nonce=1 << 40_000),
    ]:
        assert rejected(instance, request) == {"bad_data_format"}


@given(st.binary(max_size=120), st.data())
def test_no_bytes_whatever_raise(garbage: bytes, data: st.DataObject) -> None:
    instance = instance_of()
    good = request_of(nonce=5, cert_req=True)
    position = data.draw(st.integers(0, len(good)))
    for request in (garbage, good[:position] + garbage + good[position + len(garbage) :]):
        TimeStampResponse.load(instance.services.timestamp(request), strict=True)


def test_a_unit_whose_certificate_is_over_stamps_nothing() -> None:
    instance = instance_of()
    instance.clock.moment = instance.certificate(AuthorityRole.TIMESTAMP).not_valid_after
    assert rejected(instance, request_of()) == {"system_failure"}


def test_the_embedded_unit_is_an_authority(instance: Instance) -> None:
    authority: TimestampAuthority = EmbeddedTimestampAuthority(instance.unit.answer, instance.entropy)
    token = cms.ContentInfo.load(authority.timestamp(DIGEST), strict=True)
    info = token["content"]["encap_content_info"]["content"].parsed
    assert info["message_imprint"]["hashed_message"].native == DIGEST


def first_answering(
    instance: Instance, *answers: Callable[[bytes], bytes], trust: TrustStore | None = None
) -> FirstAnsweringTimestampAuthority:
    """Authorities named 0, 1, …, checked as an instance checks them."""
    authorities = [EmbeddedTimestampAuthority(answer, instance.entropy) for answer in answers]
    for number, authority in enumerate(authorities):
        authority.name = f"http://{number}.example"
    return FirstAnsweringTimestampAuthority(authorities, trust or InstanceTrustStore(instance.records), instance.clock)


def time_of(token: bytes) -> datetime:
    info = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
    moment = info["gen_time"].native
    assert isinstance(moment, datetime)
    return moment


def test_the_first_authority_that_answers_is_taken_and_failures_are_logged_and_not_told(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable(_: bytes) -> bytes:
        return b"\x30\x00"

    def refusing(_: bytes) -> bytes:
        return instance.unit.answer(b"")

    assert first_answering(instance, unreadable, refusing, instance.unit.answer).timestamp(DIGEST)
    caplog.clear()
    with pytest.raises(TimestampUnavailable) as failed:
        first_answering(instance, unreadable, refusing).timestamp(DIGEST)
    assert (failed.value.message, failed.value.details) == ("No time-stamping authority answered.", {})
    assert "http://0.example: The answer cannot be read" in caplog.text
    assert "http://1.example: The authority refused: bad_data_format" in caplog.text
    with pytest.raises(TimestampUnavailable, match="configured"):
        first_answering(instance).timestamp(DIGEST)


TIME_STAMPING = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
TWO_PURPOSES = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH]), True)
IS_CA = (x509.BasicConstraints(ca=True, path_length=None), True)
UNIT_KEY, ISSUER_KEY, ROOT_KEY = (private_key(f"tsa {name}", Suite.RSA_2048) for name in ("unit", "issuer", "root"))


def stamped_by(
    unit: x509.Certificate, at: datetime, *enclosed: x509.Certificate, key: PrivateKey = UNIT_KEY
) -> Callable[[bytes], bytes]:
    """An authority with this certificate and clock, right in everything else."""
    store = SimpleCertificateStore()
    for one in enclosed:
        store.register(asn1_x509.Certificate.load(der(one)))
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    stamper = DummyTimeStamper(
        asn1_x509.Certificate.load(der(unit)),
        asn1_keys.PrivateKeyInfo.load(private),
        certs_to_embed=store,
        fixed_dt=at,
    )
    return lambda request: bytes(stamper.request_tsa_response(tsp.TimeStampReq.load(request)).dump())


ROOT = certificate("别处根CA 样章", ROOT_KEY, None, ROOT_KEY, IS_CA)
ISSUER = certificate("别处CA 样章", ISSUER_KEY, ROOT, ROOT_KEY, IS_CA)
NO_CA = certificate("别处CA 样章", ISSUER_KEY, ROOT, ROOT_KEY)
UNIT = certificate("别处时间戳 样章", UNIT_KEY, ISSUER, ISSUER_KEY, TIME_STAMPING)
SELF_SIGNED = certificate("自签时间戳 样章", UNIT_KEY, None, UNIT_KEY, TIME_STAMPING)
NO_UNIT = certificate("别处网站 样章", UNIT_KEY, ISSUER, ISSUER_KEY, TWO_PURPOSES)
FORGED = certificate("别处时间戳 样章", UNIT_KEY, ISSUER, UNIT_KEY, TIME_STAMPING)
TRUSTING = InstanceTrustStore(None, (), (der(ROOT),))
NOT_FOR_TIME = InstanceTrustStore(None, (der(ROOT),), ())

UNTRUSTED: dict[str, tuple[Callable[[datetime], Callable[[bytes], bytes]], TrustStore, str]] = {
    "self-signed": (lambda now: stamped_by(SELF_SIGNED, now), TRUSTING, "does not chain"),
    "an issuer that is not known": (lambda now: stamped_by(UNIT, now), TRUSTING, "does not chain"),
    "a root trusted for signatures alone": (lambda now: stamped_by(UNIT, now, ISSUER), NOT_FOR_TIME, "does not chain"),
    "an issuer that is no CA": (lambda now: stamped_by(UNIT, now, NO_CA), TRUSTING, "does not chain"),
    "an issuer's name without its signature": (
        lambda now: stamped_by(FORGED, now, ISSUER),
        TRUSTING,
        "does not chain",
    ),
    "a certificate for other purposes too": (
        lambda now: stamped_by(NO_UNIT, now, ISSUER),
        TRUSTING,
        "not one for time-stamping",
    ),
    "another's certificate, enclosed": (
        lambda now: stamped_by(UNIT, now, ISSUER, SELF_SIGNED, key=ISSUER_KEY),
        TRUSTING,
        "signature is wrong",
    ),
    "a clock years behind": (
        lambda now: stamped_by(UNIT, now - timedelta(days=1461), ISSUER),
        TRUSTING,
        "differs by -126230400 s",
    ),
    "a clock that is behind": (
        lambda now: stamped_by(UNIT, now - timedelta(minutes=6), ISSUER),
        TRUSTING,
        "differs by -360 s",
    ),
    "a clock that is ahead": (lambda now: stamped_by(UNIT, now + timedelta(minutes=6), ISSUER), TRUSTING, "by 360 s"),
}


@pytest.mark.parametrize("case", list(UNTRUSTED))
def test_a_token_that_verification_would_not_trust_is_not_taken_and_the_next_authority_is_asked(
    case: str, caplog: pytest.LogCaptureFixture
) -> None:
    instance = instance_of()
    instance.clock.moment = NOW
    bad, trust, reason = UNTRUSTED[case]
    good = stamped_by(UNIT, NOW + timedelta(minutes=4), ISSUER)
    with pytest.raises(TimestampUnavailable):
        first_answering(instance, bad(NOW), trust=trust).timestamp(DIGEST)
    assert reason in caplog.text
    assert "http://0.example" in caplog.text
    token = first_answering(instance, bad(NOW), good, trust=TRUSTING).timestamp(DIGEST)
    if trust is TRUSTING:
        assert time_of(token) == NOW + timedelta(minutes=4), "the second authority's"


def test_a_unit_whose_certificate_is_over_is_not_trusted(caplog: pytest.LogCaptureFixture) -> None:
    instance = instance_of()
    instance.clock.moment = NOW + timedelta(days=1001)
    with pytest.raises(TimestampUnavailable):
        first_answering(instance, stamped_by(UNIT, instance.clock.now(), ISSUER), trust=TRUSTING).timestamp(DIGEST)
    assert "was not valid at the token's time" in caplog.text


def test_a_token_for_another_digest_or_request_is_not_taken() -> None:
    instance = instance_of()
    elsewhere = instance.unit.answer(timestamp_request(hashlib.sha256(b"other").digest(), 1))
    replayed = instance.unit.answer(timestamp_request(DIGEST, 1))
    without_nonce = instance.unit.answer(request_of(cert_req=True))
    for answer in (elsewhere, replayed, without_nonce):
        with pytest.raises(TimestampUnavailable):
            EmbeddedTimestampAuthority(lambda _, answer=answer: answer, instance.entropy).timestamp(DIGEST)  # type: ignore[misc]


def test_a_token_whose_signature_is_wrong_is_not_taken(instance: Instance) -> None:
    def forged(request: bytes) -> bytes:
        answer = tsp.TimeStampResp.load(instance.unit.answer(request))
        signer = answer["time_stamp_token"]["content"]["signer_infos"][0]
        signature = bytearray(signer["signature"].native)
        signature[-1] ^= 1
        signer["signature"] = bytes(signature)
        return bytes(answer.dump(force=True))

    with pytest.raises(TimestampUnavailable, match="signature"):
        EmbeddedTimestampAuthority(forged, instance.entropy).timestamp(DIGEST)


@given(st.integers(0, 9999), st.integers(1, 255))
def test_damaged_answers_are_unavailable_or_unharmed(position: int, change: int) -> None:
    instance = instance_of()

    def damaged(request: bytes) -> bytes:
        answer = bytearray(instance.unit.answer(request))
        answer[position % len(answer)] ^= change
        return bytes(answer)

    try:
        token = EmbeddedTimestampAuthority(damaged, instance.entropy).timestamp(DIGEST)
    except TimestampUnavailable:
        return
    info = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
    assert info["message_imprint"]["hashed_message"].native == DIGEST
