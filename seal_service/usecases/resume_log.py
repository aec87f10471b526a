"""日志恢复公布: a halt that a witness's word brought about ends by its word alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import Conflict, InvalidInput, LogHalted
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.publication import CONFLICT
from seal_service.ports.records import Observation, Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.ports.transparency import Witness
from seal_service.usecases.ask_witnesses import AskWitnesses
from seal_service.usecases.log_condition import NOT_BEGUN, LogCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeLog:
    """日志恢复公布 after a witness knew another tree."""

    witness: str
    """Its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogResumed:
    """What the witness has cosigned now."""

    witness: str
    size: int
    halted: str | None
    """Why the log is halted all the same."""


@dataclass(frozen=True)
class ResumeLogUseCase:
    """日志恢复公布. The witness is shown the guard's checkpoint, which is the last that any witness was shown.

    Raises LogHalted while it still contradicts or the guard does, Unavailable when it does not answer, InvalidInput for
    a name that the settings have not, Conflict when it contradicts nothing; the halt stays then.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    condition: LogCondition
    witnesses: AskWitnesses
    clock: Clock

    def __call__(self, caller: Caller, command: ResumeLog) -> LogResumed:
        """Ask, then lift."""
        witness = self._named(command.witness)
        looked = self.condition.look()
        if looked.contradicted is not None or looked.guarded is None or looked.guarded_tree is None:
            raise LogHalted(looked.contradicted or NOT_BEGUN)
        told, size = looked.conflicts.get(witness.name), looked.guarded_tree.size
        if told is None:
            raise Conflict(f"The witness {witness.name} contradicts nothing: there is nothing to lift")
        given = self.witnesses.again(witness, looked.guarded.content, size)
        facts: dict[str, Scalar] = {"witness": witness.name, "size": size, "halted_because": told}
        with self.records.write() as transaction:
            for line in given.lines:
                transaction.tree.insert_cosignature(size, line, given.at)
            self.log.append(transaction, act_of(caller, Event(kind=EventKind.LOG_RESUMED, facts=facts)))
            lifted = f"{CONFLICT}{witness.name}"
            transaction.observations.put(Observation(name=lifted, at=self.clock.now(), well=True, detail="lifted"))
            transaction.commit()
        return LogResumed(witness=witness.name, size=size, halted=self.condition.look().halted)

    def _named(self, name: str) -> Witness:
        found = next((one for one in self.witnesses.witnesses if one.name == name), None)
        if found is None:
            raise InvalidInput(f"SEAL_LOG_WITNESSES names no witness {name}", field="witness")
        return found
