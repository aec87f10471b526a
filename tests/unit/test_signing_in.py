"""登录 on fakes, with a clock that is moved (等保三级 8.1.4.1; article 24)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain import errors as e
from seal_service.domain.access import PUBLIC_CALLER, Caller, MustFirst, Permission, Role, require
from seal_service.domain.operation import Profile
from seal_service.domain.second_factor import FactorKind, FactorPolicy
from seal_service.testing import MemoryRecords
from seal_service.usecases.change_password import ChangePassword
from seal_service.usecases.link_identity import LinkIdentity
from seal_service.usecases.reset_password import ResetPassword
from seal_service.usecases.second_factors import ListFactors
from seal_service.usecases.sessions import ReadSession, SignOut
from tests.people import ADMINISTRATOR, PASSWORD, People

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
OTHER = "凿冰冲冲-纳于凌阴-四之日"


@pytest.fixture
def people() -> People:
    return People()


def test_a_password_that_was_handed_out_opens_nothing_but_its_own_change(people: People) -> None:
    people.account("zhang")
    given = people.reset(ADMINISTRATOR, ResetPassword(account_id="zhang", login_name="zhang.san"))
    signed_in = people.signed_in("zhang.san", given.password)
    assert signed_in.must_first is MustFirst.CHANGE_PASSWORD
    caller = people.caller(signed_in)
    for permission in (Permission.READ_SEALS, Permission.OWN_FACTORS):
        with pytest.raises(e.PasswordChangeRequired):
            require(caller, permission)
    with pytest.raises(e.PasswordChangeRequired):
        people.list_factors(caller, ListFactors())
    assert people.entries("account.refused"), "a refusal is in the log"
    people.change(caller, ChangePassword(present=given.password, new=PASSWORD))
    assert people.caller(signed_in).must_first is None
    require(people.caller(signed_in), Permission.READ_SEALS)


def test_a_password_that_was_handed_out_is_worthless_after_seven_days(people: People) -> None:
    people.account("zhang")
    given = people.reset(ADMINISTRATOR, ResetPassword(account_id="zhang"))
    people.clock.forward(7 * DAY)
    with pytest.raises(e.Unauthenticated):
        people.sign_in("zhang", given.password)
    assert people.entries("session.refused")[-1]["reason"] == "initial_password_expired"


def test_after_90_days_a_password_opens_only_its_own_change_and_14_days_before_it_warns(people: People) -> None:
    people.person()
    people.clock.forward(75 * DAY)
    assert not people.read(people.caller(people.signed_in()), ReadSession()).password_expires_soon
    people.clock.forward(1 * DAY)
    assert people.read(people.caller(people.signed_in()), ReadSession()).password_expires_soon
    people.clock.forward(14 * DAY)
    caller = people.caller(people.signed_in())
    assert caller.must_first is MustFirst.CHANGE_PASSWORD
    people.change(caller, ChangePassword(present=PASSWORD, new=OTHER))
    assert people.signed_in(password=OTHER).must_first is None


def test_a_session_that_was_open_when_the_password_ended_may_only_change_it(people: People) -> None:
    people.person()
    people.clock.forward(90 * DAY - 5 * MINUTE)
    signed_in = people.signed_in()
    assert people.caller(signed_in).must_first is None
    people.clock.forward(5 * MINUTE)
    assert people.caller(signed_in).must_first is MustFirst.CHANGE_PASSWORD


def test_the_last_five_passwords_are_not_taken_again(people: People) -> None:
    people.person()
    caller = people.caller(people.signed_in())
    passwords = [PASSWORD, *(f"{OTHER}-{number}" for number in range(5))]
    for present, new in itertools.pairwise(passwords):
        people.change(caller, ChangePassword(present=present, new=new))
    for used in passwords[1:]:
        with pytest.raises(e.PasswordRefused, match="last 5"):
            people.change(caller, ChangePassword(present=passwords[-1], new=used))
    people.change(caller, ChangePassword(present=passwords[-1], new=PASSWORD))
    with pytest.raises(e.PasswordRefused) as refused:
        people.change(caller, ChangePassword(present=PASSWORD, new="zhang"))
    assert refused.value.details["reasons"] == ["length", "name"]


def test_changing_a_password_ends_every_other_session(people: People) -> None:
    people.person()
    this, other = people.signed_in(), people.signed_in()
    people.change(people.caller(this), ChangePassword(present=PASSWORD, new=OTHER))
    people.caller(this)
    with pytest.raises(e.Unauthenticated):
        people.caller(other)
    assert people.entries("session.ended")[-1]["reason"] == "password_changed"


def test_five_failures_lock_for_a_minute_and_every_further_one_for_twice_as_long(people: People) -> None:
    people.person()
    for minutes in (0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30):
        with pytest.raises(e.Unauthenticated):
            people.sign_in(password="wrong")
        last = people.entries("session.refused")[-1]
        assert (last["reason"], last["locked"]) == ("wrong_password", minutes > 0)
        if minutes:
            people.clock.forward(minutes * MINUTE - timedelta(seconds=1))
            with pytest.raises(e.Unauthenticated):
                people.sign_in()
            assert people.entries("session.refused")[-1]["reason"] == "locked"
            people.clock.forward(timedelta(seconds=1))
    people.signed_in()
    with pytest.raises(e.Unauthenticated):
        people.sign_in(password="wrong")
    assert people.entries("session.refused")[-1]["failures"] == 1, "a whole sign-in takes failures back"


def test_attempts_while_locked_do_not_make_the_lock_longer(people: People) -> None:
    people.person()
    for _ in range(50):
        with pytest.raises(e.Unauthenticated):
            people.sign_in(password="wrong")
    people.clock.forward(MINUTE)
    people.signed_in()


def test_whoever_is_refused_hears_the_same_after_the_same_work(people: People) -> None:
    """No oracle: unknown, wrong, locked, disabled, a machine's, an account without a password."""
    people.person()
    people.account("machine", Role.BUSINESS_SYSTEM)
    people.account("nobody yet")
    people.person("gone")
    with people.records.write() as transaction:
        gone = transaction.accounts.find("gone")
        assert gone is not None
        transaction.accounts.replace(replace(gone, disabled_at=people.clock.now()))
        transaction.commit()
    told = set()
    for name, password in [
        ("unknown", PASSWORD),
        ("machine", PASSWORD),
        ("nobody yet", PASSWORD),
        ("gone", PASSWORD),
        *[("zhang", "wrong")] * 5,
        ("zhang", PASSWORD),
    ]:
        before = people.passwords.compared
        with pytest.raises(e.Unauthenticated) as refused:
            people.sign_in(name, password)
        told.add((refused.value.message, tuple(refused.value.details.items()), people.passwords.compared - before))
    assert len(told) == 1
    reasons = [one["reason"] for one in people.entries("session.refused")]
    assert reasons == ["no_such_person"] * 4 + ["wrong_password"] * 5 + ["locked"]
    assert all(one["result"] == "refused" and one["account_id"] is None for one in people.entries("session.refused"))


