"""变更申请: another impression, type, channel or keeper for a seal that is there (article 23)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.application import Application, ApplicationKind, ApplicationState
from seal_service.domain.errors import InvalidInput, NameChangeRefused, PermissionDenied
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.impression import Impression, SealType
from seal_service.domain.lifecycle import Action, next_state
from seal_service.domain.organization import Unit, is_channel_of
from seal_service.domain.seal import Seal
from seal_service.ports.documents import ImpressionReader
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import BlobStore, Clock, Entropy
from seal_service.usecases.apply_for_seal import application_facts
from seal_service.usecases.change_status import checked_text
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyForChange:
    """变更申请材料; None: that stays as it is."""

    seal_code: str
    reason: str
    picture: bytes | None = field(default=None, repr=False)
    """实物印模: PNG or JPEG."""
    width_mm: float | None = None
    height_mm: float | None = None
    seal_type: SealType | None = None
    keeper_id: str | None = None
    """Account of the new 印章管理员."""
    channel_unit_id: str | None = None
    """The unit's new 扎口单位."""
    unit_name: str | None = None
    seal_name: str | None = None
    """Names are given to be refused, with what to do instead, when they are others than before."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class ApplyForChangeUseCase:
    """变更申请, through the unit's channel organization; decided on as every application.

    Raises SealNotFound, TransitionRefused (only an active seal is changed), NameChangeRefused, InvalidInput,
    PermissionDenied (another channel), ImpressionRefused, UnitNotFound.
    """

    permission: ClassVar[Permission] = Permission.APPLY_FOR_SEAL
    records: Records
    log: SigningLog
    blobs: BlobStore
    impressions: ImpressionReader
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: ApplyForChange) -> Application:
        """The application."""
        reason = checked_text(command.reason, "reason")
        with self.records.read() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.applications.lock(earlier)
            seal, unit = self._seal(transaction, caller, command)
        seal_type = command.seal_type or seal.seal_type
        impression = self._impression(command, seal_type, unit) or seal.impression
        now = self.clock.now()
        application = Application(
            id=identifiers.uuid7(now, self.entropy.token(10)),
            unit_id=unit.id,
            seal_name=seal.name,
            seal_type=seal_type,
            impression=impression,
            replaces_seal_code=None,
            state=ApplicationState.APPLIED,
            applied_by=caller.identity,
            applied_at=now,
            kind=ApplicationKind.CHANGE,
            changes_seal_code=seal.code,
            keeper_id=command.keeper_id,
            channel_unit_id=command.channel_unit_id,
        )
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.applications.lock(earlier)
            seal, unit = self._seal(transaction, caller, command)
            if not changes(application, seal, unit):
                raise InvalidInput("The application changes nothing of the seal", field="seal_code")
            transaction.applications.add(application)
            event = Event(
                kind=EventKind.CHANGE_SUBMITTED,
                seal_code=seal.code,
                unit_id=unit.id,
                reason=reason,
                facts=application_facts(application, unit),
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, application.id, now)
            transaction.commit()
        return application

    def _seal(self, transaction: Transaction, caller: Caller, command: ApplyForChange) -> tuple[Seal, Unit]:
        seal = transaction.seals.lock(identifiers.seal_code(command.seal_code))
        unit = transaction.units.get(seal.unit_id)
        if caller.unit_id is None or not is_channel_of(caller.unit_id, unit):
            raise PermissionDenied(
                "Applications of this unit come through its channel organization (article 13)",
                channel_unit_id=unit.channel_unit_id or unit.id,
            )
        for given, known in ((command.unit_name, unit.name), (command.seal_name, seal.name)):
            if given is not None and given.strip() != known:
                raise NameChangeRefused(seal_code=seal.code)
        next_state(seal, Action.CHANGE, self.clock.now())
        if command.keeper_id is not None:
            require_keeper(transaction, command.keeper_id, unit)
        if command.channel_unit_id is not None:
            transaction.units.get(command.channel_unit_id)
        return seal, unit

    def _impression(self, command: ApplyForChange, seal_type: SealType, unit: Unit) -> Impression | None:
        if command.picture is None:
            return None
        read = self.impressions.read(command.picture, seal_type, unit.unit_type, command.width_mm, command.height_mm)
        return Impression(
            digest=self.blobs.put(read.png),
            width_mm=read.width_mm,
            height_mm=read.height_mm,
            dpi=read.dpi,
            ink_rgb=read.ink_rgb,
        )


def changes(application: Application, seal: Seal, unit: Unit) -> tuple[str, ...]:
    """What an application would change of a seal, by name."""
    found = {
        "impression": application.impression != seal.impression,
        "type": application.seal_type is not seal.seal_type,
        "keeper": application.keeper_id not in (None, seal.keeper_id),
        "channel": application.channel_unit_id not in (None, unit.channel_unit_id or unit.id),
    }
    return tuple(name for name, differs in found.items() if differs)


def require_keeper(transaction: Transaction, account_id: str, unit: Unit) -> None:
    """Raise InvalidInput unless the account is one of the unit's seal keepers."""
    account = transaction.accounts.find(account_id)
    fit = (
        account is not None
        and account.disabled_at is None
        and account.unit_id == unit.id
        and Role.SEAL_KEEPER in account.roles
    )
    if not fit:
        raise InvalidInput("The keeper is an account of the seal's unit with the role seal_keeper", field="keeper_id")
