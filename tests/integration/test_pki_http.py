"""Time-stamps and revocation data over real sockets: good servers, and those that do everything wrong."""

from __future__ import annotations

import hashlib
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from asn1crypto import cms, ocsp, x509

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import InvalidInput, RevocationUnavailable, TimestampUnavailable
from seal_service.domain.issuance import AuthorityRole, IssuedCertificate
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.internal_ca import InternalCertificateAuthority
from seal_service.pki.ocsp import request_for
from seal_service.pki.revocation_source import AllowListedRevocation
from seal_service.pki.timestamp_client import (
    EmbeddedTimestampAuthority,
    FirstAnsweringTimestampAuthority,
    HttpTimestampAuthority,
)
from seal_service.pki.timestamp_messages import timestamp_request
from seal_service.pki.trust import InstanceTrustStore
from seal_service.ports.crypto import SigningKey
from tests.pki_instance import SUBJECT, Instance, SystemEntropy, instance_of

DIGEST = hashlib.sha256(b"document").digest()
REPLY = "application/timestamp-reply"
OCSP_REPLY = "application/ocsp-response"
ENTROPY = SystemEntropy()


@dataclass
class Server:
    """A local server whose answer to any request is a function of path and body: status, headers, body."""

    answer: Callable[[str, bytes], tuple[int, dict[str, str], bytes]]
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, headers, content = server.answer(self.path, body)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                return

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


@pytest.fixture
def http() -> Iterator[BoundedHttp]:
    client = BoundedHttp(timeout_seconds=1.0, maximum_bytes=100_000)
    yield client
    client.close()


@pytest.mark.parametrize("suite", [Suite.ECDSA_P256, Suite.RSA_2048])
def test_a_time_stamp_comes_from_an_authority_over_http(http: BoundedHttp, suite: Suite) -> None:
    instance = instance_of(suite)
    with serving(Server(lambda _, body: (200, {"Content-Type": REPLY}, instance.services.timestamp(body)))) as server:
        token = HttpTimestampAuthority(server.url + "/tsa", http, ENTROPY).timestamp(DIGEST)
    info = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
    assert info["message_imprint"]["hashed_message"].native == DIGEST
    assert server.asked == ["/tsa"]


def typed(content: bytes) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": REPLY}, content


