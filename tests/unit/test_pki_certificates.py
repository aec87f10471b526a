from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import AUTHORITY_RULES
from seal_service.domain.errors import AlreadyRegistered, InstanceNotReady, InvalidInput
from seal_service.domain.issuance import AuthorityRole
from seal_service.formats.der import x509_time
from seal_service.pki.chains import KnownChains
from seal_service.pki.foundation import InternalAuthorityFoundation
from seal_service.pki.internal_ca import InternalCertificateAuthority
from seal_service.pki.trust import InstanceTrustStore
from seal_service.ports.crypto import AuthorityFoundation, CertificateAuthority
from seal_service.testing import MemoryRecords
from tests.pki_instance import CITY, ORGANIZATION, PUBLIC_URL, SUBJECT, Instance, SystemEntropy, instance_of


@pytest.fixture(params=[Suite.ECDSA_P256, Suite.RSA_2048])
def instance(request: pytest.FixtureRequest) -> Instance:
    return instance_of(request.param)


def loaded(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def of_role(instance: Instance, role: AuthorityRole) -> x509.Certificate:
    return loaded(instance.services.certificate(role))


def test_every_certificate_is_issued_as_the_foundation_draws_it(instance: Instance) -> None:
    root, issuing = of_role(instance, AuthorityRole.ROOT), of_role(instance, AuthorityRole.ISSUING)
    root.verify_directly_issued_by(root)
    issuing.verify_directly_issued_by(root)
    of_role(instance, AuthorityRole.TIMESTAMP).verify_directly_issued_by(root)
    of_role(instance, AuthorityRole.OCSP).verify_directly_issued_by(issuing)
    seal = instance.issue().certificate
    loaded(seal).verify_directly_issued_by(issuing)
    assert [loaded(one) for one in instance.authority.chain(seal)] == [issuing, root]


def test_a_seal_certificate_carries_the_provinces_subject_in_the_right_string_types(instance: Instance) -> None:
    der = instance.issue().certificate
    subject = loaded(der).subject
    assert [attribute.oid for attribute in subject] == [
        NameOID.COUNTRY_NAME,
        NameOID.ORGANIZATION_NAME,
        NameOID.COMMON_NAME,
    ]
    assert [attribute.value for attribute in subject] == ["CN", SUBJECT.organization, SUBJECT.common_name]
    kinds = [rdn[0]["value"].name for rdn in asn1.Certificate.load(der).subject.chosen]
    assert kinds == ["printable_string", "utf8_string", "utf8_string"]


def test_a_seal_certificate_has_the_extensions_of_rfc_5280(instance: Instance) -> None:
    certificate = loaded(instance.issue().certificate)
    issuing = of_role(instance, AuthorityRole.ISSUING)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not any((usage.value.key_cert_sign, usage.value.crl_sign, usage.value.key_encipherment))
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert not constraints.value.ca
    identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert identifier == issuing.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [name.value for point in points for name in point.full_name or ()] == [f"{PUBLIC_URL}/pki/issuing.crl"]
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert {(one.access_method, one.access_location.value) for one in access} == {
        (AuthorityInformationAccessOID.OCSP, f"{PUBLIC_URL}/pki/ocsp"),
        (AuthorityInformationAccessOID.CA_ISSUERS, f"{PUBLIC_URL}/pki/issuing.cer"),
    }
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)


