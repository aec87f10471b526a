from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509

from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import AUTHORITY_RULES
from seal_service.domain.errors import CertificateNotFound, Conflict, InvalidInput
from seal_service.domain.issuance import AuthorityRole, CertificateStatus
from seal_service.pki.certificates import serial_text
from seal_service.pki.internal_ca import REVOCATION_REASONS
from seal_service.pki.timestamp_client import EmbeddedTimestampAuthority
from tests.pki_instance import Instance, instance_of


@pytest.fixture(params=[Suite.ECDSA_P256, Suite.RSA_2048])
def instance(request: pytest.FixtureRequest) -> Instance:
    return instance_of(request.param)


def listed(crl: bytes) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for entry in x509.load_der_x509_crl(crl):
        try:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        except x509.ExtensionNotFound:
            reason = None
        found[serial_text(entry.serial_number)] = reason
    return found


def number(crl: bytes) -> int:
    return x509.load_der_x509_crl(crl).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_an_empty_list_is_signed_dated_and_numbered(instance: Instance) -> None:
    for role, content in (
        (AuthorityRole.ISSUING, instance.services.crl()),
        (AuthorityRole.ROOT, instance.services.root_crl()),
    ):
        crl = x509.load_der_x509_crl(content)
        issuer = x509.load_der_x509_certificate(instance.services.certificate(role))
        assert crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        assert crl.issuer == issuer.subject
        assert len(crl) == 0
        now = instance.clock.now().replace(microsecond=0)
        assert (crl.last_update_utc, crl.next_update_utc) == (now, now + timedelta(hours=24))
        identifier = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        assert identifier == issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def test_a_list_shows_hold_release_and_revocation_from_the_commit_on() -> None:
    instance = instance_of()
    one, other = instance.issue().serial, instance.issue().serial
    assert listed(instance.services.crl()) == {}
    instance.hold(one)
    assert listed(instance.services.crl()) == {one: "certificateHold"}
    instance.revoke(other, "key_compromise")
    assert listed(instance.services.crl()) == {one: "certificateHold", other: "keyCompromise"}
    instance.release(one)
    assert listed(instance.services.crl()) == {other: "keyCompromise"}


def test_what_was_not_committed_is_not_listed() -> None:
    instance = instance_of()
    serial = instance.issue().serial
    with instance.records.write() as transaction:
        instance.authority.hold(transaction, serial, instance.clock.now())
        assert listed(instance.services.crl()) == {}
    assert listed(instance.services.crl()) == {}


def test_an_unspecified_reason_is_left_out() -> None:
    """RFC 5280, 5.3.1."""
    instance = instance_of()
    serial = instance.issue().serial
    instance.revoke(serial, "unspecified")
    assert listed(instance.services.crl()) == {serial: None}


@pytest.mark.parametrize("reason", sorted(REVOCATION_REASONS))
def test_every_reason_can_stand_in_list_and_answer(reason: str) -> None:
    instance = instance_of()
    serial = instance.issue().serial
    instance.revoke(serial, reason)
    assert list(listed(instance.services.crl())) == [serial]


def test_lists_are_kept_for_an_hour_while_nothing_changes_and_their_numbers_only_grow() -> None:
    instance = instance_of()
    first = instance.services.crl()
    instance.clock.forward(timedelta(minutes=59))
    assert instance.services.crl() == first
    assert instance.lists.current(AuthorityRole.ISSUING, instance.clock.now()) != first
    instance.clock.forward(timedelta(minutes=61))
    second = instance.services.crl()
    assert number(second) > number(first)
    instance.clock.forward(timedelta(microseconds=1))
    instance.hold(instance.issue().serial)
    assert number(instance.services.crl()) > number(second)


def test_a_list_never_serves_from_a_clock_that_was_set_back() -> None:
    instance = instance_of()
    first = instance.services.crl()
    instance.clock.forward(timedelta(minutes=-5))
    assert instance.services.crl() != first


def test_the_roots_list_holds_what_the_root_issued_and_the_issuers_list_the_rest() -> None:
    instance = instance_of()
    seal = instance.issue().serial
    instance.hold(seal)
    serials = {role: serial_text(instance.certificate(role).serial_number) for role in AUTHORITY_RULES}
    for role in (AuthorityRole.ISSUING, AuthorityRole.TIMESTAMP, AuthorityRole.OCSP):
        instance.revoke(serials[role], "superseded")
    assert set(listed(instance.services.root_crl())) == {
        serials[AuthorityRole.ISSUING],
        serials[AuthorityRole.TIMESTAMP],
    }
    assert set(listed(instance.services.crl())) == {seal, serials[AuthorityRole.OCSP]}


def test_a_revocation_is_final() -> None:
    instance = instance_of()
    serial = instance.issue().serial
    instance.revoke(serial, "cessation_of_operation")
    instance.revoke(serial, "key_compromise")
    for act in (instance.hold, instance.release):
        with pytest.raises(Conflict):
            act(serial)
    assert listed(instance.services.crl()) == {serial: "cessationOfOperation"}


def test_a_certificate_on_hold_that_is_revoked_counts_as_revoked_from_the_hold_on() -> None:
    instance = instance_of()
    serial = instance.issue().serial
    held_at = instance.clock.now()
    instance.hold(serial)
    instance.clock.forward(timedelta(days=3))
    instance.hold(serial)
    instance.revoke(serial)
    with instance.records.read() as transaction:
        found = transaction.certificates.find(serial)
    assert found is not None
    assert (found.status, found.status_since) == (CertificateStatus.REVOKED, held_at)


def test_certificates_that_are_not_ours_have_no_status() -> None:
    instance = instance_of()
    for act in (instance.hold, instance.release, instance.revoke):
        with pytest.raises(CertificateNotFound):
            act("4f")


@pytest.mark.parametrize("reason", ["certificate_hold", "remove_from_crl", "lost", ""])
def test_what_is_no_reason_to_revoke_is_refused(reason: str) -> None:
    instance = instance_of()
    serial = instance.issue().serial
    with pytest.raises(InvalidInput):
        instance.revoke(serial, reason)


def test_threads_share_the_services() -> None:
    instance = instance_of()
    serials = [instance.issue().serial for _ in range(8)]
    issuer = x509.load_der_x509_certificate(instance.services.certificate(AuthorityRole.ISSUING))

    def work(turn: int) -> bool:
        instance.hold(serials[turn % 8])
        crl = x509.load_der_x509_crl(instance.services.crl())
        stamped = EmbeddedTimestampAuthority(instance.services.timestamp, instance.entropy).timestamp(bytes(32))
        valid = crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        return (
            valid
            and crl.get_revoked_certificate_by_serial_number(int(serials[turn % 8], 16)) is not None
            and bool(stamped)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))


def test_certificates_are_given_out_by_role() -> None:
    instance = instance_of()
    for role in ("seal", "", "ROOT"):
        with pytest.raises(CertificateNotFound):
            instance.services.certificate(role)
