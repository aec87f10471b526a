"""Levels, suites, renewal and several time-stamping authorities on a real instance; others' tools agree."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seal_service.bootstrap import Service
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AuthorizationDenied, LevelUnreachable, RenewalNotPossible
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Indication
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.renew_seal import RenewSeal
from tests.instance import Instance, RealOffice, blank_pdf


def run(*command: str) -> str:
    """A tool's output, or its failure; skipped where the tool is not installed (.ci/run installs it)."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("suite", Suite)
def test_poppler_and_qpdf_agree_with_every_suite_at_every_level(suite: Suite, tmp_path: Path) -> None:
    """pdfsig knows B-B to B-LT; it does not know document time-stamps."""
    office = RealOffice(tmp_path / "var", changes={"seal_suite": suite})
    for level in SignatureLevel:
        applied = office.use(level.value, blank_pdf(mark=level.value), level)
        assert applied.content is not None
        assert applied.use.level_reached is level
        report = office.verify(applied.content)
        assert (report.indication, report.signatures[0].level) == (Indication.TOTAL_PASSED, level.value)
        sealed = tmp_path / f"{level.value}.pdf"
        sealed.write_bytes(applied.content)
        run("qpdf", "--check", str(sealed))
        told = run("pdfsig", "-nocert", str(sealed))
        if level is not SignatureLevel.B_LTA:
            assert told.count("Signature is Valid") == 1
            assert "Total document signed" in told or level is SignatureLevel.B_LT, told
    office.service.close()


def test_two_seals_on_one_document_both_stay_valid(real_office: RealOffice) -> None:
    first = real_office.use("first", level=SignatureLevel.B_LTA)
    assert first.content is not None
    second = real_office.use("second", first.content)
    assert second.content is not None
    assert second.content.startswith(first.content)
    report = real_office.verify(second.content)
    assert report.indication is Indication.TOTAL_PASSED
    assert [one.kind for one in report.signatures].count("pades") == 2


def test_article_16_what_the_old_version_sealed_stays_valid_after_a_renewal(real_office: RealOffice) -> None:
    """续期: the old certificate is not revoked; the new one seals from then on."""
    before = real_office.use("before")
    assert before.content is not None
    with pytest.raises(RenewalNotPossible):
        real_office.service.renew_seal(real_office.keeper, RenewSeal(seal_code=real_office.made.code))
    real_office.clock.moment = real_office.made.not_after - timedelta(days=89)
    renewed = real_office.service.renew_seal(real_office.keeper, RenewSeal(seal_code=real_office.made.code))
    after = real_office.use("after")
    assert after.content is not None
    reports = [real_office.verify(content) for content in (before.content, after.content)]
    assert [one.indication for one in reports] == [Indication.TOTAL_PASSED] * 2
    serials = [one.signatures[0].signer.serial for one in reports if one.signatures[0].signer]
    assert serials == [credential.serial for credential in renewed.credentials]


def test_article_16_an_expired_seal_is_not_applied_and_what_it_sealed_stays_valid(real_office: RealOffice) -> None:
    before = real_office.use("before")
    assert before.content is not None
    real_office.clock.moment = real_office.made.not_after + timedelta(days=1)
    with pytest.raises(AuthorizationDenied) as denied:
        real_office.use("after")
    assert "seal_expired" in str(denied.value.details["reasons"])
    assert real_office.verify(before.content).indication is Indication.TOTAL_PASSED


