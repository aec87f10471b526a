"""用印场景登记: the making office keeps the registry of what seals are applied for (articles 20, 21)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput, ScenarioNotFound
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.grant import LONGEST_APPROVAL_NUMBER
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.scenario import ApprovalWaiver, RegisteredScenario, Scenario, ScenarioKind
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.usecases.change_status import LONGEST_REASON
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterScenario:
    """用印场景 as registered."""

    code: str
    kind: ScenarioKind = ScenarioKind.APPROVAL
    name: str
    waived_for: str | None = None
    """The named process whose approval stands in the place of ours; None: every use needs an approval."""
    waiver_number: str | None = None
    """文号 of the decision to set our approval aside."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeScenario:
    """用印场景变更: what changes; what is None stays as it is."""

    code: str
    reason: str
    name: str | None = None
    active: bool | None = None
    waived_for: str | None = None
    waiver_number: str | None = None
    approval_required: bool = False
    """Whether a waiver ends: from now on every use needs an approval."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RegisterScenarioUseCase:
    """用印场景登记. Raises InvalidInput, AlreadyRegistered."""

    permission: ClassVar[Permission] = Permission.MANAGE_SCENARIOS
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: RegisterScenario) -> RegisteredScenario:
        """The scenario."""
        now = self.clock.now()
        registered = RegisteredScenario(
            scenario=Scenario(code=command.code, kind=command.kind),
            name=checked_name(command.name, "name"),
            active=True,
            waiver=_waiver(command.waived_for, command.waiver_number),
            registered_by=caller.identity,
            registered_at=now,
        )
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.scenarios.lock(earlier)
            transaction.scenarios.add(registered)
            event = Event(
                kind=EventKind.SCENARIO_REGISTERED, scenario=registered.code, facts=scenario_facts(registered)
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, registered.code, now)
            transaction.commit()
        return registered


@dataclass(frozen=True)
class ChangeScenarioUseCase:
    """用印场景变更: for uses that begin after it; code and kind stay. Raises ScenarioNotFound, InvalidInput."""

    permission: ClassVar[Permission] = Permission.MANAGE_SCENARIOS
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: ChangeScenario) -> RegisteredScenario:
        """The scenario as it is now."""
        now = self.clock.now()
        reason = checked_name(command.reason, "reason", LONGEST_REASON)
        waiver = _waiver(command.waived_for, command.waiver_number)
        if waiver is not None and command.approval_required:
            raise InvalidInput("Approvals are either required or waived", field="approval_required")
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            before = transaction.scenarios.lock(command.code)
            if earlier is not None:
                return before
            changed = replace(
                before,
                name=before.name if command.name is None else checked_name(command.name, "name"),
                active=before.active if command.active is None else command.active,
                waiver=None if command.approval_required else waiver or before.waiver,
                changed_by=caller.identity,
                changed_at=now,
            )
            transaction.scenarios.replace(changed)
            event = Event(
                kind=EventKind.SCENARIO_CHANGED,
                scenario=changed.code,
                reason=reason,
                facts={
                    **scenario_facts(changed),
                    "approval_waived_before": before.waiver.process if before.waiver is not None else None,
                },
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, changed.code, now)
            transaction.commit()
        return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class ListScenarios:
    """用印场景列表."""

    page: PageRequest = PageRequest()


@dataclass(frozen=True)
class ListScenariosUseCase:
    """用印场景列表, by code."""

    permission: ClassVar[Permission] = Permission.READ_SCENARIOS
    records: Records

    def __call__(self, _caller: Caller, command: ListScenarios) -> Page[RegisteredScenario]:
        """A page of scenarios."""
        limit = command.page.limit
        with self.records.read() as transaction:
            found = transaction.scenarios.chosen(after=command.page.cursor, limit=limit + 1)
        return Page(items=tuple(found[:limit]), next_cursor=found[limit - 1].code if len(found) > limit else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadScenario:
    """用印场景 by its code."""

    code: str


@dataclass(frozen=True)
class ReadScenarioUseCase:
    """用印场景. Raises ScenarioNotFound."""

    permission: ClassVar[Permission] = Permission.READ_SCENARIOS
    records: Records

    def __call__(self, _caller: Caller, command: ReadScenario) -> RegisteredScenario:
        """The scenario."""
        with self.records.read() as transaction:
            found = transaction.scenarios.find(command.code)
        if found is None:
            raise ScenarioNotFound(scenario=command.code)
        return found


def scenario_facts(registered: RegisteredScenario) -> dict[str, Scalar]:
    """What the log keeps of a scenario."""
    waiver = registered.waiver
    return {
        "scenario_kind": registered.scenario.kind.value,
        "scenario_name": registered.name,
        "active": registered.active,
        "approval_waived_for": waiver.process if waiver is not None else None,
        "waiver_number": waiver.document_number if waiver is not None else None,
    }


def _waiver(process: str | None, number: str | None) -> ApprovalWaiver | None:
    """None when neither is given; InvalidInput when one is missing: a waiver names process and decision."""
    if process is None and number is None:
        return None
    if process is None or number is None:
        missing = "waived_for" if process is None else "waiver_number"
        raise InvalidInput(f"A waiver names the process and the decision that says so: {missing}", field=missing)
    return ApprovalWaiver(
        process=checked_name(process, "waived_for"),
        document_number=checked_name(number, "waiver_number", LONGEST_APPROVAL_NUMBER),
    )
