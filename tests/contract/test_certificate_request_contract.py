"""What `ports.records` promises of certificate requests, on every engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seal_service.domain.algorithms import Suite
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.errors import AlreadyRegistered, CertificateRequestNotFound
from seal_service.ports.records import Records
from tests.storage_samples import NOW, add_seal_with_grant, later


def request(number: int, **changes: object) -> CertificateRequest:
    made = CertificateRequest(
        id=f"019ca7e2-6f00-7c3e-9d5a-{number:012d}",
        seal_code=f"999900{number:08d}",
        application_id="application-1",
        suite=Suite.ECDSA_P256,
        key_reference=f"seal-{number}",
        request=b"\x30\x00",
        state=CertificateRequestState.PENDING,
        requested_by="maker",
        requested_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_request_is_read_back_as_it_was_and_written_anew(records: Records) -> None:
    ended = request(1, state=CertificateRequestState.ISSUED, ended_at=later(hours=1), certificate_serial="ab12")
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.certificate_requests.add(request(1))
        assert transaction.certificate_requests.lock(request(1).id) == request(1)
        transaction.certificate_requests.replace(ended)
        transaction.commit()
    with records.read() as transaction:
        assert transaction.certificate_requests.lock(request(1).id) == ended
        assert transaction.certificate_requests.names_key("seal-1")
        assert not transaction.certificate_requests.names_key("seal-2")


def test_requests_are_chosen_by_state_seal_application_and_place(records: Records) -> None:
    made = [request(1), request(2, application_id=None), request(3, state=CertificateRequestState.WITHDRAWN)]
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        for one in reversed(made):
            transaction.certificate_requests.add(one)
        transaction.commit()
    with records.read() as transaction:
        chosen = transaction.certificate_requests.chosen
        assert list(chosen()) == made, "oldest first, by id"
        assert list(chosen(limit=2)) == made[:2]
        assert list(chosen(after=made[0].id)) == made[1:]
        assert list(chosen(CertificateRequestState.PENDING)) == made[:2]
        assert list(chosen(seal_code=made[1].seal_code)) == [made[1]]
        assert list(chosen(application_id="application-1")) == [made[0], made[2]]
        assert list(chosen(CertificateRequestState.PENDING, application_id="application-1")) == [made[0]]
        assert list(chosen(CertificateRequestState.ISSUED)) == []


@pytest.mark.parametrize("again", [request(1, key_reference="seal-9"), request(9, key_reference="seal-1")])
def test_a_request_and_its_key_are_there_once(records: Records, again: CertificateRequest) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.certificate_requests.add(request(1))
        with pytest.raises(AlreadyRegistered):
            transaction.certificate_requests.add(again)


def test_a_request_that_is_not_there_is_told(records: Records) -> None:
    with records.write() as transaction:
        for act in (transaction.certificate_requests.lock,):
            with pytest.raises(CertificateRequestNotFound):
                act("nothing")
        with pytest.raises(CertificateRequestNotFound):
            transaction.certificate_requests.replace(request(1))
