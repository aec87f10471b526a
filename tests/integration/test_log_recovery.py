"""After an old backup was restored the published log gives back what it lacks, and what was stopped stays stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seal_service.__main__ import seal_command
from seal_service.bootstrap import Service, build
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER, Role
from seal_service.domain.backup import Backup
from seal_service.domain.errors import AuthorizationDenied, Conflict, LogDamaged, LogHalted
from seal_service.domain.events import EventKind
from seal_service.domain.invariants import Invariant
from seal_service.domain.seal import Seal, SealState
from seal_service.domain.use import SignatureLevel, UseState
from seal_service.domain.verdict import Outcome
from seal_service.formats import canonical
from seal_service.formats.upload import upload_of
from seal_service.jobs.maintenance import MACHINE
from seal_service.ports.documents import Content
from seal_service.ports.reading import LogFilter
from seal_service.ports.system import BlobStore
from seal_service.storage.unit_of_work import SqlTransaction
from seal_service.usecases.audit_log import AuditLog
from seal_service.usecases.back_up import BackUp
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.check_database import CheckDatabase
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint, Published
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.recover_log import Recovered, RecoverLog
from seal_service.usecases.sequence_log import SequenceLog, SequenceLogUseCase
from seal_service.usecases.verify_document import VerifyDocument
from tests.backups import place, restore
from tests.instance import RealOffice, blank_pdf
from tests.postgresql import postgresql_settings

ENGINES = ("sqlite", "postgresql")
USES = 30
QUOTA = 33
"""Of a grant: the uses that are lost, one that was under way, and two more."""


def publish(service: Service) -> Published:
    while service.transparency.sequence(MACHINE, SequenceLog()).placed:
        pass
    return service.transparency.publish(MACHINE, PublishCheckpoint())


def sequencing(service: Service) -> SequenceLogUseCase:
    use_case = service.transparency.sequence.use_case
    assert isinstance(use_case, SequenceLogUseCase)
    return use_case


def granted(office: RealOffice, seal: Seal, uses: int | None = None) -> None:
    office.service.grant_use(
        office.keeper,
        GrantUse(
            seal_code=seal.code,
            grantee_id=office.system.identity,
            scenario="permit",
            responsible_person="样某",
            approval_number="示例〔2026〕2号",
            maximum_uses=uses,
        ),
    )


@dataclass(frozen=True)
class WithBackup:
    """Blobs of which the first that is put is preceded by a backup: in the middle of a use."""

    blobs: BlobStore
    back_up: Callable[[], None]

    def put(self, *pieces: Content) -> str:
        self.back_up()
        return self.blobs.put(*pieces)

    def get(self, digest: str) -> bytes | None:
        return self.blobs.get(digest)

    def delete(self, digest: str) -> None:
        self.blobs.delete(digest)


@dataclass
class Lost:
    """An instance that went on after its backup, and what its publication had reached."""

    office: RealOffice
    lost: Seal
    resumed: Seal
    cancelled: Seal
    under_way: str
    """The use that was reserved when the backup was made."""
    settings: Settings
    published: Published
    after: bytes
    """What was sealed last, after the backup."""

    def use(self, service: Service, key: str, seal: Seal) -> UseState:
        request = replace(self.office.request(key, blank_pdf(mark=key), SignatureLevel.B_B), seal_code=seal.code)
        return service.apply_seal(self.office.system, request).use.state


def lost_instance(engine: str, root: Path) -> Lost:
    changes = {} if engine == "sqlite" else postgresql_settings()
    office = RealOffice(root / "instance", uses=QUOTA, changes=changes)
    service = office.service
    lost, resumed, cancelled = (office.seal(office.holder, office.keeper) for _ in range(3))
    for seal in (lost, resumed, cancelled):
        granted(office, seal)
    service.transparency.initialise(MACHINE, InitialiseLog())
    publish(service)
    directory = root / "backups"
    directory.mkdir()
    made: list[Backup] = []

    def back_up() -> None:
        publish(service)
        made.append(service.back_up(office.operator, BackUp(directory=directory, with_keys=True)))

    blobs = WithBackup(office.applying.blobs, back_up)
    request = office.request("under way", blank_pdf(mark="under way"), SignatureLevel.B_B)
    under_way = replace(office.applying, blobs=blobs)(office.system, request).use
    for number in range(USES):
        last = office.use(f"use {number}", blank_pdf(mark=str(number)), SignatureLevel.B_B)
    for seal in (lost, resumed):
        service.report_loss(office.keeper, ReportLoss(seal_code=seal.code, reason="介质遗失"))
    service.resume_seal(office.maker, ResumeSeal(seal_code=resumed.code, reason="介质找到"))
    ordered = CancelSeal(seal_code=cancelled.code, reason="机构撤销", document_number="示例〔2026〕9号")
    service.cancel_seal(office.maker, ordered)
    office.account("备份之后", Role.AUDITOR)
    published = publish(service)
    settings = place(office, root / "restored")
    outside = {"log_directory": office.settings.published_log, "log_guard": office.settings.guard_directory}
    settings = settings.model_copy(update=outside)
    office.clock.forward(timedelta(minutes=1))
    restore(settings, directory / made[0].name, office.people, office.clock)
    return Lost(office, lost, resumed, cancelled, under_way.id, settings, published, last.content or b"")


@pytest.fixture(params=ENGINES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lost, Service]]:
    made = lost_instance(request.param, tmp_path)
    service = build(made.settings, clock=made.office.clock)
    yield made, service
    service.close()
    made.office.service.close()


def recover(service: Service, *, yes: bool = True) -> Recovered:
    return service.transparency.recover(MACHINE, RecoverLog(confirmed=yes))


def recovered_at_the_second_try(service: Service, monkeypatch: pytest.MonkeyPatch) -> Recovered:
    """Killed before every commit, once; each time the log is halted as before."""
    commit = SqlTransaction.commit
    for step in range(1, 20):
        left = step

        def dying(transaction: SqlTransaction) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Killed
            commit(transaction)

        with monkeypatch.context() as patched:
            patched.setattr(SqlTransaction, "commit", dying)
            try:
                done = recover(service)
            except Killed:
                pass
            else:
                assert step > 2
                return done
        with pytest.raises(LogHalted):
            publish(service)
    raise AssertionError("it has fewer commits")


class Killed(BaseException):
    """What nothing catches."""


def test_a_restored_log_is_halted_recovers_from_its_bundles_and_goes_on(
    case: tuple[Lost, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, service = case
    office, size = made.office, made.published.size
    with pytest.raises(LogHalted):
        made.use(service, "while halted", office.made)
    shown = recover(service, yes=False)
    assert not shown.done
    done = recovered_at_the_second_try(service, monkeypatch)
    assert (done.before, done.size, done.uses) == (shown.before, size, USES)
    codes = {made.lost.code: SealState.SUSPENDED, made.resumed.code: SealState.SUSPENDED}
    assert dict(done.stopped) == codes | {made.cancelled.code: SealState.CANCELLED}
    open_acts = {(one.kind, one.done) for one in done.open}
    assert (EventKind.ACCOUNT_CREATED, "to be done again") in open_acts
    assert (EventKind.SEAL_RESUMED, "to be done again") in open_acts
    assert {(EventKind.SEAL_SUSPENDED, "done"), (EventKind.SEAL_CANCELLED, "done")} <= open_acts
    with pytest.raises(Conflict, match="nothing to recover"):
        recover(service)

    # Published again, the old checkpoint the beginning of the new one, its note the very same.
    assert publish(service).size > size
    notes = []
    for one in (office.service, service):
        with sequencing(one).records.read() as transaction:
            signed = transaction.tree.checkpoint_of(size)
            assert signed is not None
            notes.append((signed.root, signed.note))
    assert notes[0] == notes[1]

    # Uses go on, each count of the grant given once; what was stopped stays stopped.
    office.clock.forward(timedelta(seconds=2))
    for number in range(QUOTA - USES - 1):
        assert made.use(service, f"rest {number}", office.made) is UseState.COMPLETED
    for seal in (office.made, made.lost, made.resumed, made.cancelled):
        with pytest.raises(AuthorizationDenied):
            made.use(service, f"of {seal.code}", seal)
    with sequencing(service).records.read() as transaction:
        under_way = transaction.uses.find(made.under_way)
    assert under_way is not None
    assert under_way.state is UseState.COMPLETED

    publish(service)
    verified = service.verify_document(PUBLIC_CALLER, VerifyDocument(document=upload_of(made.after)))
    checks = {one.id: one.outcome for one in verified.signatures[0].checks}
    assert checks["logged"] is Outcome.PASS, "the row of its use is lost, its entries are not"
    assert service.transparency.checks.audit(MACHINE, AuditLog()).findings == ()
    found = service.check_database(office.operator, CheckDatabase(deep=True))
    lost_uses = {(Invariant.INTENT, USES), (Invariant.COMPLETED, USES)}
    assert set(found.counts.items()) == lost_uses
    asked = QueryLog(chosen=LogFilter(kind=EventKind.LOG_RECOVERED))
    (entry,) = service.query_log(office.auditor, asked).page.items
    facts = canonical.decode(entry.canon)["facts"]
    assert isinstance(facts, dict)
    assert (facts["from_size"], facts["size"], facts["uses_after_backup"]) == (shown.before, size, USES)


@pytest.mark.parametrize("case", ["sqlite"], indirect=True)
def test_what_is_not_the_same_history_is_refused_and_nothing_is_written(case: tuple[Lost, Service]) -> None:
    made, service = case
    size = made.published.size
    before = recover(service, yes=False).before
    named = {"SEAL_HOME": made.settings.home, "SEAL_KEYS": made.settings.keys}
    named |= {"SEAL_LOG_DIRECTORY": made.settings.published_log, "SEAL_LOG_GUARD": made.settings.guard_directory}
    environment = {name: str(value) for name, value in named.items()}
    shown = CliRunner().invoke(seal_command(), ["log", "recover", "--json"], env=environment)
    assert shown.exit_code == 1, shown.output
    told = json.loads(shown.stdout)
    assert (told["done"], told["before"], told["size"], told["entries"]) == (False, before, size, size - before)
    assert size < 256
    bundle = made.settings.published_log / f"tile/entries/000.p/{size}"
    whole = bundle.read_bytes()
    forged = whole.replace(made.lost.code.encode(), made.office.made.code.encode())
    assert forged != whole
    for content, said in ((forged, "Nothing was written"), (whole[:-1], "within an entry")):
        bundle.write_bytes(content)
        with pytest.raises(LogDamaged, match=said):
            recover(service)
    bundle.write_bytes(whole)
    guard = made.settings.guard_directory / "checkpoint"
    note = guard.read_bytes()
    guard.write_bytes(note.replace(str(size).encode(), b"9999", 1))
    with pytest.raises(LogHalted, match="no checkpoint of this log"):
        recover(service)
    guard.write_bytes(note)
    assert recover(service, yes=False).before == before

    # A seal's counter that was given again after the restore.
    service.report_loss(made.office.keeper, ReportLoss(seal_code=made.lost.code, reason="再次挂失"))
    with pytest.raises(Conflict, match="restore the backup again"):
        recover(service)

    # Whoever gave places in the restored state has another history.
    sequence = replace(sequencing(service), halted=lambda: None)
    assert sequence(MACHINE, SequenceLog()).placed >= 1
    with pytest.raises(LogDamaged, match="another history"):
        recover(service)
