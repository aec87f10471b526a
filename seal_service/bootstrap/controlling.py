"""Which acts take two people, and the use cases around them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seal_service.bootstrap.rooms import Rooms
from seal_service.domain.access import Account
from seal_service.domain.dual_control import ControlledAct
from seal_service.domain.retention import Retention
from seal_service.ports.crypto import AuthorityCertificateReader
from seal_service.usecases.change_retention import ChangeRetention, ChangeRetentionUseCase
from seal_service.usecases.control_act import CarriesOut, Controlled, DecideControlledActUseCase
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
    records, log, clock, entropy = rooms.records, rooms.log, rooms.clock, rooms.entropy
    give = Controlled(
        act=ControlledAct.GIVE_ROLES,
        kind=GiveRoles,
        inner=GiveRolesUseCase(records, log),
        changes_nothing=lambda one: one.only_examine,
        examined=lambda one: replace(one, only_examine=True),
        records=records,
        log=log,
        clock=clock,
        entropy=entropy,
    )
    add = Controlled(
        act=ControlledAct.ADD_TRUST,
        kind=AddTrust,
        inner=AddTrustUseCase(records, log, reader, clock),
        changes_nothing=lambda one: one.only_examine,
        examined=lambda one: replace(one, only_examine=True),
        records=records,
        log=log,
        clock=clock,
        entropy=entropy,
    )
    remove = Controlled(
        act=ControlledAct.REMOVE_TRUST,
        kind=RemoveTrust,
        inner=RemoveTrustUseCase(records, log, reader, clock),
        changes_nothing=lambda one: one.only_examine,
        examined=lambda one: replace(one, only_examine=True),
        records=records,
        log=log,
        clock=clock,
        entropy=entropy,
    )
    rotating = Controlled(
        act=ControlledAct.ROTATE_AUTHORITY_KEY,
        kind=RotateAuthorityKey,
        inner=rotate,
        changes_nothing=lambda one: not one.confirmed,
        examined=lambda one: replace(one, confirmed=False),
        records=records,
        log=log,
        clock=clock,
        entropy=entropy,
    )
    destroying = Controlled(
        act=ControlledAct.DESTROY_KEY,
        kind=DestroyKey,
        inner=DestroyKeyUseCase(records, log, rooms.keys, clock),
        changes_nothing=lambda one: not one.confirmed,
        examined=lambda one: replace(one, confirmed=False),
        records=records,
        log=log,
        clock=clock,
        entropy=entropy,
    )
    retaining = Controlled(
        act=ControlledAct.CHANGE_RETENTION,
        kind=ChangeRetention,
        inner=ChangeRetentionUseCase(records, log),
        changes_nothing=lambda one: one.only_examine,
        examined=lambda one: replace(one, only_examine=True),
        records=records,
        log=log,
        clock=clock,
        entropy=entropy,
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
