"""The cycle on a real database with real keys: races, kills, and seals that were made while lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.bootstrap import build
from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import AuthorizationDenied, SealServiceError, UseOvertaken
from seal_service.domain.events import EventKind
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import SealState
from seal_service.domain.use import IntentReference, SignatureLevel
from seal_service.domain.verdict import Indication, Outcome, SubIndication
from seal_service.ports.documents import DocumentSealer, PreparedSeal, SealedDocument, Upload
from seal_service.ports.reading import LogFilter
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.reconcile import Reconcile
from tests.instance import RealOffice, blank_pdf


@dataclass
class Interrupted:
    """The real sealer, with something that happens before it begins and something after it is done."""

    sealer: DocumentSealer
    before: Callable[[], None] = lambda: None
    after: Callable[[SealedDocument], None] = lambda _sealed: None
    media_type: str = "application/pdf"

    def prepare(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        return self.sealer.prepare(document, permit, intent)

    def complete(self, prepared: PreparedSeal, signature: bytes) -> SealedDocument:
        return self.sealer.complete(prepared, signature)

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        self.before()
        sealed = self.sealer.seal(document, permit, intent)
        self.after(sealed)
        return sealed

    def check(self, original: Upload, sealed: SealedDocument, permit: SealingPermit, intent: IntentReference) -> None:
        self.sealer.check(original, sealed, permit, intent)


@pytest.fixture
def real_office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[RealOffice]:
    """An office on a real instance, on each engine."""
    office = RealOffice(tmp_path / "var", changes=on_engine)
    yield office
    office.service.close()


def kinds(office: RealOffice) -> list[str]:
    answer = office.service.query_log(
        office.auditor, QueryLog(chosen=LogFilter(seal_code=office.made.code), page=PageRequest(limit=500))
    )
    assert answer.page.next_cursor is None
    return [row.kind.value for row in sorted(answer.page.items, key=lambda row: row.seq or 0)]


def lose(office: RealOffice) -> None:
    office.service.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="介质丢失"))


def resume(office: RealOffice) -> None:
    office.service.resume_seal(office.maker, ResumeSeal(seal_code=office.made.code, reason="已找回"))


def made_while_lost(office: RealOffice, level: SignatureLevel) -> bytes:
    """What a thief of the key would have: a seal of the real key that was never released."""
    taken: list[bytes] = []
    applying = office.applying
    thief = Interrupted(applying.sealer, before=lambda: lose(office), after=lambda sealed: taken.append(sealed.content))
    with pytest.raises(UseOvertaken):
        replace(applying, sealer=thief)(office.system, office.request("thief", level=level))
    return taken[0]


def test_article_24_a_seal_made_while_lost_never_verifies_also_after_it_was_found(real_office: RealOffice) -> None:
    """国办发〔2025〕33号: verification checks that the seal was valid at the time of sealing."""
    before = real_office.use("before", level=SignatureLevel.B_T)
    assert before.content is not None
    real_office.clock.forward(timedelta(minutes=10))
    stolen = made_while_lost(real_office, SignatureLevel.B_T)
    real_office.clock.forward(timedelta(minutes=10))
    for _ in ("while lost", "after it was found"):
        report = real_office.verify(stolen)
        assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.REVOKED)
        assert report.signatures[0].seal is not None
        assert report.signatures[0].seal.status_at_signing is SealState.SUSPENDED
        good = real_office.verify(before.content)
        assert good.indication is Indication.TOTAL_PASSED, "what was sealed before the loss stays good"
        if (
            real_office.service.read_seal(real_office.auditor, ReadById(id=real_office.made.code)).state
            is SealState.SUSPENDED
        ):
            resume(real_office)
            real_office.clock.forward(timedelta(minutes=10))


def test_a_claimed_time_before_the_loss_proves_nothing(real_office: RealOffice) -> None:
    """B-B: without time-stamp the time is the signer's word, and the seal has not always been active since."""
    applied = real_office.use("claimed", level=SignatureLevel.B_B)
    assert applied.content is not None
    assert real_office.verify(applied.content).indication is Indication.TOTAL_PASSED
    real_office.clock.forward(timedelta(minutes=10))
    lose(real_office)
    real_office.clock.forward(timedelta(minutes=10))
    resume(real_office)
    real_office.clock.forward(timedelta(minutes=10))
    report = real_office.verify(applied.content)
    assert report.indication is Indication.INDETERMINATE
    status = next(check for check in report.signatures[0].checks if check.id == "seal_status")
    assert status.outcome is Outcome.UNKNOWN


