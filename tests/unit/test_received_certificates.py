"""Certificates and keys in the forms in which other programs hand them over; written here by another library."""

from __future__ import annotations

import base64
import contextlib
import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import InvalidInput
from seal_service.domain.issuance import CertificateSubject
from seal_service.formats.pkcs10 import read_request, request_as_pem
from seal_service.formats.private_keys import read_key_file
from seal_service.formats.received import as_pem, certificates_only, decoded, received_certificate
from seal_service.pki.certificate_request import SigningRequestWriter
from tests.pki_instance import instance_of

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
SUBJECT = CertificateSubject(organization="11999900MB1A00001K示例市样章局", common_name="99990000000001")


def made(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(OTHER, hashes.SHA256())


LEAF, ISSUER = made(KEY, "leaf"), made(OTHER, "issuer")
DER_LEAF, DER_ISSUER = (one.public_bytes(Encoding.DER) for one in (LEAF, ISSUER))
PUBLIC = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
FORMS = {
    "pem": b"".join(one.public_bytes(Encoding.PEM) for one in (LEAF, ISSUER)),
    "pem, issuer first": b"".join(one.public_bytes(Encoding.PEM) for one in (ISSUER, LEAF)),
    "pkcs7 pem": pkcs7.serialize_certificates([ISSUER, LEAF], Encoding.PEM),
    "pkcs7 der": pkcs7.serialize_certificates([ISSUER, LEAF], Encoding.DER),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_certificate_of_the_key_is_found_in_every_form(form: str) -> None:
    received = received_certificate(FORMS[form], PUBLIC)
    assert (received.certificate, received.further) == (DER_LEAF, (DER_ISSUER,))
    assert received_certificate(as_pem(FORMS[form]), PUBLIC) == received


def test_one_certificate_in_der_stands_alone() -> None:
    received = received_certificate(DER_LEAF, PUBLIC)
    assert (received.certificate, received.further) == (DER_LEAF, ())
    assert received_certificate(DER_ISSUER, PUBLIC).certificate == DER_ISSUER, "the check refuses it with its reason"


def test_too_many_certificates_and_too_many_bytes_are_refused() -> None:
    many = [made(KEY, f"leaf {number}") for number in range(51)]
    with pytest.raises(InvalidInput, match="more than 50"):
        certificates_only(pkcs7.serialize_certificates(many, Encoding.DER))
    with pytest.raises(InvalidInput, match="more than 50"):
        received_certificate(b"".join(one.public_bytes(Encoding.PEM) for one in many), PUBLIC)
    with pytest.raises(InvalidInput, match="bytes"):
        received_certificate(b"\x30" * (2 << 20), PUBLIC)


@given(st.binary(max_size=300) | st.integers(0, len(FORMS["pkcs7 der"])).map(lambda cut: FORMS["pkcs7 der"][:cut]))
@example(b"")
@example(b"-----BEGIN PKCS7-----\nMA==\n-----END PKCS7-----\n")
@example(FORMS["pkcs7 der"][:-1])
def test_bytes_from_outside_raise_nothing_but_typed_errors(content: bytes) -> None:
    for read in (
        lambda: received_certificate(content, PUBLIC),
        lambda: certificates_only(content),
        lambda: decoded(content),
        lambda: read_request(content),
        lambda: read_key_file(content, b"x"),
    ):
        with contextlib.suppress(InvalidInput):
            read()


def test_base64_may_be_broken_into_lines_and_hold_nothing_else() -> None:
    content = os.urandom(200)
    assert decoded(base64.encodebytes(content).replace(b"\n", b"\r\n")) == content
    with pytest.raises(InvalidInput):
        decoded(b"AAAA!AAA")


PLAIN = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
ENCRYPTED = BestAvailableEncryption("样章口令".encode())


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (PLAIN, None),
        (KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), None),
        (KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, ENCRYPTED), "样章口令"),
        (KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, ENCRYPTED), "样章口令"),
        (pkcs12.serialize_key_and_certificates(b"seal", KEY, LEAF, [ISSUER], ENCRYPTED), "样章口令"),
        (pkcs12.serialize_key_and_certificates(b"seal", KEY, LEAF, [ISSUER], NoEncryption()), None),
    ],
)
def test_a_key_is_read_in_every_form_and_never_shown(content: bytes, password: str | None) -> None:
    found = read_key_file(content, None if password is None else password.encode())
    assert found.private_key == PLAIN
    assert found.certificates in ((), (DER_LEAF, DER_ISSUER))
    assert repr(PLAIN)[2:20] not in repr(found)
    if password is not None:
        for wrong in (None, b"wrong"):
            with pytest.raises(InvalidInput, match="password"):
                read_key_file(content, wrong)


def test_a_key_of_another_kind_is_refused() -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    with pytest.raises(InvalidInput, match="kinds"):
        read_key_file(other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), None)
    without_key = pkcs12.serialize_key_and_certificates(b"seal", None, LEAF, None, NoEncryption())
    with pytest.raises(InvalidInput, match="no private key"):
        read_key_file(without_key, None)
    long = rsa.generate_private_key(65537, 2048)
    assert read_key_file(long.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), None).private_key


@pytest.mark.parametrize("suite", list(Suite))
def test_another_library_reads_our_requests_and_finds_them_signed(suite: Suite) -> None:
    """RFC 2986; key usage as an extension request (RFC 2985, 5.4.2)."""
    instance = instance_of(Suite.ECDSA_P256)
    reference = f"seal-{os.urandom(4).hex()}"
    key = instance.keys.create(reference, suite)
    request = SigningRequestWriter(instance.keys).write(reference, SUBJECT, None)
    read = x509.load_der_x509_csr(request)
    assert read.is_signature_valid
    assert x509.load_pem_x509_csr(request_as_pem(request).encode()) == read
    usage = read.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    asked = read_request(request)
    assert asked.common_name == SUBJECT.common_name
    assert asked.organizations == frozenset({SUBJECT.organization})
    assert asked.public_key_info == key.public_key_info


def test_a_renewal_asks_for_the_subject_byte_for_byte() -> None:
    """RFC 7030, 4.2.2; here it holds what our own convention has not."""
    instance = instance_of(Suite.ECDSA_P256)
    reference = f"seal-{os.urandom(4).hex()}"
    instance.keys.create(reference, Suite.ECDSA_P256)
    request = SigningRequestWriter(instance.keys).write(reference, SUBJECT, DER_LEAF)
    assert x509.load_der_x509_csr(request).subject.public_bytes() == LEAF.subject.public_bytes()
