"""pyHanko's path validator, which judges seals in PDF, agrees with what the room makes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from asn1crypto import crl, ocsp, x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathValidationError, RevokedError

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import RevocationUnavailable
from seal_service.domain.issuance import AuthorityRole
from seal_service.pki.revocation_source import FirstAnsweringRevocation, OwnRevocation
from seal_service.ports.crypto import RevocationEvidence, RevocationSource
from tests.pki_instance import Instance, instance_of


@pytest.fixture(params=[Suite.ECDSA_P256, Suite.RSA_2048])
def instance(request: pytest.FixtureRequest) -> Instance:
    return instance_of(request.param)


def source_of(instance: Instance) -> OwnRevocation:
    return OwnRevocation(instance.records, instance.responder, instance.lists, instance.clock)


def validate(instance: Instance, certificate: bytes, evidence: list[RevocationEvidence]) -> None:
    issuing, root = instance.issuers()
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(root)],
        other_certs=[x509.Certificate.load(one) for item in evidence for one in item.further_certificates],
        moment=instance.clock.now(),
        allow_fetching=False,
        revocation_mode="require",
        ocsps=[ocsp.OCSPResponse.load(one) for item in evidence for one in item.ocsp_responses],
        crls=[crl.CertificateList.load(one) for item in evidence for one in item.crls],
    )
    validator = CertificateValidator(
        x509.Certificate.load(certificate),
        intermediate_certs=[x509.Certificate.load(issuing)],
        validation_context=context,
    )
    asyncio.run(validator.async_validate_usage({"digital_signature"}))


def evidence_on(instance: Instance, certificate: bytes) -> list[RevocationEvidence]:
    issuing, root = instance.issuers()
    source = source_of(instance)
    return [source.evidence(certificate, issuing, None), source.evidence(issuing, root, None)]


def test_a_seal_is_valid_by_ocsp_and_its_issuer_by_the_roots_list(instance: Instance) -> None:
    certificate = instance.issue().certificate
    evidence = evidence_on(instance, certificate)
    assert evidence[0].ocsp_responses
    assert evidence[1].crls
    validate(instance, certificate, evidence)


def test_a_seal_is_valid_by_the_issuers_list(instance: Instance) -> None:
    certificate = instance.issue().certificate
    lists = RevocationEvidence(crls=(instance.services.crl(), instance.services.root_crl()))
    validate(instance, certificate, [lists])


@pytest.mark.parametrize("by_list", [False, True])
def test_a_held_and_a_revoked_seal_are_refused_and_a_released_one_is_valid(instance: Instance, by_list: bool) -> None:
    issued = instance.issue()

    def judge() -> None:
        instance.clock.forward(timedelta(seconds=1))
        if by_list:
            lists = RevocationEvidence(crls=(instance.services.crl(), instance.services.root_crl()))
            validate(instance, issued.certificate, [lists])
        else:
            validate(instance, issued.certificate, evidence_on(instance, issued.certificate))

    judge()
    instance.hold(issued.serial)
    with pytest.raises(RevokedError, match="hold"):
        judge()
    instance.release(issued.serial)
    judge()
    instance.revoke(issued.serial, "key_compromise")
    with pytest.raises(RevokedError, match="compromise"):
        judge()


def test_a_seal_under_a_revoked_issuer_is_refused(instance: Instance) -> None:
    certificate = instance.issue().certificate
    instance.revoke(f"{instance.certificate(AuthorityRole.ISSUING).serial_number:x}", "ca_compromise")
    instance.clock.forward(timedelta(seconds=1))
    with pytest.raises(RevokedError):
        validate(instance, certificate, evidence_on(instance, certificate))


def test_without_evidence_nothing_is_valid() -> None:
    instance = instance_of()
    with pytest.raises(PathValidationError):
        validate(instance, instance.issue().certificate, [])


def test_the_time_stamping_unit_is_valid_by_the_roots_list(instance: Instance) -> None:
    unit = instance.services.certificate(AuthorityRole.TIMESTAMP)
    root = instance.services.certificate(AuthorityRole.ROOT)
    validate(instance, unit, [source_of(instance).evidence(unit, root, None)])


def test_evidence_is_produced_after_the_moment_asked_for() -> None:
    """B-LT embeds revocation data that is not older than the signature's time-stamp."""
    instance = instance_of()
    certificate = instance.issue().certificate
    issuing, root = instance.issuers()
    instance.services.root_crl()
    instance.clock.forward(timedelta(minutes=30))
    moment = instance.clock.now()
    source: RevocationSource = source_of(instance)
    answer = ocsp.OCSPResponse.load(source.evidence(certificate, issuing, moment).ocsp_responses[0])
    single = answer["response_bytes"]["response"].parsed["tbs_response_data"]["responses"][0]
    assert single["this_update"].native == moment.replace(microsecond=0)
    found = crl.CertificateList.load(source.evidence(issuing, root, moment).crls[0])
    assert found["tbs_cert_list"]["this_update"].native == moment.replace(microsecond=0)


def test_a_time_stamp_slightly_ahead_of_our_clock_is_waited_for_and_one_far_ahead_is_not() -> None:
    instance = instance_of()
    certificate = instance.issue().certificate
    issuing = instance.issuers()[0]
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        instance.clock.forward(timedelta(seconds=seconds))

    source = OwnRevocation(instance.records, instance.responder, instance.lists, instance.clock, pause)
    assert source.evidence(certificate, issuing, instance.clock.now() + timedelta(seconds=2))
    assert len(waited) == 1
    assert 1 <= waited[0] <= 2
    with pytest.raises(RevocationUnavailable):
        source.evidence(certificate, issuing, instance.clock.now() + timedelta(seconds=30))


def test_certificates_that_are_not_ours_have_no_evidence_here() -> None:
    instance, stranger = instance_of(), instance_of(Suite.RSA_2048)
    foreign = stranger.issue().certificate
    source = source_of(instance)
    with pytest.raises(RevocationUnavailable):
        source.evidence(foreign, stranger.issuers()[0], None)
    with pytest.raises(RevocationUnavailable):
        source.evidence(foreign, instance.issuers()[0], None)
    both = FirstAnsweringRevocation([source, source_of(stranger)])
    assert both.evidence(foreign, stranger.issuers()[0], None).ocsp_responses
    with pytest.raises(RevocationUnavailable):
        both.evidence(foreign, foreign, None)