UNIT = instance_of().unit
FAULTS: dict[str, tuple[Callable[[str, bytes], tuple[int, dict[str, str], bytes]], str]] = {
    "another nonce": (lambda _, b: typed(UNIT.answer(timestamp_request(DIGEST, 1))), "nonce"),
    "another digest": (lambda _, b: typed(UNIT.answer(timestamp_request(bytes(32), 1))), "another digest"),
    "rejection": (lambda _, b: typed(UNIT.answer(b"")), "bad_data_format"),
    "page": (lambda _, b: (200, {"Content-Type": "text/html"}, b"<html>"), "text/html"),
    "page that claims to be an answer": (lambda _, b: typed(b"<html>"), "cannot be read"),
    "untyped": (lambda _, b: (200, {}, UNIT.answer(b)), "no stated type"),
    "redirect": (lambda _, b: (302, {"Location": "/elsewhere"}, b""), "302"),
    "server error": (lambda _, b: (500, {"Content-Type": REPLY}, UNIT.answer(b)), "500"),
    "too much": (lambda _, b: typed(bytes(200_000)), "more than 100000 bytes"),
    "less than it says": (
        lambda _, b: (200, {"Content-Type": REPLY, "Content-Length": "5000", "Connection": "close"}, b"x"),
        "",
    ),
    "empty": (lambda _, b: typed(b""), "cannot be read"),
    "broken header": (lambda _, b: (200, {"Content-Length": "abc"}, b""), ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_answer_is_no_time_stamp(http: BoundedHttp, fault: str) -> None:
    answer, reason = FAULTS[fault]
    with serving(Server(answer)) as server, pytest.raises(TimestampUnavailable) as refused:
        HttpTimestampAuthority(server.url, http, ENTROPY).timestamp(DIGEST)
    assert reason in refused.value.message
    assert "/elsewhere" not in server.asked


def test_an_authority_that_hangs_is_given_up(http: BoundedHttp) -> None:
    released = Event()

    def hang(_: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        released.wait(10)
        return typed(b"")

    with serving(Server(hang)) as server:
        started = time.monotonic()
        with pytest.raises(TimestampUnavailable, match="Timeout"):
            HttpTimestampAuthority(server.url, http, ENTROPY).timestamp(DIGEST)
        assert time.monotonic() - started < 8
        released.set()


def test_an_authority_that_trickles_is_given_up() -> None:
    ended = Event()

    def trickle(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {REPLY}\r\nContent-Length: 1000\r\n\r\n".encode())
            while not ended.wait(0.1):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=trickle, args=(listening,))
        thread.start()
        http = BoundedHttp(timeout_seconds=0.5, maximum_bytes=100_000)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(TimestampUnavailable, match="longer than"):
            HttpTimestampAuthority(url, http, ENTROPY).timestamp(DIGEST)
        assert time.monotonic() - started < 8
        ended.set()
        thread.join()
        http.close()


def test_authorities_are_tried_in_order_over_http(http: BoundedHttp, caplog: pytest.LogCaptureFixture) -> None:
    instance = instance_of()
    trust = InstanceTrustStore(instance.records)
    with serving(Server(FAULTS["page"][0])) as broken:
        bad = [
            HttpTimestampAuthority("http://127.0.0.1:1/nobody", http, ENTROPY),
            HttpTimestampAuthority(broken.url, http, ENTROPY),
        ]
        good = EmbeddedTimestampAuthority(instance.services.timestamp, ENTROPY)
        assert FirstAnsweringTimestampAuthority([*bad, good], trust, instance.clock).timestamp(DIGEST)
        assert len(broken.asked) == 1
        caplog.clear()
        with pytest.raises(TimestampUnavailable) as refused:
            FirstAnsweringTimestampAuthority(bad, trust, instance.clock).timestamp(DIGEST)
    assert "127.0.0.1" not in f"{refused.value.message} {refused.value.details}"
    assert "127.0.0.1:1/nobody: ConnectError" in caplog.text
    assert broken.url in caplog.text


def answers_of(instance: Instance) -> Callable[[str, bytes], tuple[int, dict[str, str], bytes]]:
    def answer(path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if path == "/pki/ocsp":
            return 200, {"Content-Type": OCSP_REPLY}, instance.services.ocsp(body)
        if path == "/pki/issuing.crl":
            return 200, {"Content-Type": "application/pkix-crl"}, instance.services.crl()
        return 404, {}, b""

    return answer


def issue_at(instance: Instance, url: str) -> IssuedCertificate:
    """A certificate that names another public address."""
    authority = InternalCertificateAuthority(instance.chains, instance.keys, ENTROPY, url, 365)
    with instance.records.write() as transaction:
        issued = authority.issue(
            transaction, SUBJECT, instance.key(AuthorityRole.OCSP).public_key_info, instance.clock.now()
        )
        transaction.commit()
    return issued


def source_for(instance: Instance, http: BoundedHttp, *allowed: str) -> AllowListedRevocation:
    fingerprint = hashlib.sha256(instance.services.certificate(AuthorityRole.ISSUING)).hexdigest()
    return AllowListedRevocation({fingerprint.upper(): allowed}, http, instance.clock, ENTROPY)


def test_an_ocsp_answer_is_fetched_from_an_allowed_address(http: BoundedHttp) -> None:
    instance = instance_of()
    issuer = instance.services.certificate(AuthorityRole.ISSUING)
    with serving(Server(answers_of(instance))) as server:
        certificate = issue_at(instance, server.url).certificate
        moment = instance.clock.now()
        evidence = source_for(instance, http, server.url + "/pki").evidence(certificate, issuer, moment)
        assert server.asked == ["/pki/ocsp"]
    (answer,) = evidence.ocsp_responses
    assert ocsp.OCSPResponse.load(answer)["response_status"].native == "successful"
    assert evidence.further_certificates == (instance.services.certificate(AuthorityRole.OCSP),)


def test_a_list_is_fetched_where_only_it_is_allowed(http: BoundedHttp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    instance = instance_of()
    issuer = instance.services.certificate(AuthorityRole.ISSUING)
    with serving(Server(answers_of(instance))) as server:
        certificate = issue_at(instance, server.url).certificate
        source = source_for(instance, http, server.url + "/pki/issuing.crl")
        assert source.evidence(certificate, issuer, None).crls == (instance.services.crl(),)
        assert server.asked == ["/pki/issuing.crl"]
        instance.clock.forward(timedelta(minutes=30))
        with pytest.raises(RevocationUnavailable) as refused:
            source.evidence(certificate, issuer, instance.clock.now())
        assert "older" in caplog.text
        assert (server.url in caplog.text, server.url in str(refused.value)) == (True, False)


def test_nothing_is_fetched_because_a_certificate_names_it(http: BoundedHttp) -> None:
    instance = instance_of()
    issuer = instance.services.certificate(AuthorityRole.ISSUING)
    with serving(Server(answers_of(instance))) as server:
        certificate = issue_at(instance, server.url).certificate
        fingerprint = hashlib.sha256(instance.services.certificate(AuthorityRole.ROOT)).hexdigest()
        for source in (
            AllowListedRevocation({}, http, instance.clock, ENTROPY),
            AllowListedRevocation({fingerprint: [server.url]}, http, instance.clock, ENTROPY),
            source_for(instance, http, "http://good.example/pki"),
            source_for(instance, http, server.url + "/pk"),
            source_for(instance, http, server.url[:-1]),
        ):
            with pytest.raises(RevocationUnavailable):
                source.evidence(certificate, issuer, None)
        assert server.asked == []


def test_a_prefix_that_is_no_address_is_refused_at_the_start(http: BoundedHttp) -> None:
    with pytest.raises(InvalidInput):
        source_for(instance_of(), http, "crl.example")


def test_bytes_that_are_no_certificate_have_no_evidence(http: BoundedHttp) -> None:
    source = source_for(instance_of(), http, "http://good.example")
    issuer = instance_of().services.certificate(AuthorityRole.ISSUING)
    for certificate in (b"", b"\x30\x03\x02\x01\x00", issuer[:-5]):
        with pytest.raises(RevocationUnavailable):
            source.evidence(certificate, issuer, None)


def wrong_answers() -> dict[str, Callable[[Instance, bytes, IssuedCertificate], bytes]]:
    def of_other_issuer(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        return instance_of(Suite.RSA_2048).services.ocsp(body)

    def by_other_issuer(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        """The right answer, but by the responder of another authority of the same name."""
        other = instance_of(Suite.RSA_2048)
        assert other.certificate(AuthorityRole.ISSUING).subject == instance.certificate(AuthorityRole.ISSUING).subject
        body_of_other = ocsp.OCSPResponse.load(other.services.ocsp(request_of(other, other.issue())))
        theirs = body_of_other["response_bytes"]["response"].parsed["tbs_response_data"]
        data = basic_in(instance.services.ocsp(body))["tbs_response_data"]
        data["responder_id"] = theirs["responder_id"]
        return forged(data, other.key(AuthorityRole.OCSP), "sha256_rsa", other.certificate(AuthorityRole.OCSP))

    def by_a_seal(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        """Signed by a certificate of the right issuer that is no responder."""
        seal = x509.Certificate.load(issued.certificate)
        key = instance.key(AuthorityRole.OCSP)  # the seal of this test was issued for this key
        return forged(basic_in(instance.services.ocsp(body))["tbs_response_data"], key, "sha256_ecdsa", seal)

    def damaged(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        answer = instance.services.ocsp(body)
        serial = int(issued.serial, 16).to_bytes(20, "big")
        good = answer.index(b"\x80\x00", answer.index(serial))
        return answer[: good + 1] + answer[good + 1 :].replace(b"Z", b"0", 1)

    def on_another(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        return instance.services.ocsp(request_of(instance, instance.issue()))

    def replayed(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        return instance.services.ocsp(request_of(instance, issued, b"another nonce"))

    def out_of_date(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        now = instance.clock.moment
        instance.clock.moment = now - timedelta(days=1)
        try:
            return instance.services.ocsp(body)
        finally:
            instance.clock.moment = now

    def from_the_future(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        now = instance.clock.moment
        instance.clock.moment = now + timedelta(hours=1)
        try:
            return instance.services.ocsp(body)
        finally:
            instance.clock.moment = now

    def malformed(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        return instance.services.ocsp(b"")

    def garbage(instance: Instance, body: bytes, issued: IssuedCertificate) -> bytes:
        return b"<html>"

    return {
        one.__name__: one
        for one in (
            of_other_issuer, by_other_issuer, by_a_seal, damaged, on_another, replayed, out_of_date, from_the_future,
            malformed, garbage,
        )
    }  # fmt: skip


def request_of(instance: Instance, issued: IssuedCertificate, nonce: bytes | None = None) -> bytes:
    subject, issuer = x509.Certificate.load(issued.certificate), instance.certificate(AuthorityRole.ISSUING)
    return request_for(subject, issuer, nonce)


def basic_in(answer: bytes) -> ocsp.BasicOCSPResponse:
    return ocsp.OCSPResponse.load(answer)["response_bytes"]["response"].parsed


def forged(data: ocsp.ResponseData, key: SigningKey, algorithm: str, certificate: x509.Certificate) -> bytes:
    basic = ocsp.BasicOCSPResponse(
        {
            "tbs_response_data": data,
            "signature_algorithm": {"algorithm": algorithm},
            "signature": key.sign(data.dump()),
            "certs": [certificate],
        }
    )
    body = {"response_type": "basic_ocsp_response", "response": basic}
    return bytes(ocsp.OCSPResponse({"response_status": "successful", "response_bytes": body}).dump())


@pytest.mark.parametrize("fault", wrong_answers())
def test_an_ocsp_answer_that_proves_nothing_is_not_used(http: BoundedHttp, fault: str) -> None:
    instance = instance_of()
    make = wrong_answers()[fault]
    issuer = instance.services.certificate(AuthorityRole.ISSUING)
    made: list[IssuedCertificate] = []
    server = Server(lambda _, body: (200, {"Content-Type": OCSP_REPLY}, make(instance, body, made[0])))
    with serving(server):
        made.append(issue_at(instance, server.url))
        with pytest.raises(RevocationUnavailable):
            source_for(instance, http, server.url + "/pki/ocsp").evidence(made[0].certificate, issuer, None)
        assert server.asked == ["/pki/ocsp"]


def test_a_list_that_proves_nothing_is_not_used(http: BoundedHttp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    instance = instance_of()
    issuer = instance.services.certificate(AuthorityRole.ISSUING)
    good = instance.services.crl()
    damaged = bytearray(good)
    damaged[-5] ^= 1
    wrong = [b"", b"<html>", bytes(damaged), instance.services.root_crl(), instance_of(Suite.RSA_2048).services.crl()]
    current: list[bytes] = []
    with serving(Server(lambda _, body: (200, {}, current[0]))) as server:
        certificate = issue_at(instance, server.url).certificate
        source = source_for(instance, http, server.url + "/pki/issuing.crl")
        for content in wrong:
            current[:] = [content]
            with pytest.raises(RevocationUnavailable):
                source.evidence(certificate, issuer, None)
        current[:] = [good]
        assert source.evidence(certificate, issuer, None).crls == (good,)
        instance.clock.forward(timedelta(hours=25))
        with pytest.raises(RevocationUnavailable) as refused:
            source.evidence(certificate, issuer, None)
        assert "out of date" in caplog.text
        assert (server.url in caplog.text, server.url in str(refused.value)) == (True, False)
