"""证书申请 on fakes: what happens when a commit's outcome is unknown, a server is slow, two act at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Application, Decision
from seal_service.domain.certification import CertificateRequest, CertificateRequestState, ReceivedCertificate
from seal_service.domain.errors import (
    ApplicationNotFound,
    AuthorityUnavailable,
    CertificatePending,
    CertificateRefused,
    CertificateRequestNotFound,
    Conflict,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidInput,
    OutcomeUnknown,
    SealNotFound,
)
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import Seal
from seal_service.testing import PaperEnrolment, PaperRequests, TrustingCheck
from seal_service.usecases.certify_outside import CertifyOutside
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.fetch_certificate import FetchCertificateUseCase
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.read_requests import ListRequests, ListRequestsUseCase, ReadRequestUseCase
from seal_service.usecases.renew_seal import RenewSeal, RenewSealUseCase
from seal_service.usecases.request_certificate import RequestCertificate, RequestCertificateUseCase
from seal_service.usecases.submit_certificate import SubmitCertificate, SubmitCertificateUseCase
from seal_service.usecases.take_up_requests import TakenUp, TakeUpRequests, TakeUpRequestsUseCase
from seal_service.usecases.withdraw_request import WithdrawRequest, WithdrawRequestUseCase
from tests.city import MAKER, Office


@dataclass
class OutsideCity(Office):
    """An office where an outside authority certifies seals."""

    server: PaperEnrolment = field(default_factory=PaperEnrolment)

    def __post_init__(self) -> None:
        super().__post_init__()
        records, log, keys = self.records, self.log, self.keys
        self.check = TrustingCheck(self.clock)
        self.request_certificate = RequestCertificateUseCase(
            records, log, keys, PaperRequests(), self.authority, self.clock, self.entropy, Suite.ECDSA_P256, True
        )
        self.submit = SubmitCertificateUseCase(records, log, self.authority, self.check, self.clock)
        self.fetch = FetchCertificateUseCase(self.submit, self.server)
        self.withdraw = WithdrawRequestUseCase(records, log, keys, self.clock)
        self.take_up = TakeUpRequestsUseCase(records, self.fetch, self.clock)
        self.making = replace(self.make_seal, outside=CertifyOutside(self.request_certificate, self.fetch))
        renewing = self.renew_seal.use_case
        assert isinstance(renewing, RenewSealUseCase)
        self.renewing = replace(renewing, outside=CertifyOutside(self.request_certificate, self.fetch))

    def approved(self) -> Application:
        application = self.application(self.keeper, self.holder)
        decision = DecideApplication(application_id=application.id, decision=Decision.APPROVE)
        return self.decide_application(MAKER, decision)

    def requested(self) -> CertificateRequest:
        return self.request_certificate(MAKER, RequestCertificate(application_id=self.approved().id))

    def accept(self, request: CertificateRequest, text: bytes = b"outside:one") -> Seal:
        return self.submit.accept(MAKER, request.id, ReceivedCertificate(certificate=text))


@pytest.fixture
def at() -> OutsideCity:
    return OutsideCity()


@pytest.mark.parametrize("written", [True, False])
def test_a_request_whose_commit_is_unknown_keeps_its_key_exactly_if_it_was_written(
    at: OutsideCity, written: bool
) -> None:
    application, before = at.approved(), set(at.keys.kept)
    at.records.untold = [written]
    with pytest.raises(OutcomeUnknown):
        at.request_certificate(MAKER, RequestCertificate(application_id=application.id))
    assert len(set(at.keys.kept) - before) == (1 if written else 0)
    assert len(at.records.state.certificate_requests) == (1 if written else 0)


@pytest.mark.parametrize("written", [True, False])
def test_a_withdrawal_whose_commit_is_unknown_destroys_no_key(at: OutsideCity, written: bool) -> None:
    request = at.requested()
    at.records.untold = [written]
    with pytest.raises(OutcomeUnknown):
        at.withdraw(MAKER, WithdrawRequest(request_id=request.id))
    assert request.key_reference in at.keys.kept
    assert at.withdraw(MAKER, WithdrawRequest(request_id=request.id)).state is CertificateRequestState.WITHDRAWN
    assert request.key_reference not in at.keys.kept


@pytest.mark.parametrize("written", [True, False])
def test_a_certificate_whose_commit_is_unknown_costs_no_key_and_is_handed_in_again(
    at: OutsideCity, written: bool
) -> None:
    request = at.requested()
    at.records.untold = [written]
    with pytest.raises(OutcomeUnknown):
        at.accept(request)
    assert request.key_reference in at.keys.kept
    seal = at.accept(request)
    assert seal.credentials[0].key_reference == request.key_reference
    assert at.kinds().count("sealmgmt.activated") == 2, "that of the office's own seal, and this one's once"


def test_the_log_tells_request_and_seal(at: OutsideCity) -> None:
    request = at.requested()
    at.accept(request)
    told = at.kinds()[-4:]
    assert told == ["sealmgmt.certificate_requested", "config.trust_added", "sealmgmt.made", "sealmgmt.activated"]


def test_the_same_key_gives_the_same_request_and_no_other(at: OutsideCity) -> None:
    command = RequestCertificate(application_id=at.approved().id, idempotency_key="one")
    first = at.request_certificate(MAKER, command)
    assert at.request_certificate(MAKER, command) == first
    with pytest.raises(IdempotencyKeyReused):
        at.request_certificate(MAKER, replace(command, application_id=at.approved().id))


def test_what_is_asked_for_has_to_be_there(at: OutsideCity) -> None:
    with pytest.raises(ApplicationNotFound):
        at.request_certificate(MAKER, RequestCertificate(application_id="nothing"))
    with pytest.raises(SealNotFound):
        at.request_certificate(MAKER, RequestCertificate(seal_code="99990000009999"))
    with pytest.raises(InvalidInput):
        at.request_certificate(MAKER, RequestCertificate())
    with pytest.raises(Conflict, match="a seal with this code"):
        at.request_certificate(MAKER, RequestCertificate(application_id=at.approved().id, seal_code=at.made.code))
    for act in (
        lambda: at.withdraw(MAKER, WithdrawRequest(request_id="nothing")),
        lambda: at.submit(MAKER, SubmitCertificate(request_id="nothing", content=b"")),
        lambda: ReadRequestUseCase(at.records)(MAKER, ReadById(id="nothing")),
    ):
        with pytest.raises(CertificateRequestNotFound):
            act()


def test_a_slow_server_is_asked_again_when_it_said_and_later_after_a_failure(at: OutsideCity) -> None:
    at.account("maker", next(iter(MAKER.roles)), None)
    at.requested()
    at.server.answers = [CertificatePending(retry_after_seconds=300), AuthorityUnavailable()]

    def asked_after(wait: timedelta) -> int:
        at.clock.forward(wait)
        at.take_up(MAKER, TakeUpRequests())
        return len(at.server.asked)

    assert asked_after(timedelta()) == 1
    assert asked_after(timedelta(seconds=299)) == 1
    assert asked_after(timedelta(seconds=1)) == 2
    assert asked_after(timedelta(minutes=9)) == 2
    assert asked_after(timedelta(minutes=1)) == 3


def test_without_a_server_nothing_is_taken_up(at: OutsideCity) -> None:
    at.requested()
    idle = replace(at.take_up, fetch=replace(at.fetch, server=None))
    assert idle(MAKER, TakeUpRequests()) == TakenUp(issued=0, waiting=0)


def test_making_again_goes_on_with_the_pending_request(at: OutsideCity) -> None:
    command = MakeSeal(application_id=at.approved().id)
    at.server.answers = [CertificatePending(), CertificatePending()]
    for _ in range(2):
        with pytest.raises(CertificatePending):
            at.making(MAKER, command)
    assert len(at.records.state.certificate_requests) == 1


def test_a_withdrawn_request_is_not_gone_on_with_under_its_key(at: OutsideCity) -> None:
    command = MakeSeal(application_id=at.approved().id, idempotency_key="one")
    at.server.answers = [CertificatePending()]
    with pytest.raises(CertificatePending) as pending:
        at.making(MAKER, command)
    at.withdraw(MAKER, WithdrawRequest(request_id=str(pending.value.details["certificate_request_id"])))
    with pytest.raises(Conflict, match="withdrawn"):
        at.making(MAKER, command)


def test_a_first_certificate_from_outside_is_enrolled_and_the_next_renewed(at: OutsideCity) -> None:
    """What our own authority certified is unknown to the server (RFC 7030, 4.2.2)."""
    at.clock.forward(at.made.not_after - at.clock.now() - timedelta(days=30))
    with pytest.raises(AuthorityUnavailable):
        at.renewing(MAKER, RenewSeal(seal_code=at.made.code))
    [request] = at.records.state.certificate_requests.values()
    renewed = at.accept(request)
    at.clock.forward(renewed.not_after - at.clock.now() - timedelta(days=30))
    with pytest.raises(AuthorityUnavailable):
        at.renewing(MAKER, RenewSeal(seal_code=at.made.code))
    assert at.server.asked == [False, True]


def test_a_refused_certificate_leaves_everything_as_it_was(at: OutsideCity) -> None:
    request = at.requested()
    entries = len(at.kinds())
    with pytest.raises(CertificateRefused):
        at.accept(request, b"bad one")
    assert at.records.state.certificate_requests[request.id] == request
    assert len(at.kinds()) == entries


def test_a_serial_number_that_is_known_is_refused(at: OutsideCity) -> None:
    at.accept(at.requested())
    with pytest.raises(CertificateRefused, match="serial number"):
        at.accept(at.requested())


def test_requests_are_listed_oldest_first_by_pages(at: OutsideCity) -> None:
    made = []
    for _ in range(5):
        made.append(at.requested().id)
        at.clock.forward(timedelta(seconds=1))
    listing = ListRequestsUseCase(at.records)
    first = listing(MAKER, ListRequests(page=PageRequest(limit=3)))
    rest = listing(MAKER, ListRequests(page=PageRequest(limit=3, cursor=first.next_cursor)))
    assert [one.id for one in (*first.items, *rest.items)] == made
    assert rest.next_cursor is None
    assert listing(MAKER, ListRequests(state=CertificateRequestState.ISSUED)).items == ()
    with pytest.raises(InvalidCursor):
        listing(MAKER, ListRequests(page=PageRequest(cursor="nothing")))
