"""接入系统与人员: login of machines, the register of systems and their credentials, and units' persons, wired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from seal_service.bootstrap.rooms import Rooms
from seal_service.bootstrap.service import Guarded, UseCase
from seal_service.config import Settings
from seal_service.domain.access import Caller
from seal_service.domain.machine import ApplicationSystem, SystemCredential
from seal_service.domain.paging import Page
from seal_service.pki.machine_proofs import JoseMachineProofs
from seal_service.storage.replay import replay_guard
from seal_service.usecases.authenticate import (
    AccessToken,
    ClientSecret,
    IdentifyCallerUseCase,
    IssueTokenUseCase,
    PresentedClient,
    PresentedToken,
)
from seal_service.usecases.change_system import (
    ChangeSystem,
    ChangeSystemUseCase,
    DecideSystemChange,
    DecideSystemChangeUseCase,
)
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.read_systems import (
    ListCredentialsUseCase,
    ListSystems,
    ListSystemsUseCase,
    ReadSystem,
    ReadSystemUseCase,
)
from seal_service.usecases.register_system import (
    DecideSystem,
    DecideSystemUseCase,
    RegisterSystem,
    RegisterSystemUseCase,
    TieAccount,
    TieAccountUseCase,
)
from seal_service.usecases.system_credentials import (
    AddCredential,
    AddCredentialUseCase,
    AddedCredential,
    RevokeCredential,
    RevokeCredentialUseCase,
)
from seal_service.usecases.token_refusals import TokenRefusals
from seal_service.usecases.unit_people import (
    ListPeople,
    ListPeopleUseCase,
    OpenedPerson,
    RegisterPerson,
    RegisterPersonUseCase,
    RemovePerson,
    RemovePersonUseCase,
)

Command = TypeVar("Command")
Answer = TypeVar("Answer")


class Guarding(Protocol):
    """Puts a use case behind its permission."""

    def __call__(self, use_case: UseCase[Command, Answer]) -> Guarded[Command, Answer]:
        """Guarded."""


@dataclass(frozen=True, kw_only=True)
class Machines:
    """接入系统、凭据、人员: the ready use cases."""

    register: Guarded[RegisterSystem, ApplicationSystem]
    decide: Guarded[DecideSystem, ApplicationSystem]
    change: Guarded[ChangeSystem, ApplicationSystem]
    decide_change: Guarded[DecideSystemChange, ApplicationSystem]
    tie_account: Guarded[TieAccount, ApplicationSystem]
    list_systems: Guarded[ListSystems, Page[ApplicationSystem]]
    read_system: Guarded[ReadById, ReadSystem]
    add_credential: Guarded[AddCredential, AddedCredential]
    list_credentials: Guarded[ReadById, tuple[SystemCredential, ...]]
    revoke_credential: Guarded[RevokeCredential, SystemCredential]
    register_person: Guarded[RegisterPerson, OpenedPerson]
    remove_person: Guarded[RemovePerson, OpenedPerson]
    list_people: Guarded[ListPeople, Page[OpenedPerson]]


@dataclass(frozen=True, kw_only=True)
class Authentication:
    """Login, and whose a token is."""

    issue_token: Guarded[ClientSecret | PresentedClient, AccessToken]
    identify_caller: Guarded[PresentedToken, Caller]


def authentication(
    settings: Settings, rooms: Rooms, guarded: Guarding, sessions: Callable[[Caller, PresentedToken], Caller]
) -> Authentication:
    """As the instance's profile asks for it."""
    records, clock, credentials = rooms.records, rooms.clock, rooms.credentials
    proofs = JoseMachineProofs(settings.public_url)
    replay = replay_guard(rooms.database, settings.home / "proofs")
    refusals = TokenRefusals(records, rooms.log)
    shared = (records, clock, credentials, proofs, replay, refusals, settings.profile)
    return Authentication(
        issue_token=guarded(IssueTokenUseCase(*shared)),
        identify_caller=guarded(IdentifyCallerUseCase(*shared, sessions)),
    )


def machines(settings: Settings, rooms: Rooms, guarded: Guarding) -> Machines:
    """The register of systems and persons."""
    records, log, clock, entropy, vault = rooms.records, rooms.log, rooms.clock, rooms.entropy, rooms.vault
    proofs = JoseMachineProofs(settings.public_url)
    return Machines(
        register=guarded(RegisterSystemUseCase(records, log, clock, entropy, vault)),
        decide=guarded(DecideSystemUseCase(records, log, clock)),
        change=guarded(ChangeSystemUseCase(records, log, clock, entropy, vault)),
        decide_change=guarded(DecideSystemChangeUseCase(records, log, clock, vault)),
        tie_account=guarded(TieAccountUseCase(records, log, clock)),
        list_systems=guarded(ListSystemsUseCase(records)),
        read_system=guarded(ReadSystemUseCase(records, vault)),
        add_credential=guarded(AddCredentialUseCase(records, log, clock, entropy, rooms.credentials, proofs)),
        list_credentials=guarded(ListCredentialsUseCase(records)),
        revoke_credential=guarded(RevokeCredentialUseCase(records, log, clock)),
        register_person=guarded(RegisterPersonUseCase(records, log, clock, vault)),
        remove_person=guarded(RemovePersonUseCase(records, log, clock, vault)),
        list_people=guarded(ListPeopleUseCase(records, vault)),
    )
