"""签章人: whom a system names is a registered person of the seal's unit, and the register gives nobody away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain.access import Account, Caller, Role
from seal_service.domain.errors import (
    AuthorizationDenied,
    OperatorNotRegistered,
    PersonNotFound,
    Unauthenticated,
    UnitNotFound,
)
from seal_service.domain.events import EventKind
from seal_service.domain.use import Operator
from seal_service.testing import PlainVault
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.token_refusals import TokenRefusals
from seal_service.usecases.unit_people import (
    ListPeople,
    ListPeopleUseCase,
    RegisterPerson,
    RemovePerson,
    RemovePersonUseCase,
)
from tests.city import Office

ZHANG = Operator(id="U1001", name="样甲")


@pytest.fixture
def office() -> Office:
    made = Office()
    made.person(made.keeper, ZHANG.id, ZHANG.name)
    return made


def named(office: Office, operator: Operator, key: str = "named") -> ApplySeal:
    return replace(office.request(key), operator=operator)


def test_a_registered_person_is_named_by_id_and_registered_name(office: Office) -> None:
    assert office.apply_seal(office.system, named(office, ZHANG)).content


@pytest.mark.parametrize(
    "operator",
    [Operator(id="U1001", name="样乙"), Operator(id="U1002", name="样甲"), Operator(id="u1001", name="样甲")],
)
def test_another_name_or_id_is_refused_with_one_reason_and_logged(office: Office, operator: Operator) -> None:
    with pytest.raises(OperatorNotRegistered) as refused:
        office.apply_seal(office.system, named(office, operator))
    assert [code for code, _ in refused.value.reasons] == ["operator_not_registered"]
    last = list(office.records.state.entries.values())[-1]
    assert (last.kind, last.operator_ref) == (EventKind.SEAL_DENIED, office.log.operator_reference(operator.id))
    assert office.records.state.uses == {}


def test_a_person_of_another_unit_is_nobody_here(office: Office) -> None:
    other = office.unit(2)
    keeper = office.account("other keeper", Role.UNIT_ADMINISTRATOR, other)
    office.person(keeper, "U2001", "样丙")
    with pytest.raises(OperatorNotRegistered):
        office.apply_seal(office.system, named(office, Operator(id="U2001", name="样丙")))


def test_a_system_without_a_grant_does_not_learn_who_works_there(office: Office) -> None:
    stranger = office.account("stranger", Role.BUSINESS_SYSTEM, office.unit(2))
    for operator in (ZHANG, Operator(id="U1002", name="样乙")):
        with pytest.raises(AuthorizationDenied) as refused:
            office.apply_seal(stranger, named(office, operator))
        assert [code for code, _ in refused.value.reasons] == ["no_grant"]


def test_a_removed_person_is_named_no_more_and_may_be_registered_again(office: Office) -> None:
    remove = RemovePersonUseCase(office.records, office.log, office.clock, PlainVault())
    command = RemovePerson(unit_id=office.holder.id, person_id=ZHANG.id)
    assert remove(office.keeper, command).removed_at == office.clock.now()
    assert remove(office.keeper, command).removed_at == office.clock.now(), "twice is once"
    with pytest.raises(OperatorNotRegistered):
        office.apply_seal(office.system, named(office, ZHANG))
    office.person(office.keeper, ZHANG.id, ZHANG.name)
    assert office.apply_seal(office.system, named(office, ZHANG, "again")).content
    assert office.kinds().count("person.removed") == 1
    with pytest.raises(PersonNotFound):
        remove(office.keeper, RemovePerson(unit_id=office.holder.id, person_id="U9999"))


def test_only_the_units_own_people_change_and_read_its_register(office: Office) -> None:
    list_people = ListPeopleUseCase(office.records, PlainVault())
    found = list_people(office.keeper, ListPeople(unit_id=office.holder.id))
    assert [(one.id, one.name) for one in found.items] == [(ZHANG.id, ZHANG.name)]
    other = office.account("other keeper", Role.UNIT_ADMINISTRATOR, office.unit(2))
    with pytest.raises(UnitNotFound):
        list_people(other, ListPeople(unit_id=office.holder.id))
    with pytest.raises(UnitNotFound):
        office.register_person(other, RegisterPerson(unit_id=office.holder.id, person_id="x", name="样丁"))
    auditor = office.account("auditor", Role.AUDITOR, None)
    assert len(list_people(auditor, ListPeople(unit_id=office.holder.id)).items) == 1


def test_refused_logins_are_logged_once_a_minute_for_each_reason(office: Office) -> None:
    """Nobody fills the log by failing; how many there were is not lost."""
    refusals = TokenRefusals(office.records, office.log)
    account: Account = office.records.state.accounts[office.system.identity]
    caller = Caller(account_id=None, name="public", address="203.0.113.9")

    def fail(times: int, reason: str = "wrong") -> None:
        for _ in range(times):
            refusals.note(caller, account, Unauthenticated(reason=reason), office.clock.now())

    fail(5)
    fail(2, "another")
    assert office.kinds().count("token.refused") == 2
    office.clock.forward(timedelta(minutes=1))
    fail(1)
    rows = [row for row in office.records.state.entries.values() if row.kind is EventKind.TOKEN_REFUSED]
    assert len(rows) == 3
    assert b'"more_since_the_last_entry": 4' in rows[-1].canon
