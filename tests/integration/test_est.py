"""EST (RFC 7030) against libest's server, a process made by others; and against servers that answer wrongly."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from seal_service.bootstrap import Service, build
from seal_service.domain.certification import CertificateRequestState
from seal_service.domain.errors import AuthorityUnavailable, CertificatePending, CertificateRefused, InvalidInput
from seal_service.domain.seal import SealState
from seal_service.jobs.maintenance import MACHINE, TASKS, Task, maintained, take_up_requests
from seal_service.pki.est import EstServer
from seal_service.testing import ChangeableClock
from seal_service.usecases.create_account import DisableAccount
from seal_service.usecases.fetch_certificate import FetchCertificate
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.renew_seal import RenewSeal
from seal_service.usecases.take_up_requests import TakenUp, TakeUpRequests
from tests.est_server import PASSWORD, USER, est_server
from tests.outside_authority import OutsideAuthority, outside_authority
from tests.outside_office import OutsideOffice, office_of


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[OutsideAuthority]:
    with outside_authority(tmp_path / "outside") as made:
        yield made


@contextmanager
def est_office(home: Path, authority: OutsideAuthority, *options: str) -> Iterator[OutsideOffice]:
    """An office whose seals are certified by EST."""
    with est_server(authority, *options) as url:
        office = office_of(
            home,
            authority,
            certificate_source="est",
            est_url=url,
            est_trust=authority.root,
            est_user=USER,
            est_password=SecretStr(PASSWORD),
        )
        try:
            yield office
        finally:
            office.service.close()


def test_a_seal_is_made_in_one_call_and_applied(tmp_path: Path, authority: OutsideAuthority) -> None:
    """Articles 14–16 with EST: the server answers at once."""
    with est_office(tmp_path / "var", authority) as office:
        seal = office.service.make_seal(office.maker, MakeSeal(application_id=office.application().id))
        assert seal.state is SealState.ACTIVE
        office.grant(seal)
        sealed = office.sealed(seal, "one")
        assert office.verify(sealed).indication.value == "TOTAL_PASSED"
        assert seal.code in office.authority.subject_of(office.pem_of(seal))


def test_a_renewal_is_enrolled_again_under_the_same_subject(tmp_path: Path, authority: OutsideAuthority) -> None:
    with est_office(tmp_path / "var", authority) as office:
        authority.validity_days(60)
        with est_server(authority) as url:
            office.from_outside(authority, certificate_source="est", est_url=url)
            seal = office.service.make_seal(office.maker, MakeSeal(application_id=office.application().id))
        authority.validity_days(700)
        with est_server(authority) as url:
            office.from_outside(authority, certificate_source="est", est_url=url)
            renewed = office.service.renew_seal(office.keeper, RenewSeal(seal_code=seal.code))
        assert (renewed.version, len(renewed.credentials)) == (2, 2)
        office.grant(renewed)
        assert office.verify(office.sealed(renewed, "two")).indication.value == "TOTAL_PASSED"


def test_a_certificate_that_is_decided_later_is_taken_up_again(tmp_path: Path, authority: OutsideAuthority) -> None:
    """RFC 7030, 4.2.3: 202 with Retry-After; nobody needs to remember it."""
    with est_office(tmp_path / "var", authority, "-m", "3600") as office:
        command = MakeSeal(application_id=office.application().id, idempotency_key="one")
        with pytest.raises(CertificatePending) as pending:
            office.service.make_seal(office.maker, command)
        assert pending.value.details["retry_after_seconds"] == 3600
        assert office.pending() == 1
        assert office.service.take_up_requests(MACHINE, TakeUpRequests()) == TakenUp(issued=1, waiting=0)
        seal = office.service.make_seal(office.maker, command)
        assert seal.state is SealState.ACTIVE
        assert office.service.read_seal(office.keeper, ReadById(id=seal.code)) == seal
        assert f'"account_id":"{office.maker.identity}"' in office.log("sealmgmt.made")[0]


def test_the_time_that_the_server_asks_to_wait_is_waited(tmp_path: Path, authority: OutsideAuthority) -> None:
    with est_office(tmp_path / "var", authority, "-m", "3600") as office:
        request = office.request()
        again = TakeUpRequests()
        assert office.service.take_up_requests(MACHINE, again) == TakenUp(issued=0, waiting=1)
        assert office.service.take_up_requests(MACHINE, again) == TakenUp(issued=0, waiting=1), "asked too soon"
        assert office.requests(CertificateRequestState.PENDING)[0].id == request.id
        office.clock.forward(timedelta(seconds=3601))
        assert office.service.take_up_requests(MACHINE, again) == TakenUp(issued=1, waiting=0)


def test_fetching_goes_on_with_a_request_by_hand(tmp_path: Path, authority: OutsideAuthority) -> None:
    with est_office(tmp_path / "var", authority, "-m", "60") as office:
        request = office.request()
        command = FetchCertificate(request_id=request.id)
        with pytest.raises(CertificatePending):
            office.service.fetch_certificate(office.maker, command)
        seal = office.service.fetch_certificate(office.maker, command)
        assert office.service.fetch_certificate(office.maker, command) == seal


def test_maintenance_takes_requests_up(tmp_path: Path, authority: OutsideAuthority) -> None:
    with est_office(tmp_path / "var", authority) as office:
        office.request()
        came = threading.Event()

        def run(service: Service) -> bool:
            well = take_up_requests(service)
            came.set()
            return well

        with maintained(office.service, [Task("take up requests", run, 60, 60)]):
            assert came.wait(30)
        assert office.pending() == 0
    assert take_up_requests in [one.run for one in TASKS]


def test_for_an_account_that_may_no_longer_nothing_is_taken_up(tmp_path: Path, authority: OutsideAuthority) -> None:
    with est_office(tmp_path / "var", authority) as office:
        office.request()
        office.service.disable_account(office.security, DisableAccount(account_id=office.maker.identity))
        assert office.service.take_up_requests(MACHINE, TakeUpRequests()) == TakenUp(issued=0, waiting=1)


def test_a_server_that_is_gone_or_refuses_us_keeps_the_request(tmp_path: Path, authority: OutsideAuthority) -> None:
    with est_office(tmp_path / "var", authority) as office:
        office.from_outside(authority, est_password=SecretStr("wrong"))
        command = MakeSeal(application_id=office.application().id)
        with pytest.raises(AuthorityUnavailable, match="refused our credentials"):
            office.service.make_seal(office.maker, command)
        office.from_outside(authority, est_url="https://127.0.0.1:1/.well-known/est")
        with pytest.raises(AuthorityUnavailable, match="does not answer"):
            office.service.make_seal(office.maker, command)
        assert office.pending() == 1
        assert "wrong" not in repr(office.settings)


def test_a_server_under_another_root_is_not_talked_to(tmp_path: Path, authority: OutsideAuthority) -> None:
    with outside_authority(tmp_path / "stranger", "陌生样章") as stranger, est_server(authority) as url:
        server = EstServer(url, stranger.root, ChangeableClock(), 5, user=USER, password=PASSWORD)
        with pytest.raises(AuthorityUnavailable, match="certificate verify failed"):
            server.authorities()
        server.close()


def test_an_answer_whose_root_is_no_anchor_is_refused(tmp_path: Path, authority: OutsideAuthority) -> None:
    """What an EST server sends makes nothing trusted; the refusal names the root that came along."""
    with est_office(tmp_path / "var", authority) as office:
        office.from_outside(authority, trust_anchors=())
        with pytest.raises(CertificateRefused, match=r"SHA-256 [0-9a-f]{64}, came along"):
            office.service.make_seal(office.maker, MakeSeal(application_id=office.application().id))
        assert office.pending() == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"est_url": None}, "SEAL_EST_URL"),
        ({"est_trust": None}, "SEAL_EST_TRUST"),
        ({"est_url": "http://ca.example/.well-known/est"}, "SEAL_EST_URL"),
        ({"est_trust": Path("nowhere.pem")}, "SEAL_EST_TRUST"),
        ({"est_user": "a:b"}, "SEAL_EST_USER"),
        ({"est_client_certificate": Path("nowhere.pem")}, "SEAL_EST_CLIENT_CERTIFICATE"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(
    tmp_path: Path, authority: OutsideAuthority, changes: dict[str, object], named: str
) -> None:
    right = {"certificate_source": "est", "est_url": "https://ca.example/est", "est_trust": authority.root}
    office = office_of(tmp_path / "var", authority)
    wrong = office.settings.model_copy(update={**right, **changes})
    with pytest.raises(InvalidInput, match=named):
        build(wrong, clock=office.clock)
    office.service.close()


@dataclass
class Answering:
    """An HTTPS server that answers every enrolment alike, and `cacerts` as it should, or alike too."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/pkcs7-mime"})
    body: bytes = b""

    @contextmanager
    def at(self, authority: OutsideAuthority, *, everything: bool = False) -> Iterator[EstServer]:
        """A client of it."""
        right = Answering(body=base64.encodebytes(authority.cacerts()))
        answers = {"POST": self, "GET": self if everything else right}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answering = answers[self.command]
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(answering.status)
                for name, value in answering.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answering.body)))
                self.end_headers()
                self.wfile.write(answering.body)

            do_GET = do_POST  # noqa: N815

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.server_certificate())
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        clock = ChangeableClock()
        client = EstServer(f"https://127.0.0.1:{server.server_port}/est/", authority.root, clock, 5)
        try:
            yield client
        finally:
            client.close()
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answering(status=500), "HTTP 500"),
        (Answering(400, {"Content-Type": "text/plain"}, "请求\x1b[31m无效".encode()), "请求.*无效"),
        (Answering(302, {"Location": "https://127.0.0.1:1/"}), "HTTP 302"),
        (Answering(204, {}), "HTTP 204"),
        (Answering(headers={"Content-Type": "text/html"}, body=b"<html>"), "text/html"),
        (Answering(headers={}), "no stated type"),
        (Answering(), "cannot be read"),
        (Answering(body=b"%%%"), "cannot be read"),
        (Answering(body=base64.b64encode(b"nothing of the kind")), "cannot be read"),
        (Answering(body=base64.b64encode(bytes.fromhex("3023") + b"\x06\x09*\x86H\x86\xf7\r\x01\x07\x02")), "be read"),
        (Answering(body=b"A" * (2 << 20)), "more than"),
    ],
)
@pytest.mark.parametrize("everything", [True, False], ids=["cacerts", "simpleenroll"])
def test_wrong_answers_are_told_as_what_they_are(
    authority: OutsideAuthority, answer: Answering, told: str, everything: bool
) -> None:
    with answer.at(authority, everything=everything) as server:
        with pytest.raises(AuthorityUnavailable, match=told) as refused:
            server.enrol(b"request", renewal=False)
        assert refused.value.message.isprintable(), "nothing that a terminal would obey"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Mon, 23 Nov 2026 08:10:00 GMT", 600),
        ("Mon, 23 Nov 2020 08:10:00 GMT", 0),
        ("99999999", 7 * 24 * 3600),
        ("soon", 0),
        ("", 0),
        ("-5", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(authority: OutsideAuthority, value: str, seconds: int) -> None:
    with Answering(202, {"Retry-After": value}).at(authority) as server:
        with pytest.raises(CertificatePending) as pending:
            server.enrol(b"request", renewal=False)
        assert pending.value.details["retry_after_seconds"] == seconds
