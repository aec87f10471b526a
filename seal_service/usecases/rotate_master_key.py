"""主密钥轮换: everything that the master key wraps is wrapped under a new one, while seals are applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.events import Event, EventKind, Result, Scalar, act_of
from seal_service.ports.crypto import MasterKeyPlan, MasterKeyRotated, MasterKeyRotation
from seal_service.ports.records import Records, SigningLog

MASTER_KEY = "master_key"
"""What the log calls the key that was rotated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMasterKeyRotation:
    """What a rotation of the master key would do."""


@dataclass(frozen=True)
class PlanMasterKeyRotationUseCase:
    """主密钥轮换, looked at: nothing is changed."""

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    rotation: MasterKeyRotation

    def __call__(self, _caller: Caller, _command: PlanMasterKeyRotation) -> MasterKeyPlan:
        """What there is."""
        return self.rotation.plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateMasterKey:
    """主密钥轮换 now; or the end of one that was interrupted."""


@dataclass(frozen=True)
class RotateMasterKeyUseCase:
    """主密钥轮换. The log has its beginning and its end, with the ids and counts, never a key.

    Raises Conflict when another rotation is under way, or when the environment gives the master key and names no new
    one; IntegrityFailed when a key cannot be opened.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    rotation: MasterKeyRotation

    def __call__(self, caller: Caller, _command: RotateMasterKey) -> MasterKeyRotated:
        """What was done."""
        begun: dict[str, Scalar] = {"key": MASTER_KEY, "active": self.rotation.plan().active}
        self._log(caller, Event(kind=EventKind.KEY_ROTATED, result=Result.UNDECIDED, facts=begun))
        done = self.rotation.rotate()
        facts: dict[str, Scalar] = {
            "key": MASTER_KEY,
            "active": done.active,
            "retired": done.retired,
            "data_key": done.data_key,
            "key_files": done.key_files,
            "kept_files": done.kept_files,
            "kept_files_damaged": done.kept_files_damaged,
        }
        self._log(caller, Event(kind=EventKind.KEY_ROTATED, facts=facts))
        return done

    def _log(self, caller: Caller, event: Event) -> None:
        with self.records.write() as transaction:
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()