def test_a_session_ends_after_a_quarter_of_an_hour_unused_and_after_eight_hours_at_all_events(people: People) -> None:
    people.person()
    signed_in = people.signed_in()
    for _ in range(47):
        people.clock.forward(10 * MINUTE)
        people.caller(signed_in)
    people.clock.forward(10 * MINUTE)
    with pytest.raises(e.Unauthenticated):
        people.caller(signed_in)
    assert people.entries("session.ended")[-1]["reason"] == "too_old"
    idle = people.signed_in()
    people.clock.forward(15 * MINUTE)
    for _ in range(2):
        with pytest.raises(e.Unauthenticated):
            people.caller(idle)
    assert [one["reason"] for one in people.entries("session.ended")].count("idle") == 1


def test_signing_out_ends_one_session_and_signing_out_everywhere_all(people: People) -> None:
    people.person()
    first, second, third = (people.signed_in() for _ in range(3))
    people.sign_out(people.caller(first), SignOut())
    with pytest.raises(e.Unauthenticated):
        people.caller(first)
    assert people.sign_out(people.caller(second), SignOut(everywhere=True)) == 2
    for one in (second, third):
        with pytest.raises(e.Unauthenticated):
            people.caller(one)


def test_a_disabled_account_has_no_session_from_then_on(people: People) -> None:
    account = people.person()
    signed_in = people.signed_in()
    with people.records.write() as transaction:
        transaction.accounts.replace(replace(account, disabled_at=people.clock.now()))
        transaction.commit()
    with pytest.raises(e.Unauthenticated):
        people.caller(signed_in)


def test_a_reset_ends_sessions_locks_and_the_old_password(people: People) -> None:
    people.person()
    signed_in = people.signed_in()
    for _ in range(5):
        with pytest.raises(e.Unauthenticated):
            people.sign_in(password="wrong")
    given = people.reset(ADMINISTRATOR, ResetPassword(account_id="zhang"))
    with pytest.raises(e.Unauthenticated):
        people.caller(signed_in)
    assert people.signed_in(password=given.password).must_first is MustFirst.CHANGE_PASSWORD
    with pytest.raises(e.Unauthenticated):
        people.sign_in()


