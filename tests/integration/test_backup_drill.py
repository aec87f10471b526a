"""The drill: a backup under load, restored elsewhere; every document that was out before it verifies there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seal_service.bootstrap import Service
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import Unauthenticated
from seal_service.domain.events import EventKind
from seal_service.domain.seal import SealState
from seal_service.domain.use import SignatureLevel, UseState
from seal_service.domain.verdict import Indication
from seal_service.formats import canonical
from seal_service.formats.upload import upload_of
from seal_service.ports.reading import LogFilter
from seal_service.usecases.authenticate import PresentedToken
from seal_service.usecases.check_database import CheckDatabase
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.verify_document import VerifyDocument
from tests.backups import ENGINES, Drill, drill, office_on
from tests.instance import RealOffice, blank_pdf


@pytest.fixture(scope="module", params=ENGINES)
def drilled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    root = tmp_path_factory.mktemp("drill")
    done = drill(office_on(request.param, root), root)
    yield done
    done.service.close()
    done.office.service.close()


def log_of(service: Service, office: RealOffice, kind: EventKind) -> list[dict[str, object]]:
    answer = service.query_log(office.auditor, QueryLog(chosen=LogFilter(kind=kind)))
    return [canonical.decode(row.canon) for row in answer.page.items]  # type: ignore[misc]


def test_every_document_released_before_the_backup_verifies_on_the_restored_instance(drilled: Drill) -> None:
    assert len(drilled.before) >= 6
    for one in drilled.before:
        assert one.content is not None
        document = upload_of(one.content, "示例文件.pdf")
        report = drilled.service.verify_document(PUBLIC_CALLER, VerifyDocument(document=document))
        assert report.indication is Indication.TOTAL_PASSED
        (signature,) = report.signatures
        assert signature.seal is not None
        assert signature.seal.code == drilled.office.made.code
        assert signature.seal.status_now is SealState.ACTIVE


def test_sealing_goes_on_on_the_restored_instance(drilled: Drill) -> None:
    office = drilled.office
    applied = drilled.service.apply_seal(office.system, office.request("after the restore", blank_pdf(mark="after")))
    assert applied.use.state is UseState.COMPLETED
    assert applied.content is not None
    document = upload_of(applied.content, "示例文件.pdf")
    report = drilled.service.verify_document(PUBLIC_CALLER, VerifyDocument(document=document))
    assert report.indication is Indication.TOTAL_PASSED


def test_a_held_document_can_be_fetched_from_the_restored_instance(drilled: Drill) -> None:
    one = drilled.before[0]
    again = drilled.service.apply_seal(
        drilled.office.system, drilled.office.request("load-0-1", blank_pdf(mark="0.1"), SignatureLevel.B_T)
    )
    assert again.replayed
    assert again.content in [released.content for released in drilled.before]
    assert one.content is not None


def test_backup_and_restore_are_in_the_log(drilled: Drill) -> None:
    """Article 22: the trace shows that there was a restore, and from which state."""
    (made,) = log_of(drilled.office.service, drilled.office, EventKind.DATABASE_BACKED_UP)
    assert made["facts"]["backup_sha256"] == drilled.backup.sha256  # type: ignore[index]
    assert made["account_id"] == drilled.office.operator.account_id
    assert log_of(drilled.service, drilled.office, EventKind.DATABASE_BACKED_UP) == []
    (restored,) = log_of(drilled.service, drilled.office, EventKind.DATABASE_RESTORED)
    facts = restored["facts"]
    assert isinstance(facts, dict)
    assert facts["backup_sha256"] == drilled.backup.sha256
    assert facts["upto_size"] == drilled.backup.manifest.database.log.size
    assert log_of(drilled.office.service, drilled.office, EventKind.DATABASE_RESTORED) == []


def test_no_session_comes_back_with_the_backup(drilled: Drill) -> None:
    """Whoever was signed out after the backup was made would be in again."""
    token = PresentedToken(token=drilled.session, address="127.0.0.1")
    assert drilled.office.service.identify_caller(PUBLIC_CALLER, token).identity == drilled.office.keeper.identity
    with pytest.raises(Unauthenticated):
        drilled.service.identify_caller(PUBLIC_CALLER, token)
    (restored,) = log_of(drilled.service, drilled.office, EventKind.DATABASE_RESTORED)
    assert restored["facts"]["sessions_ended"] == 1  # type: ignore[index]


def test_nothing_contradicts_anything_on_the_restored_instance(drilled: Drill) -> None:
    for service in (drilled.service, drilled.office.service):
        found = service.check_database(drilled.office.operator, CheckDatabase(deep=True))
        assert found.findings == ()
        assert found.checked["log_entries"] > 20
        assert found.checked["documents"] > 6
        assert found.checked["keys"] == 7
