"""A log whose key is rotated, and what stands around it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from seal_service.bootstrap import Service, build
from seal_service.domain.access import PUBLIC_CALLER, Caller
from seal_service.domain.events import EventKind
from seal_service.domain.log_keys import LogKeyPeriod
from seal_service.domain.verdict import Outcome
from seal_service.formats import canonical
from seal_service.formats.checkpoint import Checkpoint
from seal_service.formats.note import VerifierKey, verifier_key
from seal_service.formats.upload import upload_of
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.merkle import root_of
from seal_service.ports.records import Records, StoredCheckpoint
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.audit_log import AuditLog, CheckFiles
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.prove_entry import ProveEntry
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKey
from seal_service.usecases.recover_log import Recovered, RecoverLog
from seal_service.usecases.rotate_log_key import RotateLogKey, RotateLogKeyUseCase
from seal_service.usecases.sequence_log import SequenceLog
from seal_service.usecases.verify_document import VerifyDocument
from tests.instance import RealOffice
from tests.postgresql import postgresql_settings

ROTATE = RotateLogKey(pause=lambda: None, again=True)
LATER = timedelta(seconds=2)
"""What a process read of the keys is believed for one."""


@contextmanager
def published_office(directory: Path, engine: str = "sqlite") -> Iterator[RealOffice]:
    """An office whose log has its guard and its first checkpoint, until the block ends."""
    changes = {} if engine == "sqlite" else postgresql_settings("rotated")
    made = RealOffice(directory / "var", changes=changes)
    made.service.transparency.initialise(MACHINE, InitialiseLog())
    publish(made.service)
    yield made
    made.service.close()


def publish(service: Service) -> int:
    while service.transparency.sequence(MACHINE, SequenceLog()).placed:
        pass
    return service.transparency.publish(MACHINE, PublishCheckpoint()).size


def key_of(service: Service) -> VerifierKey:
    return verifier_key(service.transparency.read_key(PUBLIC_CALLER, ReadLogKey()))


def rotating(office: RealOffice) -> RotateLogKeyUseCase:
    use_case = office.service.transparency.rotate_key.use_case
    assert isinstance(use_case, RotateLogKeyUseCase)
    return use_case


def published(office: RealOffice) -> bytes:
    return (office.home / "log" / "checkpoint").read_bytes()


def proof(office: RealOffice, applied: AppliedSeal) -> bytes:
    entry_id = applied.use.terminal_entry_id
    assert entry_id is not None
    return office.service.transparency.prove_entry(office.auditor, ProveEntry(entry_id=entry_id))


def logged(office: RealOffice, content: bytes, proofs: tuple[bytes, ...] = (), keys: tuple[str, ...] = ()) -> Outcome:
    command = VerifyDocument(document=upload_of(content), proofs=proofs, log_keys=keys)
    [signature] = office.service.verify_document(PUBLIC_CALLER, command).signatures
    return next(one.outcome for one in signature.checks if one.id == "logged")


def entries(office: RealOffice, size: int) -> list[bytes]:
    with records(office).read() as transaction:
        return list(transaction.tree.entries(0, size))


def records(office: RealOffice) -> Records:
    return rotating(office).records


def of_kind(office: RealOffice, kind: EventKind) -> list[dict[str, Any]]:
    publish(office.service)
    with records(office).read() as transaction:
        found = [canonical.decode(one) for one in transaction.tree.entries(0, transaction.tree.head().size)]
    return [dict(one) for one in found if one["kind"] == kind]


def require_sound(office: RealOffice) -> None:
    for check in (office.service.transparency.checks.audit, office.service.transparency.checks.files):
        command: Any = AuditLog() if check is office.service.transparency.checks.audit else CheckFiles()
        assert check(office.operator, command).findings == ()


def lose(office: RealOffice, reference: str) -> None:
    """Its file is gone, and the service starts anew."""
    office.service.close()
    (office.settings.key_directory / f"{reference}.key").unlink()
    office.service = build(office.settings, clock=office.clock)


@dataclass
class Backup:
    """The database file of an instance as it was."""

    office: RealOffice

    def __post_init__(self) -> None:
        self.office.service.close()
        shutil.copytree(self.office.home, self.office.home.parent / "backup")
        self._open()

    def restore(self) -> None:
        self.office.service.close()
        for one in self.office.home.glob("seal.db*"):
            one.unlink()
        shutil.copy(self.office.home.parent / "backup" / "seal.db", self.office.home / "seal.db")
        self._open()

    def _open(self) -> None:
        self.office.service = build(self.office.settings, clock=self.office.clock)


def recover(office: RealOffice, lost_key: str | None = None) -> Recovered:
    command = RecoverLog(confirmed=True, told=lambda *_: None, lost_key=lost_key)
    return office.service.transparency.recover(office.operator, command)


def numbered(office: RealOffice, number: int) -> LogKeyPeriod:
    key = rotating(office).maker.verifier_key_of(number)
    return LogKeyPeriod(number=number, verifier_key=key, above=-1)


def insert_checkpoint(office: RealOffice, sign: Callable[[str], bytes]) -> int:
    """A stored checkpoint of a tree that has none, with the right root; its size."""
    while office.service.transparency.sequence(MACHINE, SequenceLog()).placed:
        pass
    with records(office).write() as transaction:
        size = transaction.tree.head().size - 1
        while transaction.tree.checkpoint_of(size) is not None:
            size -= 1
        root = root_of([one.leaf_hash for one in transaction.tree.leaves(0, size)])
        note = sign(Checkpoint(origin=office.settings.origin, size=size, root=root).text)
        transaction.tree.insert_checkpoint(StoredCheckpoint(size=size, root=root, note=note, at=office.clock.now()))
        transaction.commit()
    return size


def require_going_on(office: RealOffice) -> None:
    """Once processes have read the keys again, seals are used and published, and everything agrees."""
    office.clock.forward(LATER)
    assert office.use("goes on").content is not None
    publish(office.service)
    require_sound(office)


def unfinished(use_case: RotateLogKeyUseCase) -> RotateLogKeyUseCase:
    """A rotation that publishes nothing under the next key."""
    keys = len(use_case.keys())

    def until_opened(caller: Caller, command: PublishCheckpoint) -> None:
        if len(use_case.keys()) == keys:
            use_case.publish(caller, command)

    publisher: Any = until_opened
    return replace(use_case, publish=publisher)


def keeping(office: RealOffice, kept: list[bytes]) -> RotateLogKeyUseCase:
    """A rotation that keeps the published checkpoint as it was before the next key's first one."""
    use_case = rotating(office)
    keys = len(use_case.keys())

    def publish_and_keep(caller: Caller, command: PublishCheckpoint) -> None:
        if len(use_case.keys()) > keys and not kept:
            kept.append(published(office))
        use_case.publish(caller, command)

    publisher: Any = publish_and_keep
    return replace(use_case, publish=publisher)
