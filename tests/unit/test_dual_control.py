"""双人控制: what takes two people is asked for by one, confirmed by another, and done once, as it was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.access import Account, Caller, Permission, Role
from seal_service.domain.dual_control import (
    TIME_TO_CONFIRM,
    ControlledAct,
    ControlledRequest,
    ControlledState,
    decided,
    reason_against,
    state_at,
)
from seal_service.domain.errors import (
    AccountNotFound,
    AlreadyDecided,
    InvalidInput,
    KeyInUse,
    PermissionDenied,
    SecondPersonNeeded,
    SelfDecisionRefused,
)
from seal_service.domain.events import EventKind
from seal_service.formats.command_json import command_as_json, command_of_json
from seal_service.testing import ChangeableClock, CountedEntropy, MemoryLog, MemoryRecords
from seal_service.usecases.control_act import Controlled, DecideControlledAct, DecideControlledActUseCase
from seal_service.usecases.destroy_key import DestroyKey
from seal_service.usecases.give_roles import GiveRoles, GiveRolesUseCase
from seal_service.usecases.manage_trust import AddTrust

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIRST, SECOND = (
    Caller(account_id=name, name=name, roles=frozenset({Role.SECURITY_ADMINISTRATOR})) for name in ("first", "second")
)


def account(name: str, *roles: Role, unit: str | None = None, disabled: bool = False) -> Account:
    return Account(
        id=name,
        name=name,
        roles=frozenset(roles),
        unit_id=unit,
        secret_hash="x",
        created_at=NOW,
        disabled_at=NOW if disabled else None,
    )


@dataclass
class Desk:
    """Roles are given here, by two."""

    clock: ChangeableClock = field(default_factory=ChangeableClock)
    records: MemoryRecords = field(default_factory=MemoryRecords)

    def __post_init__(self) -> None:
        entropy = CountedEntropy()
        self.log = MemoryLog(self.clock, entropy)
        self.give = Controlled(
            act=ControlledAct.GIVE_ROLES,
            kind=GiveRoles,
            inner=GiveRolesUseCase(self.records, self.log),
            as_look=lambda one: replace(one, only_examine=True),
            records=self.records,
            log=self.log,
            clock=self.clock,
            entropy=entropy,
        )
        self.decide = DecideControlledActUseCase(
            self.records, self.log, self.clock, {ControlledAct.GIVE_ROLES: self.give}
        )
        self.add(account("first", Role.SECURITY_ADMINISTRATOR), account("second", Role.SECURITY_ADMINISTRATOR))
        self.add(account("newcomer", unit="unit-1"))

    def add(self, *accounts: Account) -> None:
        with self.records.write() as transaction:
            for one in accounts:
                transaction.accounts.add(one)
            transaction.commit()

    def ask(self, *roles: Role, by: Caller = FIRST, to: str = "newcomer") -> str:
        with pytest.raises(SecondPersonNeeded) as waiting:
            self.give(by, GiveRoles(account_id=to, roles=roles))
        return str(waiting.value.details["request_id"])

    def roles(self, name: str = "newcomer") -> frozenset[Role]:
        with self.records.read() as transaction:
            found = transaction.accounts.find(name)
        assert found is not None
        return found.roles

    def request(self, request_id: str) -> ControlledRequest:
        with self.records.read() as transaction:
            return transaction.controlled.lock(request_id)

    def kinds(self) -> list[EventKind]:
        return [row.kind for row in list(self.records.state.entries.values())]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def confirm(request_id: str) -> DecideControlledAct:
    return DecideControlledAct(request_id=request_id, confirmed=True)


def test_a_role_is_given_only_when_another_person_confirms(desk: Desk) -> None:
    request = desk.ask(Role.SEAL_KEEPER, Role.APPLICANT)
    assert desk.roles() == frozenset()
    with pytest.raises(SelfDecisionRefused):
        desk.decide(FIRST, confirm(request))
    assert desk.roles() == frozenset()
    assert desk.decide(SECOND, confirm(request)).request.state is ControlledState.DONE
    assert desk.roles() == {Role.SEAL_KEEPER, Role.APPLICANT}
    assert desk.kinds() == [EventKind.CONTROL_REQUESTED, EventKind.CONTROL_CONFIRMED, EventKind.ROLES_GIVEN]


def test_the_log_names_both_people(desk: Desk) -> None:
    desk.decide(SECOND, confirm(desk.ask(Role.SEAL_KEEPER)))
    asked, confirmed, given_ = list(desk.records.state.entries.values())
    assert (asked.account_id, confirmed.account_id, given_.account_id) == ("first", "second", "first")
    assert json.loads(given_.canon)["confirmed_by"] == "second"


def test_a_request_is_decided_once(desk: Desk) -> None:
    request = desk.ask(Role.SEAL_KEEPER)
    desk.decide(SECOND, confirm(request))
    with pytest.raises(AlreadyDecided):
        desk.decide(SECOND, confirm(request))
    with pytest.raises(AlreadyDecided):
        desk.decide(SECOND, DecideControlledAct(request_id=request, confirmed=False, reason="zu spät"))


def test_what_is_rejected_is_not_done_and_says_why(desk: Desk) -> None:
    request = desk.ask(Role.SEAL_KEEPER)
    with pytest.raises(InvalidInput):
        desk.decide(SECOND, DecideControlledAct(request_id=request, confirmed=False))
    desk.decide(SECOND, DecideControlledAct(request_id=request, confirmed=False, reason="未经批准"))
    assert desk.roles() == frozenset()
    assert desk.request(request).reason == "未经批准"
    assert desk.kinds()[-1] is EventKind.CONTROL_REJECTED


def test_a_request_that_nobody_confirms_lapses(desk: Desk) -> None:
    request = desk.ask(Role.SEAL_KEEPER)
    desk.clock.forward(TIME_TO_CONFIRM)
    with pytest.raises(AlreadyDecided, match="lapsed"):
        desk.decide(SECOND, confirm(request))
    assert desk.roles() == frozenset()


def test_what_would_be_refused_is_refused_before_anyone_is_asked(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="check each other"):
        desk.give(FIRST, GiveRoles(account_id="newcomer", roles=(Role.SEAL_KEEPER, Role.UNIT_ADMINISTRATOR)))
    with pytest.raises(AccountNotFound):
        desk.give(FIRST, GiveRoles(account_id="nobody", roles=(Role.AUDITOR,)))
    with pytest.raises(PermissionDenied):
        desk.give(FIRST, GiveRoles(account_id="first", roles=(Role.AUDITOR,)))
    assert desk.kinds() == []


def test_nobody_confirms_a_role_of_ones_own(desk: Desk) -> None:
    request = desk.ask(Role.AUDITOR, to="second")
    with pytest.raises(PermissionDenied):
        desk.decide(SECOND, confirm(request))
    assert desk.request(request).state is ControlledState.FAILED
    assert desk.roles("second") == {Role.SECURITY_ADMINISTRATOR}
    assert desk.kinds()[-1] is EventKind.CONTROL_FAILED


@pytest.mark.parametrize(
    "leaves",
    [lambda one: replace(one, disabled_at=NOW), lambda one: replace(one, roles=frozenset({Role.AUDITOR}))],
    ids=["disabled", "another role"],
)
def test_who_asked_must_still_be_allowed_to(desk: Desk, leaves: Callable[[Account], Account]) -> None:
    request = desk.ask(Role.SEAL_KEEPER)
    with desk.records.write() as transaction:
        asker = transaction.accounts.find("first")
        assert asker is not None
        transaction.accounts.replace(leaves(asker))
        transaction.commit()
    with pytest.raises((AccountNotFound, PermissionDenied)):
        desk.decide(SECOND, confirm(request))
    assert desk.roles() == frozenset()


def test_a_failure_of_the_act_ends_the_request_with_its_reason(desk: Desk) -> None:
    class Refusing:
        permission = Permission.MANAGE_ACCOUNTS

        def carry_out(self, _caller: Caller, _command: str) -> object:
            raise KeyInUse("The key is still needed")

    request = desk.ask(Role.SEAL_KEEPER)
    decide = replace(desk.decide, acts={ControlledAct.GIVE_ROLES: Refusing()})
    with pytest.raises(KeyInUse):
        decide(SECOND, confirm(request))
    assert desk.request(request).reason == "key_in_use: The key is still needed"


@given(
    st.one_of(
        st.builds(
            AddTrust,
            certificate=st.binary(max_size=2000),
            for_signatures=st.booleans(),
            for_timestamps=st.booleans(),
            note=st.text(st.characters(exclude_categories=["Cs"])),
            revocation_addresses=st.lists(st.text(st.characters(exclude_categories=["Cs"]))).map(tuple),
        ),
        st.builds(DestroyKey, reference=st.text(st.characters(exclude_categories=["Cs"])), confirmed=st.booleans()),
        st.builds(GiveRoles, account_id=st.just("a"), roles=st.lists(st.sampled_from(Role)).map(tuple)),
    )
)
def test_what_is_confirmed_is_to_the_last_byte_what_was_asked_for(command: AddTrust | DestroyKey | GiveRoles) -> None:
    assert command_of_json(type(command), command_as_json(command)) == command


@given(st.timedeltas(timedelta(0), timedelta(days=10)))
def test_only_a_waiting_request_in_time_is_decided(later: timedelta) -> None:
    request = ControlledRequest(
        id="r", act=ControlledAct.ADD_TRUST, command="{}", requested_by="first", requested_at=NOW
    )
    if later < TIME_TO_CONFIRM:
        assert decided(request, "second", NOW + later, confirmed=True).state is ControlledState.CONFIRMED
    else:
        assert state_at(request, NOW + later) is ControlledState.LAPSED
        with pytest.raises(AlreadyDecided):
            decided(request, "second", NOW + later, confirmed=True)


OPERATOR = account("operator", Role.SYSTEM_OPERATOR)
ONE, OTHER = account("one", Role.SECURITY_ADMINISTRATOR), account("other", Role.SECURITY_ADMINISTRATOR)
GONE = account("gone", Role.SECURITY_ADMINISTRATOR, disabled=True)
AUDITOR = account("auditor", Role.AUDITOR)
HELD = frozenset({Role.SECURITY_ADMINISTRATOR, Role.SYSTEM_OPERATOR})


@pytest.mark.parametrize(
    ("first", "second", "held", "well"),
    [
        (ONE, OTHER, HELD, True),
        (OPERATOR, ONE, HELD, True),
        (ONE, ONE, HELD, False),
        (ONE, None, HELD, False),
        (None, None, HELD, False),
        (ONE, GONE, HELD, False),
        (ONE, AUDITOR, HELD, False),
        (OPERATOR, OPERATOR, HELD, False),
        (OPERATOR, None, frozenset({Role.SYSTEM_OPERATOR}), True),
        (None, None, frozenset({Role.SYSTEM_OPERATOR}), False),
        (None, None, frozenset(), True),
    ],
)
def test_who_may_restore_a_backup(
    first: Account | None, second: Account | None, held: frozenset[Role], well: bool
) -> None:
    assert (reason_against(first, second, held) is None) == well
