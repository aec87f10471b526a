"""印章申请: what article 12 asks for, through the unit's channel organization (article 13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.application import Application, ApplicationKind, ApplicationState
from seal_service.domain.errors import AlreadyDecided, ApplicationNotFound, InvalidInput, PermissionDenied, UnitNotFound
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.impression import Impression, SealType
from seal_service.domain.lifecycle import state_at
from seal_service.domain.organization import Unit, UnitType, is_channel_of
from seal_service.domain.seal import SealState
from seal_service.ports.documents import ImpressionReader
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import BlobStore, Clock, Entropy
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitApplication:
    """印章申请材料 (article 12): 单位名称, 单位类型, 统一社会信用代码, 印章全名, 印章类型, 实物印模."""

    unit_name: str
    unit_type: UnitType
    credit_code: str
    seal_name: str
    seal_type: SealType
    picture: bytes
    """实物印模: PNG or JPEG."""
    width_mm: float | None = None
    height_mm: float | None = None
    """Size of the inked part; None: by the picture's own resolution."""
    replaces_seal_code: str | None = None
    application_id: str | None = None
    """A returned application that this one revises."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class ApplyForSealUseCase:
    """印章申请, new or revised after it was returned.

    Raises UnitNotFound, InvalidInput (what does not agree with the unit's registration), PermissionDenied (another
    channel), ImpressionRefused, ApplicationNotFound and AlreadyDecided (a revision).
    """

    permission: ClassVar[Permission] = Permission.APPLY_FOR_SEAL
    records: Records
    log: SigningLog
    blobs: BlobStore
    impressions: ImpressionReader
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: SubmitApplication) -> Application:
        """The application."""
        with self.records.read() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.applications.lock(earlier)
            unit = self._unit(transaction, caller, command)
        read = self.impressions.read(
            command.picture, command.seal_type, unit.unit_type, command.width_mm, command.height_mm
        )
        impression = Impression(
            digest=self.blobs.put(read.png),
            width_mm=read.width_mm,
            height_mm=read.height_mm,
            dpi=read.dpi,
            ink_rgb=read.ink_rgb,
        )
        now = self.clock.now()
        application = Application(
            id=command.application_id or identifiers.uuid7(now, self.entropy.token(10)),
            unit_id=unit.id,
            seal_name=checked_name(command.seal_name, "seal_name"),
            seal_type=command.seal_type,
            impression=impression,
            replaces_seal_code=command.replaces_seal_code,
            state=ApplicationState.APPLIED,
            applied_by=caller.identity,
            applied_at=now,
        )
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.applications.lock(earlier)
            if command.replaces_seal_code is not None:
                replaced = transaction.seals.find(identifiers.seal_code(command.replaces_seal_code))
                if replaced is None or replaced.unit_id != unit.id:
                    raise InvalidInput("The seal to be replaced is not one of this unit", field="replaces_seal_code")
                if state_at(replaced, now) in (SealState.MADE, SealState.ACTIVE):
                    raise InvalidInput(
                        "Only a lost, cancelled or expired seal is replaced: report the loss or cancel it first",
                        field="replaces_seal_code",
                    )
            revised = command.application_id is not None
            if revised:
                application = self._revision(transaction, application)
                transaction.applications.replace(application)
            else:
                transaction.applications.add(application)
            kind = EventKind.APPLICATION_REVISED if revised else EventKind.APPLICATION_SUBMITTED
            event = Event(kind=kind, unit_id=unit.id, facts=application_facts(application, unit))
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, application.id, now)
            transaction.commit()
        return application

    def _unit(self, transaction: Transaction, caller: Caller, command: SubmitApplication) -> Unit:
        unit = transaction.units.by_credit_code(identifiers.credit_code(command.credit_code))
        if unit is None:
            raise UnitNotFound("No unit is registered with this 统一社会信用代码: the making office registers it first")
        if unit.name != command.unit_name.strip() or unit.unit_type is not command.unit_type:
            raise InvalidInput(
                f"单位名称 or 单位类型 differ from the registration: {unit.name}, {unit.unit_type.value}",
                field="unit_name",
            )
        if caller.unit_id is None or not is_channel_of(caller.unit_id, unit):
            raise PermissionDenied(
                "Applications of this unit come through its channel organization (article 13)",
                channel_unit_id=unit.channel_unit_id or unit.id,
            )
        return unit

    @staticmethod
    def _revision(transaction: Transaction, revised: Application) -> Application:
        returned = transaction.applications.lock(revised.id)
        if returned.unit_id != revised.unit_id or returned.kind is not ApplicationKind.NEW:
            raise ApplicationNotFound
        if returned.state is not ApplicationState.RETURNED:
            raise AlreadyDecided("Only a returned application is revised", state=returned.state.value)
        return replace(revised, decision_reason=returned.decision_reason)


def application_facts(application: Application, unit: Unit) -> dict[str, Scalar]:
    """What the log keeps of an application."""
    changing = application.kind is ApplicationKind.CHANGE
    return {
        "application_kind": application.kind.value if changing else None,
        "changes_seal_code": application.changes_seal_code,
        "application_id": application.id,
        "seal_name": application.seal_name,
        "seal_type": application.seal_type.value,
        "unit_name": unit.name,
        "unit_credit_code": unit.credit_code,
        "area_code": unit.area_code,
        "impression_digest": application.impression.digest,
        "replaces_seal_code": application.replaces_seal_code,
    }
