"""溯源 and 统计 (article 22) on a real instance: from any end of a document's way to the whole of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import AuthorizationDenied
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import VerificationPolicy
from seal_service.ports.reading import LogFilter, StatisticsKey
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.change_status import ReportLoss
from seal_service.usecases.read_log import CountLog, QueryLog
from seal_service.usecases.trace import Trace
from seal_service.usecases.verify_document import VerifyDocument
from tests.instance import RealOffice, blank_pdf


@pytest.fixture
def real_office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[RealOffice]:
    """An office on a real instance, on each engine."""
    office = RealOffice(tmp_path / "var", changes=on_engine)
    yield office
    office.service.close()


def test_a_twice_sealed_document_is_traced_from_each_of_its_forms(real_office: RealOffice) -> None:
    original = upload_of(blank_pdf(mark="traced"))
    first = real_office.use("first", bytes(original.content))
    assert first.content is not None
    real_office.clock.forward(timedelta(minutes=1))
    second = real_office.use("second", first.content)
    assert second.content is not None
    both = [first.use.id, second.use.id]
    starts = [
        Trace(document_sha256=original.sha256_hex),
        Trace(document_sha256=first.use.sealed_sha256),
        Trace(document_sha256=second.use.sealed_sha256),
        Trace(use_id=first.use.id),
        Trace(entry_id=second.use.terminal_entry_id),
    ]
    for start in starts:
        story = real_office.service.trace(real_office.auditor, start)
        assert [one.use.id for one in story.uses] == both
        assert story.complete
        assert [row.kind.value for row in story.uses[1].entries] == ["seal.intent", "seal.completed"]


def test_a_refused_document_is_traced_to_its_refusal(real_office: RealOffice) -> None:
    loss = ReportLoss(seal_code=real_office.made.code, reason="介质丢失")
    real_office.service.report_loss(real_office.keeper, loss)
    document = upload_of(blank_pdf(mark="refused"))
    with pytest.raises(AuthorizationDenied):
        real_office.use("refused", bytes(document.content))
    story = real_office.service.trace(real_office.auditor, Trace(document_sha256=document.sha256_hex))
    assert not story.uses
    assert [row.kind.value for row in story.further_entries] == ["seal.denied"]
    again = real_office.service.trace(real_office.auditor, Trace(entry_id=story.further_entries[0].entry_id))
    assert [row.entry_id for row in again.further_entries] == [story.further_entries[0].entry_id]


def test_statistics_count_each_use_once(real_office: RealOffice) -> None:
    for number in range(3):
        real_office.use(f"key-{number}", blank_pdf(mark=str(number)))
    command = CountLog(keys=(StatisticsKey.RESULT,), chosen=LogFilter(scenario="permit"))
    rows = real_office.service.count_log(real_office.auditor, command).rows
    counted = {row.key[0]: row.count for row in rows}
    assert counted == {"success": 5, "undecided": 3}, "three uses, the grant and the scenario; three intents"


def test_what_a_stranger_trusts_is_no_finding_of_ours_in_the_log(real_office: RealOffice) -> None:
    applied = real_office.use("key")
    assert applied.content is not None
    document = upload_of(applied.content)
    root = real_office.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE))
    for policy in (VerificationPolicy(), VerificationPolicy(anchors=(root,))):
        real_office.service.verify_document(PUBLIC_CALLER, VerifyDocument(document=document, policy=policy))
        real_office.clock.forward(timedelta(seconds=1))
    chosen = LogFilter(document_sha256=document.sha256_hex)
    rows = real_office.service.query_log(real_office.auditor, QueryLog(chosen=chosen)).page.items
    assert [row.result for row in rows] == ["undecided", "success"]
