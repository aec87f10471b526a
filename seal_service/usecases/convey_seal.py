"""导入应用系统: the seal's data for an application system, and a handle by which it asks for uses (article 20)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.conveyance import Conveyance, handle_digest
from seal_service.domain.errors import (
    AccountNotFound,
    Conflict,
    ConveyanceNotFound,
    IntegrityFailed,
    InvalidInput,
    SealNotFound,
)
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.lifecycle import Action, allowed_actions, state_at
from seal_service.domain.seal import Credential, Seal
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import BlobStore, Clock, Entropy
from seal_service.usecases.facts import lock_own_seal, may_see, seal_facts

HANDLE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ConveySeal:
    """导入 as asked for. It is not repeatable by a key: a handle is shown once."""

    seal_code: str
    system_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawConveyance:
    """撤回导入."""

    seal_code: str
    conveyance_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConveyances:
    """Which seal's."""

    seal_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConveyedSeal:
    """印章数据 with the handle: everything that an application system needs to ask for uses, and nothing that signs."""

    conveyance: Conveyance
    handle: str
    seal: Seal
    credential: Credential
    impression: bytes
    """PNG."""


@dataclass(frozen=True)
class ConveySealUseCase:
    """导入 by the unit's administrator.

    Raises SealNotFound, AccountNotFound, InvalidInput for an account that is no business system, Conflict for a seal
    that cannot be applied.
    """

    permission: ClassVar[Permission] = Permission.CONVEY_SEAL
    records: Records
    log: SigningLog
    blobs: BlobStore
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: ConveySeal) -> ConveyedSeal:
        """The data and the handle, once."""
        handle = base64.urlsafe_b64encode(self.entropy.token(HANDLE_BYTES)).rstrip(b"=").decode()
        with self.records.write() as transaction:
            now = self.clock.now()
            seal = lock_own_seal(transaction, caller, command.seal_code)
            credential = seal.signing_credential()
            if credential is None or Action.APPLY not in allowed_actions(state_at(seal, now)):
                raise Conflict(f"A seal that is {state_at(seal, now)} is not conveyed")
            system = transaction.accounts.find(command.system_id)
            if system is None or system.disabled_at is not None:
                raise AccountNotFound
            if Role.BUSINESS_SYSTEM not in system.roles:
                raise InvalidInput("A seal is conveyed to a business system", field="system_id")
            conveyance = Conveyance(
                id=uuid7(now, self.entropy.token(10)),
                seal_code=seal.code,
                system_id=system.id,
                handle_sha256=handle_digest(handle),
                conveyed_by=caller.identity,
                conveyed_at=now,
            )
            transaction.conveyances.add(conveyance)
            _append(transaction, self.log, caller, seal, EventKind.SEAL_CONVEYED, conveyance)
            impression = self.blobs.get(seal.impression.digest)
            if impression is None:
                raise IntegrityFailed("The seal's impression is not here")
            transaction.commit()
        return ConveyedSeal(
            conveyance=conveyance, handle=handle, seal=seal, credential=credential, impression=impression
        )


@dataclass(frozen=True)
class WithdrawConveyanceUseCase:
    """撤回导入 by the unit's administrator; twice is once. Uses under way do not survive it.

    Raises SealNotFound, ConveyanceNotFound.
    """

    permission: ClassVar[Permission] = Permission.CONVEY_SEAL
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: WithdrawConveyance) -> None:
        """Its handle stands no more."""
        with self.records.write() as transaction:
            seal = lock_own_seal(transaction, caller, command.seal_code)
            conveyances = transaction.conveyances.of(seal.code)
            conveyance = next((one for one in conveyances if one.id == command.conveyance_id), None)
            if conveyance is None:
                raise ConveyanceNotFound
            if conveyance.withdrawn_at is not None:
                return
            withdrawn = replace(conveyance, withdrawn_at=self.clock.now())
            transaction.conveyances.replace(withdrawn)
            transaction.seals.replace(replace(seal, epoch=seal.epoch + 1))
            _append(transaction, self.log, caller, seal, EventKind.CONVEYANCE_WITHDRAWN, withdrawn)
            transaction.commit()


@dataclass(frozen=True)
class ListConveyancesUseCase:
    """导入记录 of a seal, for its unit, the making office and auditors. Raises SealNotFound."""

    permission: ClassVar[Permission] = Permission.READ_GRANTS
    records: Records

    def __call__(self, caller: Caller, command: ListConveyances) -> tuple[Conveyance, ...]:
        """Oldest first."""
        with self.records.read() as transaction:
            seal = transaction.seals.find(command.seal_code)
            if seal is None or not may_see(caller, seal):
                raise SealNotFound
            found = transaction.conveyances.of(seal.code)
        if Role.BUSINESS_SYSTEM in caller.roles:
            return tuple(one for one in found if one.system_id == caller.account_id)
        return tuple(found)


def _append(
    transaction: Transaction, log: SigningLog, caller: Caller, seal: Seal, kind: EventKind, conveyance: Conveyance
) -> None:
    unit = transaction.units.get(seal.unit_id)
    event = Event(
        kind=kind,
        seal_code=seal.code,
        unit_id=unit.id,
        facts={
            **seal_facts(seal, unit),
            "conveyance_id": conveyance.id,
            "system_id": conveyance.system_id,
            "handle_sha256": conveyance.handle_sha256,
        },
    )
    log.append(transaction, act_of(caller, event))
