"""待签用印: what a system has prepared and not completed, to read again or to give up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import PreparedUseCompleted, UseOvertaken
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.use import SealUse, UseState
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import BlobStore, Clock
from seal_service.usecases.complete_prepared_use import own_prepared
from seal_service.usecases.fail_use import FailUse


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPreparedUse:
    """Which prepared use."""

    seal_code: str
    use_id: str


@dataclass(frozen=True)
class ReadPreparedUseUseCase:
    """待签用印 of the caller's own. Raises PreparedUseNotFound."""

    permission: ClassVar[Permission] = Permission.APPLY_SEAL
    records: Records

    def __call__(self, caller: Caller, command: ReadPreparedUse) -> tuple[SealUse, PreparedUse]:
        """The use and what is to be signed."""
        with self.records.read() as transaction:
            return own_prepared(transaction, caller, command.seal_code, command.use_id)


@dataclass(frozen=True)
class CancelPreparedUseUseCase:
    """放弃待签用印: its count goes back, what was kept is removed. Twice is once.

    Raises PreparedUseNotFound, PreparedUseCompleted.
    """

    permission: ClassVar[Permission] = Permission.APPLY_SEAL
    records: Records
    log: SigningLog
    blobs: BlobStore
    clock: Clock

    def __call__(self, caller: Caller, command: ReadPreparedUse) -> None:
        """End it as abandoned."""
        with self.records.read() as transaction:
            use, _ = own_prepared(transaction, caller, command.seal_code, command.use_id)
        if use.state is UseState.RESERVED:
            given_up = UseOvertaken("The prepared use was given up by the system that asked for it")
            fail = FailUse(self.records, self.log, self.blobs, self.clock)
            if fail(caller, None, use, given_up, state=UseState.ABANDONED):
                return
            with self.records.read() as transaction:
                use, _ = own_prepared(transaction, caller, command.seal_code, command.use_id)
        if use.state is UseState.COMPLETED:
            raise PreparedUseCompleted("The use is completed and cannot be given up", use_id=use.id)
