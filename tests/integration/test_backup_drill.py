"""The drill: a backup under load, restored elsewhere; every document that was out before it verifies there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.bootstrap import Service, build, restoring
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.backup import Backup
from seal_service.domain.events import EventKind
from seal_service.domain.use import SignatureLevel, UseState
from seal_service.domain.verdict import Indication
from seal_service.formats.upload import upload_of
from seal_service.ports.reading import LogFilter
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.back_up import BackUp
from seal_service.usecases.check_database import CheckDatabase
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.verify_document import VerifyDocument
from tests.instance import RealOffice, blank_pdf

THREADS = 4


@dataclass
class Load:
    """Threads that apply the seal until they are told to stop."""

    office: RealOffice
    released: list[AppliedSeal] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._some = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(THREADS)]

    def _work(self, number: int) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            try:
                content = blank_pdf(mark=f"{number}.{count}")
                self.released.append(self.office.use(f"load-{number}-{count}", content, SignatureLevel.B_T))
            except Exception as error:
                self.failures.append(error)
                return
            finally:
                self._some.release()

    def wait_for(self, count: int) -> None:
        """Until so many more uses have ended."""
        for _ in range(count):
            assert self._some.acquire(timeout=60)

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(60)
        assert self.failures == []


@dataclass
class Drill:
    """What the drill left: the instance, its backup, the instance that was restored from it."""

    office: RealOffice
    directory: Path
    backup: Backup
    before: list[AppliedSeal]
    during: list[AppliedSeal]
    settings: Settings
    service: Service

    @property
    def path(self) -> Path:
        return self.directory / self.backup.name


def place(office: RealOffice, root: Path) -> Settings:
    """Settings of an empty place, with the master key of the instance and nothing else."""
    keys = root / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "master.key").write_bytes((office.settings.key_directory / "master.key").read_bytes())
    (keys / "master.key").chmod(0o600)
    return Settings(home=root / "home", keys=keys)


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    root = tmp_path_factory.mktemp("drill")
    office = RealOffice(root / "instance")
    load = Load(office)
    directory = root / "backups"
    directory.mkdir()
    with load.running():
        load.wait_for(6)
        before = list(load.released)
        backup = office.service.back_up(office.operator, BackUp(directory=directory, with_keys=True))
        load.wait_for(6)
    settings = place(office, root / "restored")
    office.clock.forward(timedelta(minutes=1))
    restoring(settings, directory / backup.name, clock=office.clock)()
    service = build(settings, clock=office.clock)
    yield Drill(office, directory, backup, before, load.released[len(before) :], settings, service)
    service.close()
    office.service.close()


def log_of(service: Service, office: RealOffice, kind: EventKind) -> list[dict[str, object]]:
    from seal_service.formats import canonical

    answer = service.query_log(office.auditor, QueryLog(chosen=LogFilter(kind=kind)))
    return [canonical.decode(row.canon) for row in answer.page.items]  # type: ignore[misc]


def test_every_document_released_before_the_backup_verifies_on_the_restored_instance(drill: Drill) -> None:
    assert len(drill.before) >= 6
    for one in drill.before:
        assert one.content is not None
        document = upload_of(one.content, "示例文件.pdf")
        report = drill.service.verify_document(PUBLIC_CALLER, VerifyDocument(document=document))
        assert report.indication is Indication.TOTAL_PASSED
        (signature,) = report.signatures
        assert signature.seal is not None
        assert signature.seal.code == drill.office.made.code
        assert signature.seal.status_now is not None


def test_sealing_goes_on_on_the_restored_instance(drill: Drill) -> None:
    office = drill.office
    applied = drill.service.apply_seal(office.system, office.request("after the restore", blank_pdf(mark="after")))
    assert applied.use.state is UseState.COMPLETED
    assert applied.content is not None
    document = upload_of(applied.content, "示例文件.pdf")
    report = drill.service.verify_document(PUBLIC_CALLER, VerifyDocument(document=document))
    assert report.indication is Indication.TOTAL_PASSED


def test_a_held_document_can_be_fetched_from_the_restored_instance(drill: Drill) -> None:
    one = drill.before[0]
    again = drill.service.apply_seal(
        drill.office.system, drill.office.request("load-0-1", blank_pdf(mark="0.1"), SignatureLevel.B_T)
    )
    assert again.replayed
    assert again.content in [released.content for released in drill.before]
    assert one.content is not None


def test_backup_and_restore_are_in_the_log(drill: Drill) -> None:
    """Article 22: the trace shows that there was a restore, and from which state."""
    (made,) = log_of(drill.office.service, drill.office, EventKind.DATABASE_BACKED_UP)
    assert made["facts"]["backup_sha256"] == drill.backup.sha256  # type: ignore[index]
    assert made["account_id"] == drill.office.operator.account_id
    assert log_of(drill.service, drill.office, EventKind.DATABASE_BACKED_UP) == []
    (restored,) = log_of(drill.service, drill.office, EventKind.DATABASE_RESTORED)
    facts = restored["facts"]
    assert isinstance(facts, dict)
    assert facts["backup_sha256"] == drill.backup.sha256
    assert facts["upto_size"] == drill.backup.manifest.database.log.size
    assert log_of(drill.office.service, drill.office, EventKind.DATABASE_RESTORED) == []


def test_nothing_contradicts_anything_on_the_restored_instance(drill: Drill) -> None:
    for service in (drill.service, drill.office.service):
        found = service.check_database(drill.office.operator, CheckDatabase(deep=True))
        assert found.findings == ()
        assert found.checked["log_entries"] > 20
        assert found.checked["documents"] > 6
        assert found.checked["keys"] == 5
