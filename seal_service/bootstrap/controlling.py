"""Which acts take two people, and the use cases around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from seal_service.bootstrap.rooms import Rooms
from seal_service.domain.access import Account
from seal_service.domain.dual_control import ControlledAct
from seal_service.domain.retention import Retention
from seal_service.ports.crypto import AuthorityCertificateReader
from seal_service.usecases.change_retention import ChangeRetention, ChangeRetentionUseCase
from seal_service.usecases.control_act import (
    Answer,
    CarriesOut,
    Command,
    Confirmable,
    Controlled,
    DecideControlledActUseCase,
)
from seal_service.usecases.destroy_key import DestroyKey, DestroyKeyUseCase
from seal_service.usecases.give_roles import GiveRoles, GiveRolesUseCase
from seal_service.usecases.list_keys import ListedKey
from seal_service.usecases.manage_trust import AddTrust, AddTrustUseCase, RemoveTrust, RemoveTrustUseCase, TrustView
from seal_service.usecases.rotate_authority_key import RotateAuthorityKey, RotateAuthorityKeyUseCase, Rotation


@dataclass(frozen=True, kw_only=True)
class ControlledActs:
    """The acts that wait for a second person, and what that person decides with."""

    give_roles: Controlled[GiveRoles, Account]
    add_trust: Controlled[AddTrust, TrustView]
    remove_trust: Controlled[RemoveTrust, TrustView]
    rotate_authority_key: Controlled[RotateAuthorityKey, Rotation]
    destroy_key: Controlled[DestroyKey, ListedKey]
    change_retention: Controlled[ChangeRetention, Retention]
    decide: DecideControlledActUseCase


def controlled_acts(
    rooms: Rooms, reader: AuthorityCertificateReader, rotate: RotateAuthorityKeyUseCase
) -> ControlledActs:
    """Every act of `ControlledAct`, around the use case that does it."""
    records, log, clock = rooms.records, rooms.log, rooms.clock

    def controlled(
        act: ControlledAct,
        kind: type[Command],
        inner: Confirmable[Command, Answer],
        as_look: Callable[[Command], Command],
    ) -> Controlled[Command, Answer]:
        return Controlled(act, kind, inner, as_look, records, log, clock, rooms.entropy)

    give = controlled(
        ControlledAct.GIVE_ROLES,
        GiveRoles,
        GiveRolesUseCase(records, log),
        lambda one: replace(one, only_examine=True),
    )
    add = controlled(
        ControlledAct.ADD_TRUST,
        AddTrust,
        AddTrustUseCase(records, log, reader, clock),
        lambda one: replace(one, only_examine=True),
    )
    remove = controlled(
        ControlledAct.REMOVE_TRUST,
        RemoveTrust,
        RemoveTrustUseCase(records, log, reader, clock),
        lambda one: replace(one, only_examine=True),
    )
    rotating = controlled(
        ControlledAct.ROTATE_AUTHORITY_KEY,
        RotateAuthorityKey,
        rotate,
        lambda one: replace(one, confirmed=False),
    )
    destroying = controlled(
        ControlledAct.DESTROY_KEY,
        DestroyKey,
        DestroyKeyUseCase(records, log, rooms.keys, clock),
        lambda one: replace(one, confirmed=False),
    )
    retaining = controlled(
        ControlledAct.CHANGE_RETENTION,
        ChangeRetention,
        ChangeRetentionUseCase(records, log),
        lambda one: replace(one, only_examine=True),
    )
    acts: dict[ControlledAct, CarriesOut] = {
        one.act: one for one in (give, add, remove, rotating, destroying, retaining)
    }
    return ControlledActs(
        give_roles=give,
        add_trust=add,
        remove_trust=remove,
        rotate_authority_key=rotating,
        destroy_key=destroying,
        change_retention=retaining,
        decide=DecideControlledActUseCase(records, log, clock, acts),
    )
