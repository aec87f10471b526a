"""Generations of the service's own authorities: names, addresses, lists, answers, chains."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from itertools import pairwise

import pytest
from asn1crypto import ocsp, tsp, x509
from cryptography import x509 as pyca

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import CertificateNotFound, InstanceNotReady, RevocationUnavailable
from seal_service.domain.issuance import AuthorityRole, IssuedCertificate
from seal_service.formats.cms import read_timestamp_token
from seal_service.pki.chains import KnownChains
from seal_service.pki.ocsp import request_for
from seal_service.pki.timestamp_messages import timestamp_request, token_of
from seal_service.pki.trust import InstanceTrustStore
from tests.pki_instance import Instance, instance_of

R = AuthorityRole


def responder_of(answer: bytes) -> x509.Certificate:
    return ocsp.OCSPResponse.load(answer)["response_bytes"]["response"].parsed["certs"][0]


def statuses(answer: bytes) -> list[str]:
    basic = ocsp.OCSPResponse.load(answer)["response_bytes"]["response"].parsed
    return [one["cert_status"].name for one in basic["tbs_response_data"]["responses"]]


def asked(instance: Instance, certificate: bytes, version: int) -> bytes:
    issuer = instance.certificate(R.ISSUING, version)
    return instance.services.ocsp(request_for(x509.Certificate.load(certificate), issuer, None))


def listed(content: bytes) -> set[int]:
    return {one.serial_number for one in pyca.load_der_x509_crl(content)}


def certificates_of(instance: Instance, role: AuthorityRole) -> list[bytes]:
    with instance.records.read() as transaction:
        return [one.certificate for one in transaction.authorities.all() if one.role is role]


def test_each_generation_has_a_name_and_addresses_of_its_own_and_the_first_keeps_its_own() -> None:
    instance = instance_of()
    before = {role: instance.certificate(role) for role in (R.ROOT, R.ISSUING)}
    first = x509.Certificate.load(instance.issue().certificate)
    instance.rotate(R.ROOT)
    instance.rotate(R.ISSUING)
    second = x509.Certificate.load(instance.issue().certificate)
    for role, certificate in before.items():
        assert instance.certificate(role, 1).dump() == certificate.dump()
        assert instance.certificate(role).subject.native["common_name"].endswith(" 2")
        assert instance.certificate(role).public_key.dump() != certificate.public_key.dump()

    def addresses(certificate: x509.Certificate) -> list[str]:
        points = [
            one["distribution_point"].chosen[0].chosen.native for one in certificate.crl_distribution_points_value
        ]
        access = certificate.authority_information_access_value
        return [*points, *(one["access_location"].chosen.native for one in access)]

    base = "http://seal.example:8000/pki"
    assert addresses(first) == [f"{base}/issuing.crl", f"{base}/ocsp", f"{base}/issuing.cer"]
    assert addresses(second) == [f"{base}/issuing-2.crl", f"{base}/ocsp", f"{base}/issuing-2.cer"]
    assert addresses(instance.certificate(R.ISSUING)) == [f"{base}/root-2.crl", f"{base}/root-2.cer"]
    assert addresses(instance.certificate(R.CROSS)) == [f"{base}/root.crl", f"{base}/root.cer"]


def test_each_list_holds_exactly_what_that_generation_issued_and_is_signed_by_its_key() -> None:
    instance = instance_of()
    seals = {1: int(instance.issue().serial, 16)}
    units = {1: instance.certificate(R.TIMESTAMP).serial_number}
    instance.rotate(R.ROOT)
    instance.rotate(R.ISSUING)
    instance.rotate(R.TIMESTAMP)
    seals[2] = int(instance.issue().serial, 16)
    units[2] = instance.certificate(R.TIMESTAMP).serial_number
    cross = instance.certificate(R.CROSS).serial_number
    for serial in (*seals.values(), *units.values(), cross):
        instance.revoke(f"{serial:x}", "superseded")
    assert listed(instance.services.root_crl(1)) == {units[1], cross}
    assert listed(instance.services.root_crl(2)) == {units[2]}
    for version in (1, 2):
        assert listed(instance.services.crl(version)) == {seals[version]}
        for role, content in (
            (R.ISSUING, instance.services.crl(version)),
            (R.ROOT, instance.services.root_crl(version)),
        ):
            issuer = pyca.load_der_x509_certificate(instance.services.certificate(role, version))
            assert pyca.load_der_x509_crl(content).is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    assert instance.services.crl() == instance.services.crl(2)
    with pytest.raises(CertificateNotFound):
        instance.services.crl(3)


def test_what_an_outside_authority_issued_stands_in_none_of_our_lists_and_is_unknown_to_our_responder() -> None:
    """Such certificates are recorded beside ours, with a status."""
    instance, outside = instance_of(), instance_of(Suite.RSA_2048)
    foreign = outside.issue()
    with instance.records.write() as transaction:
        transaction.certificates.add(foreign)
        transaction.commit()
    instance.revoke(foreign.serial)
    for content in (instance.services.crl(), instance.services.root_crl()):
        assert listed(content) == set()
    assert statuses(asked(instance, foreign.certificate, 1)) == ["unknown"]


def test_an_answer_is_signed_by_a_responder_of_the_very_issuer_that_is_asked_about() -> None:
    """RFC 6960, 4.2.2.2: a certificate used for the delegation is issued by that issuer itself."""
    instance = instance_of()
    seals: dict[int, IssuedCertificate] = {1: instance.issue()}
    responders = {1: responder_of(asked(instance, seals[1].certificate, 1)).dump()}
    instance.rotate(R.ISSUING)
    seals[2] = instance.issue()
    for version, seal in seals.items():
        answer = asked(instance, seal.certificate, version)
        assert statuses(answer) == ["good"]
        issuer = pyca.load_der_x509_certificate(instance.services.certificate(R.ISSUING, version))
        pyca.load_der_x509_certificate(responder_of(answer).dump()).verify_directly_issued_by(issuer)
    assert responder_of(asked(instance, seals[1].certificate, 1)).dump() == responders[1], "the old one stays"
    assert statuses(asked(instance, seals[1].certificate, 2)) == ["unknown"], "the other generation's"


def test_after_a_rotation_of_the_responder_every_generation_answers_by_a_new_key() -> None:
    instance = instance_of()
    seals = {1: instance.issue()}
    instance.rotate(R.ISSUING)
    seals[2] = instance.issue()
    before = {version: responder_of(asked(instance, seal.certificate, version)) for version, seal in seals.items()}
    made = instance.rotate(R.OCSP, Suite.RSA_2048)
    assert [one.role for one in made] == [R.OCSP] * 2
    for version, seal in seals.items():
        after = responder_of(asked(instance, seal.certificate, version))
        assert after.public_key.dump() != before[version].public_key.dump()
        assert after.issuer == instance.certificate(R.ISSUING, version).subject
        evidence = instance.revocation.evidence(
            seal.certificate, instance.services.certificate(R.ISSUING, version), None
        )
        assert evidence.further_certificates == (after.dump(),)


def test_a_request_about_two_generations_is_answered_for_the_first_one_asked_about() -> None:
    instance = instance_of()
    old = instance.issue()
    instance.rotate(R.ISSUING)
    new = instance.issue()
    singles = []
    for version, seal in ((2, new), (1, old)):
        certificate, issuer = x509.Certificate.load(seal.certificate), instance.certificate(R.ISSUING, version)
        singles.extend(ocsp.OCSPRequest.load(request_for(certificate, issuer, None))["tbs_request"]["request_list"])
    answer = instance.services.ocsp(ocsp.OCSPRequest({"tbs_request": {"request_list": singles}}).dump())
    assert statuses(answer) == ["good", "unknown"]
    assert responder_of(answer).issuer == instance.certificate(R.ISSUING, 2).subject


def test_a_certificate_keeps_the_chain_it_was_certified_under() -> None:
    instance = instance_of()
    old = instance.issue().certificate
    instance.rotate(R.ISSUING)
    new = instance.issue().certificate
    for certificate, version in ((old, 1), (new, 2)):
        chain = instance.authority.chain(certificate)
        assert list(chain) == [instance.services.certificate("issuing", version), instance.services.certificate("root")]


def test_a_chain_under_a_later_root_leads_over_the_cross_certificates_to_the_first_while_they_are_valid() -> None:
    """RFC 4210, 4.4: who trusts any of the roots finds it on the way."""
    instance = instance_of()
    for _ in range(2):
        instance.clock.forward(timedelta(seconds=1))
        instance.rotate(R.ROOT)
    instance.rotate(R.ISSUING)
    seal = instance.issue().certificate
    cross = {version: instance.services.certificate("cross", version) for version in (2, 3)}
    roots = certificates_of(instance, R.ROOT)
    issuing = instance.services.certificate("issuing")
    assert list(instance.authority.chain(seal)) == [issuing, cross[3], cross[2], roots[0]]
    for certificate, issuer in ((cross[3], roots[1]), (cross[2], roots[0])):
        pyca.load_der_x509_certificate(certificate).verify_directly_issued_by(pyca.load_der_x509_certificate(issuer))
    instance.clock.moment = instance.certificate(R.ROOT, 1).not_valid_after
    assert list(instance.authority.chain(seal)) == [issuing, cross[3], roots[1]], "what has ended leads nowhere"


def test_a_chain_of_an_outside_certificate_is_found_among_anchors_and_intermediates() -> None:
    instance, outside = instance_of(), instance_of(Suite.RSA_2048)
    foreign = outside.issue().certificate
    assert instance.authority.chain(foreign) == ()
    issuing, root = outside.issuers()
    trust = InstanceTrustStore(instance.records, signature_anchors=[root, issuing])
    chains = KnownChains(instance.records, trust, instance.clock)
    assert list(chains.of(foreign)) == [issuing, root]


def test_evidence_is_had_for_every_generation_and_for_what_a_cross_certificate_certifies() -> None:
    instance = instance_of()
    instance.rotate(R.ROOT)
    instance.rotate(R.ISSUING)
    seal = instance.issue().certificate
    chain = [seal, *instance.authority.chain(seal)]
    evidence = [instance.revocation.evidence(*pair, None) for pair in pairwise(chain)]
    assert evidence[0].ocsp_responses
    issuers = [pyca.load_der_x509_crl(one.crls[0]).issuer for one in evidence[1:]]
    roots = [pyca.load_der_x509_certificate(instance.services.certificate("root", one)).subject for one in (2, 1)]
    assert issuers == roots
    with pytest.raises(RevocationUnavailable):
        instance.revocation.evidence(seal, instance_of(Suite.RSA_2048).services.certificate("issuing"), None)


def test_a_time_stamp_encloses_the_cross_certificate_that_leads_to_the_first_root() -> None:
    instance = instance_of()
    digest = hashlib.sha256(b"document").digest()

    def stamp() -> tuple[bytes, ...]:
        token = token_of(instance.services.timestamp(timestamp_request(digest, 7)), digest, 7)
        return read_timestamp_token(token).certificates

    assert stamp() == (instance.services.certificate("timestamp"),)
    instance.rotate(R.TIMESTAMP)
    assert stamp() == (instance.services.certificate("timestamp", 2),)
    instance.rotate(R.ROOT)
    instance.rotate(R.TIMESTAMP)
    assert set(stamp()) == {instance.services.certificate("timestamp", 3), instance.services.certificate("cross")}
    without = tsp.TimeStampReq.load(timestamp_request(digest, 7))
    without["cert_req"] = False
    answer = tsp.TimeStampResp.load(instance.services.timestamp(without.dump()))
    assert not answer["time_stamp_token"]["content"]["certificates"]


def test_a_machine_whose_clock_is_behind_goes_on_with_the_generation_before() -> None:
    instance = instance_of()
    old = {role: instance.certificate(role) for role in (R.TIMESTAMP, R.ISSUING)}
    instance.clock.forward(timedelta(seconds=10))
    for role in (R.TIMESTAMP, R.ISSUING, R.OCSP):
        instance.rotate(role)
    instance.clock.forward(timedelta(seconds=-4))
    seal = instance.issue().certificate
    assert x509.Certificate.load(seal).issuer == old[R.ISSUING].subject
    assert statuses(asked(instance, seal, 1)) == ["good"]
    token = token_of(instance.services.timestamp(timestamp_request(bytes(32), 7)), bytes(32), 7)
    assert read_timestamp_token(token).certificates == (old[R.TIMESTAMP].dump(),)


def test_nothing_is_certified_by_what_has_ended() -> None:
    instance = instance_of()
    instance.clock.moment = instance.certificate(R.ROOT).not_valid_after
    with pytest.raises(InstanceNotReady) as refused:
        instance.rotate(R.ISSUING)
    assert "seal keys rotate root" in refused.value.message
    instance.rotate(R.ROOT)
    with pytest.raises(CertificateNotFound):
        instance.services.certificate("cross")
    instance.rotate(R.ISSUING)
    assert instance.issue()


def test_a_list_of_a_generation_whose_key_is_destroyed_after_its_end_is_not_found() -> None:
    instance = instance_of()
    first = instance.rotate(R.ISSUING)[0]
    instance.rotate(R.ISSUING)
    instance.keys.destroy(first.key_reference)
    instance.clock.moment = first.not_after
    with pytest.raises(CertificateNotFound):
        instance.services.crl(2)