@contextmanager
def another_authority(home: Path) -> Iterator[tuple[Instance, str]]:
    """Another instance whose time-stamps and root CRL are reached by HTTP."""
    reached: list[Service] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(PkiRequest(matter=PkiMatter.ROOT_CRL))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(PkiRequest(matter=PkiMatter.TIMESTAMP, body=body))

        def answer(self, request: PkiRequest) -> None:
            answer = reached[0].answer_pki(PUBLIC_CALLER, request)
            self.send_response(200)
            kind = "timestamp-reply" if request.matter is PkiMatter.TIMESTAMP else "pkix-crl"
            self.send_header("Content-Type", f"application/{kind}")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    address = f"http://127.0.0.1:{server.server_port}"
    other = Instance(home, changes={"city_name": "示例省", "public_url": address})
    reached.append(other.service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield other, address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        other.service.close()


NOBODY = "http://127.0.0.1:9/tsa"


def test_time_stamping_authorities_are_tried_in_order(tmp_path: Path) -> None:
    """The first is dead, the second is another city's: its root is trusted and its list may be fetched."""
    with another_authority(tmp_path / "other") as (other, address):
        root = tmp_path / "other-root.cer"
        root.write_bytes(other.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE)))
        changes = {
            "timestamp_urls": (NOBODY, f"{address}/pki/tsa"),
            "timestamp_embedded": False,
            "timestamp_anchors": (root,),
            "revocation_addresses": {hashlib.sha256(root.read_bytes()).hexdigest(): (address,)},
        }
        office = RealOffice(tmp_path / "var", clock=other.clock, changes=changes)
        applied = office.use("outside")
        assert applied.content is not None
        assert "示例省电子".encode().hex().encode() in applied.content.lower(), "the token names its authority"
        report = office.verify(applied.content)
        signature = report.signatures[0]
        assert (report.indication, signature.level, signature.time_source) == ("TOTAL_PASSED", "B-LT", "timestamp")
        office.service.close()


def test_an_authority_that_nobody_here_trusts_is_passed_over(tmp_path: Path) -> None:
    """Its time-stamps would be in the document for good, and verification would not believe them."""
    with another_authority(tmp_path / "other") as (other, address):
        office = RealOffice(tmp_path / "var", clock=other.clock, changes={"timestamp_urls": (f"{address}/pki/tsa",)})
        applied = office.use("strict")
        assert applied.content is not None
        report = office.verify(applied.content)
        signature = report.signatures[0]
        assert (report.indication, signature.level, signature.time_source) == ("TOTAL_PASSED", "B-LT", "timestamp")
        assert "示例省电子".encode().hex().encode() not in applied.content.lower(), "the token is the embedded unit's"
        office.service.close()


def test_an_authority_whose_clock_is_wrong_is_passed_over(tmp_path: Path) -> None:
    with another_authority(tmp_path / "other") as (other, address):
        root = tmp_path / "other-root.cer"
        root.write_bytes(other.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE)))
        changes = {
            "timestamp_urls": (f"{address}/pki/tsa",),
            "timestamp_embedded": False,
            "timestamp_anchors": (root,),
            "revocation_addresses": {hashlib.sha256(root.read_bytes()).hexdigest(): (address,)},
        }
        office = RealOffice(tmp_path / "var", changes=changes)
        other.clock.moment = office.clock.now() + timedelta(hours=1)
        with pytest.raises(LevelUnreachable) as refused:
            office.use("strict", level=SignatureLevel.B_T)
        assert refused.value.details["reached"] == "B-B"
        other.clock.moment = office.clock.now() + timedelta(seconds=1)
        assert office.use("right", level=SignatureLevel.B_T).use.level_reached is SignatureLevel.B_T
        office.service.close()


def test_a_level_that_cannot_be_reached_is_an_error_or_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The client is told what is missing; where we asked for it is for the operator."""
    changes = {"timestamp_urls": (NOBODY,), "timestamp_embedded": False}
    office = RealOffice(tmp_path / "var", changes=changes)
    with pytest.raises(LevelUnreachable) as refused:
        office.use("strict")
    assert refused.value.details == {
        "asked": "B-LT",
        "reached": "B-B",
        "cause": "No time-stamping authority answered.",
    }
    assert "127.0.0.1" not in refused.value.message
    assert NOBODY in caplog.text
    lower = office.use("lower", allow_lower_level=True)
    assert lower.use.level_reached is SignatureLevel.B_B
    assert lower.lower_level_reason == "No time-stamping authority answered."
    office.service.close()