def test_a_reset_is_told_once_and_of_people_alone(people: People) -> None:
    people.account("zhang")
    people.account("machine", Role.BUSINESS_SYSTEM)
    command = ResetPassword(account_id="zhang", idempotency_key="k")
    people.reset(ADMINISTRATOR, command)
    with pytest.raises(e.AlreadyRegistered):
        people.reset(ADMINISTRATOR, command)
    with pytest.raises(e.InvalidInput):
        people.reset(ADMINISTRATOR, ResetPassword(account_id="machine"))
    with pytest.raises(e.AccountNotFound):
        people.reset(ADMINISTRATOR, ResetPassword(account_id="unknown"))
    with pytest.raises(e.PermissionDenied):
        people.reset(ADMINISTRATOR, ResetPassword(account_id="administrator"))
    with pytest.raises(e.PermissionDenied):
        people.reset(people.caller(people.signed_in_after_reset("li")), ResetPassword(account_id="zhang"))


def test_a_login_name_is_one_persons(people: People) -> None:
    people.account("zhang")
    people.account("li")
    people.reset(ADMINISTRATOR, ResetPassword(account_id="zhang", login_name="keeper"))
    with pytest.raises(e.AlreadyRegistered):
        people.reset(ADMINISTRATOR, ResetPassword(account_id="li", login_name="keeper"))
    for wrong in ("Zhang", "z", "张三三", "a b c", "x" * 33):
        with pytest.raises(e.InvalidInput):
            people.reset(ADMINISTRATOR, ResetPassword(account_id="li", login_name=wrong))


def test_a_wrong_present_password_counts_as_one_at_the_door(people: People) -> None:
    people.person()
    caller = people.caller(people.signed_in())
    for _ in range(5):
        with pytest.raises(e.PasswordRefused, match="present password"):
            people.change(caller, ChangePassword(present="wrong", new=OTHER))
    with pytest.raises(e.PasswordRefused, match="present password"):
        people.change(caller, ChangePassword(present=PASSWORD, new=OTHER))
    with pytest.raises(e.Unauthenticated):
        people.sign_in()
    assert {one["result"] for one in people.entries("password.changed")} == {"success", "refused"}


def test_a_clients_token_has_no_session(people: People) -> None:
    people.person()
    client = Caller(account_id="zhang", name="zhang", roles=frozenset({Role.SEAL_KEEPER}))
    for call in (
        lambda: people.read(client, ReadSession()),
        lambda: people.sign_out(client, SignOut()),
        lambda: people.change(client, ChangePassword(present=PASSWORD, new=OTHER)),
        lambda: people.list_factors(client, ListFactors()),
    ):
        with pytest.raises(e.SessionNotFound):
            call()
    with pytest.raises(e.Unauthenticated):
        people.read(PUBLIC_CALLER, ReadSession())


def test_no_security_administrator_becomes_two_people(people: People) -> None:
    """Who could sign in as the other one would alone be the two people that some acts take (等保三级)."""
    people.account("second", Role.SECURITY_ADMINISTRATOR)
    people.account("zhang")
    operator = Caller(account_id="operator", name="系统管理员", roles=frozenset({Role.SYSTEM_OPERATOR}))
    for act in (ResetPassword(account_id="second"), ResetPassword(account_id="second", remove_second_factors=True)):
        with pytest.raises(e.PermissionDenied, match="at the machine"):
            people.reset(ADMINISTRATOR, act)
    with pytest.raises(e.PermissionDenied, match="at the machine"):
        people.link(ADMINISTRATOR, LinkIdentity(account_id="second", subject="zhang"))
    with pytest.raises(e.PermissionDenied):
        people.recover(ADMINISTRATOR, ResetPassword(account_id="second"))
    with pytest.raises(e.PermissionDenied, match="by a security administrator"):
        people.recover(operator, ResetPassword(account_id="zhang"))
    given = people.recover(operator, ResetPassword(account_id="second"))
    assert people.signed_in("second", given.password).must_first is MustFirst.CHANGE_PASSWORD
    with pytest.raises(e.PermissionDenied):
        people.reset(operator, ResetPassword(account_id="zhang"))


def test_no_password_and_no_token_stands_in_the_log_or_beside_it(people: People) -> None:
    people.person()
    signed_in = people.signed_in()
    assert isinstance(people.records, MemoryRecords)
    for row in people.records.state.entries.values():
        for secret in (PASSWORD, signed_in.token):
            assert secret.encode() not in row.canon
            assert secret not in row.canon.decode("unicode_escape", "replace")
    assert signed_in.token not in repr(people.records.state.sessions)


@pytest.mark.parametrize("policy", FactorPolicy)
def test_in_production_a_certificate_or_a_ukey_is_asked_for_whatever_is_set(policy: FactorPolicy) -> None:
    people = People(policy=policy, profile=Profile.PRODUCTION)
    people.person()
    assert people.signed_in().must_first is MustFirst.ENROL_FACTOR
    assert people.identify.rule.accepted == {FactorKind.CERTIFICATE, FactorKind.UKEY}
