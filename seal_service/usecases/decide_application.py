"""审批: an application is approved, rejected or returned by someone other than the applicant (articles 14, 18)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.application import Application, Decision, state_after_decision
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.usecases.apply_for_seal import application_facts
from seal_service.usecases.requests import made_earlier, remember

_KIND_OF: dict[Decision, EventKind] = {
    Decision.APPROVE: EventKind.APPLICATION_APPROVED,
    Decision.REJECT: EventKind.APPLICATION_REJECTED,
    Decision.RETURN: EventKind.APPLICATION_RETURNED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApplication:
    """审批结论 as given."""

    application_id: str
    decision: Decision
    reason: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class DecideApplicationUseCase:
    """审批. Raises ApplicationNotFound, AlreadyDecided, SelfDecisionRefused, InvalidInput (no reason)."""

    permission: ClassVar[Permission] = Permission.DECIDE_APPLICATION
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: DecideApplication) -> Application:
        """The application with its decision."""
        now = self.clock.now()
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            application = transaction.applications.lock(command.application_id)
            if earlier is not None:
                return application
            state = state_after_decision(application, command.decision, caller.identity, command.reason)
            decided = replace(
                application, state=state, decided_by=caller.identity, decided_at=now, decision_reason=command.reason
            )
            transaction.applications.replace(decided)
            unit = transaction.units.get(application.unit_id)
            event = Event(
                kind=_KIND_OF[command.decision],
                unit_id=unit.id,
                reason=command.reason,
                facts=application_facts(decided, unit),
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, decided.id, now)
            transaction.commit()
        return decided