def test_the_authorities_are_constrained(instance: Instance) -> None:
    root = of_role(instance, AuthorityRole.ROOT).extensions.get_extension_for_class(x509.BasicConstraints)
    issuing = of_role(instance, AuthorityRole.ISSUING).extensions.get_extension_for_class(x509.BasicConstraints)
    assert (root.critical, root.value.ca, root.value.path_length) == (True, True, None)
    assert (issuing.critical, issuing.value.ca, issuing.value.path_length) == (True, True, 0)
    unit = of_role(instance, AuthorityRole.TIMESTAMP).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert unit.critical  # RFC 3161, 2.3
    assert list(unit.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    responder = of_role(instance, AuthorityRole.OCSP).extensions
    assert list(responder.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    responder.get_extension_for_class(x509.OCSPNoCheck)


def test_a_seal_is_valid_from_now_to_the_second_for_the_set_days(instance: Instance) -> None:
    issued = instance.issue()
    start = instance.clock.now().replace(microsecond=0)
    assert (issued.not_before, issued.not_after) == (start, start + timedelta(days=1095))
    certificate = loaded(issued.certificate)
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (issued.not_before, issued.not_after)


def test_a_seal_never_outlives_its_issuer() -> None:
    instance = instance_of()
    issuing = instance.certificate(AuthorityRole.ISSUING)
    instance.clock.moment = issuing.not_valid_after - timedelta(days=10)
    assert instance.issue().not_after == issuing.not_valid_after
    instance.clock.moment = issuing.not_valid_after
    with pytest.raises(InstanceNotReady):
        instance.issue()


def test_serial_numbers_are_random_positive_and_of_20_octets() -> None:
    instance = instance_of()
    serials = {instance.issue().serial for _ in range(50)}
    assert len(serials) == 50
    assert {len(serial) for serial in serials} == {40}
    assert all(0 < int(serial, 16) < 2**159 for serial in serials)


def test_what_is_issued_is_recorded_with_the_transaction_or_not_at_all() -> None:
    instance = instance_of()
    with instance.records.write() as transaction:
        lost = instance.authority.issue(
            transaction, SUBJECT, instance.key(AuthorityRole.OCSP).public_key_info, instance.clock.now()
        )
    kept = instance.issue()
    with instance.records.read() as transaction:
        assert transaction.certificates.find(lost.serial) is None
        assert transaction.certificates.find(kept.serial) == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [("organization", "长" * 65), ("organization", ""), ("common_name", "1" * 65), ("country", "中国")],
)
def test_subjects_beyond_the_bounds_of_rfc_5280_are_refused(field: str, value: str) -> None:
    instance = instance_of()
    key = instance.key(AuthorityRole.OCSP)
    with instance.records.write() as transaction, pytest.raises(InvalidInput):
        instance.authority.issue(
            transaction, replace(SUBJECT, **{field: value}), key.public_key_info, instance.clock.now()
        )


def test_keys_of_no_suite_are_refused() -> None:
    instance = instance_of()
    weak = rsa.generate_private_key(65537, 1024).public_key()
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    bad = [one.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for one in (weak, other)]
    for public_key_info in [*bad, b"", b"\x30\x03\x02\x01\x00", b"\x30" * 3000]:
        with instance.records.write() as transaction, pytest.raises(InvalidInput):
            instance.authority.issue(transaction, SUBJECT, public_key_info, instance.clock.now())


def test_dates_are_utc_time_through_2049_and_generalized_time_from_2050() -> None:
    """RFC 5280, 4.1.2.5."""
    assert x509_time(datetime(2049, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)).dump().hex() == (
        "170d" + b"491231235959Z".hex()
    )
    assert x509_time(datetime(2050, 1, 1, tzinfo=UTC)).dump().hex() == "180f" + b"20500101000000Z".hex()
    beijing = datetime(2050, 1, 1, 7, 59, 59, tzinfo=timezone(timedelta(hours=8)))
    assert x509_time(beijing).dump().hex() == "170d" + b"491231235959Z".hex()


def test_an_instance_is_founded_once_and_before_anything_is_issued() -> None:
    instance = instance_of()
    foundation: AuthorityFoundation = InternalAuthorityFoundation(
        instance.keys, instance.entropy, PUBLIC_URL, CITY, ORGANIZATION
    )
    with instance.records.write() as transaction, pytest.raises(AlreadyRegistered):
        foundation.found(transaction, Suite.ECDSA_P256, instance.clock.now())
    empty = MemoryRecords()
    chains = KnownChains(empty, InstanceTrustStore(empty), instance.clock)
    authority: CertificateAuthority = InternalCertificateAuthority(
        chains, instance.keys, SystemEntropy(), PUBLIC_URL, 365
    )
    assert authority.chain(instance.issue().certificate) == ()
    with empty.write() as transaction, pytest.raises(InstanceNotReady):
        authority.issue(transaction, SUBJECT, instance.key(AuthorityRole.OCSP).public_key_info, instance.clock.now())


def test_a_founding_that_was_rolled_back_can_be_repeated() -> None:
    instance = instance_of()
    records = MemoryRecords()
    foundation = InternalAuthorityFoundation(instance.keys, instance.entropy, PUBLIC_URL, CITY, ORGANIZATION)
    with records.write() as transaction:
        foundation.found(transaction, Suite.ECDSA_P256, instance.clock.now())
    with records.write() as transaction:
        credentials = foundation.found(transaction, Suite.ECDSA_P256, datetime(2028, 2, 29, 12, tzinfo=UTC))
        transaction.commit()
    assert [one.role for one in credentials] == list(AUTHORITY_RULES)
    assert credentials[0].not_after == datetime(2048, 2, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize("url", ["seal.example", "ftp://seal.example", "http://印章.example"])
def test_a_public_address_that_cannot_stand_in_a_certificate_is_refused(url: str) -> None:
    instance = instance_of()
    with pytest.raises(InvalidInput):
        InternalCertificateAuthority(instance.chains, instance.keys, SystemEntropy(), url, 365)