def test_article_23_a_document_sealed_before_the_cancellation_stays_good(real_office: RealOffice) -> None:
    applied = real_office.use("before", level=SignatureLevel.B_LT)
    assert applied.content is not None
    real_office.clock.forward(timedelta(minutes=10))
    real_office.service.cancel_seal(
        real_office.maker,
        CancelSeal(seal_code=real_office.made.code, reason="单位撤并", document_number="示例〔2026〕9号"),
    )
    real_office.clock.forward(timedelta(days=30))
    report = real_office.verify(applied.content)
    assert report.indication is Indication.TOTAL_PASSED
    assert report.signatures[0].seal is not None
    assert report.signatures[0].seal.status_now is SealState.CANCELLED


def test_article_24_nothing_is_released_after_the_commit_of_a_loss_report(real_office: RealOffice) -> None:
    """Eight callers against one loss report: what was released was logged before it, the rest is refused."""
    started = threading.Barrier(9)

    def apply(number: int) -> bool:
        started.wait()
        try:
            return real_office.use(f"key-{number}", blank_pdf(mark=str(number))).content is not None
        except (AuthorizationDenied, UseOvertaken):
            return False

    with ThreadPoolExecutor(9) as pool:
        released = [pool.submit(apply, number) for number in range(8)]
        started.wait()
        lose(real_office)
        count = sum(one.result() for one in released)
    logged = kinds(real_office)
    suspended = logged.index("sealmgmt.suspended")
    assert "seal.completed" not in logged[suspended:]
    assert logged[:suspended].count("seal.completed") == count
    assert logged.count("seal.intent") == count + logged.count("seal.failed")


def test_a_quota_of_three_gives_exactly_three_to_sixteen_callers(tmp_path: Path, on_engine: dict[str, object]) -> None:
    office = RealOffice(tmp_path / "var", uses=3, changes=on_engine)

    def apply(number: int) -> bool:
        try:
            return office.use(f"key-{number}", level=SignatureLevel.B_B).content is not None
        except AuthorizationDenied:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(apply, range(16))) == 3
    office.service.close()


def test_the_same_request_from_eight_callers_seals_once(real_office: RealOffice) -> None:
    def apply(_number: int) -> str | None:
        try:
            return real_office.use("the-same", level=SignatureLevel.B_B).use.id
        except SealServiceError:
            return None

    with ThreadPoolExecutor(8) as pool:
        answers = {one for one in pool.map(apply, range(8)) if one is not None}
    assert len(answers) == 1
    assert kinds(real_office).count("seal.completed") == 1


def _die_while_sealing(office: RealOffice) -> None:
    service = build(office.settings)
    use_case = service.apply_seal.use_case
    dying = Interrupted(office.applying.sealer, before=lambda: os.kill(os.getpid(), signal.SIGKILL))
    replace(use_case, sealer=dying)(office.system, office.request("killed"))  # type: ignore[type-var]


def test_a_killed_process_leaves_a_reservation_that_reconcile_closes(
    tmp_path: Path, on_engine: dict[str, object]
) -> None:
    office = RealOffice(tmp_path / "var", uses=1, changes=on_engine)
    process = multiprocessing.get_context("fork").Process(target=_die_while_sealing, args=(office,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert kinds(office)[-1] == EventKind.SEAL_INTENT.value
    with pytest.raises(AuthorizationDenied) as denied:
        office.use("second")
    assert denied.value.details["reasons"] == ["grant_used_up"]
    office.clock.forward(timedelta(seconds=office.settings.reservation_seconds + 60))
    assert office.service.reconcile(office.operator, Reconcile()).abandoned == 1
    assert office.use("third").content is not None
    office.service.close()
