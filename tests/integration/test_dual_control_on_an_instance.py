"""双人控制 on a real instance: both engines, many at once, and what is in force afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.bootstrap import build, initialise
from seal_service.domain.access import Role
from seal_service.domain.dual_control import ControlledState
from seal_service.domain.errors import AlreadyDecided, AlreadyRegistered, PermissionDenied, SecondPersonNeeded
from seal_service.domain.operation import DocumentKeeping
from seal_service.domain.retention import Retention
from seal_service.ports.reading import LogFilter
from seal_service.usecases.change_retention import ChangeRetention, ReadRetention
from seal_service.usecases.control_act import DecideControlledAct
from seal_service.usecases.create_account import CreateAccount, DisableAccount
from seal_service.usecases.give_roles import GiveRoles
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_registers import ReadById
from tests.backups import ENGINES
from tests.instance import Instance
from tests.postgresql import postgresql_settings


@pytest.fixture(params=ENGINES)
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Instance]:
    changes = postgresql_settings("dual-control") if request.param == "postgresql" else {}
    made = Instance(tmp_path / "home", changes=changes)
    yield made
    made.service.close()


def test_of_many_confirmations_at_once_one_counts(instance: Instance) -> None:
    created = instance.service.create_account(instance.security, CreateAccount(name="审计", roles=(Role.AUDITOR,)))
    decision = DecideControlledAct(request_id=created.request_id, confirmed=True)

    def confirm(_number: int) -> ControlledState | None:
        try:
            return instance.service.decide_controlled_act(instance.second, decision).request.state
        except AlreadyDecided:
            return None

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(confirm, range(8)))
    assert answers.count(ControlledState.DONE) == 1
    assert answers.count(None) == 7
    account = instance.service.read_account(instance.security, ReadById(id=created.account.id))
    assert account.roles == {Role.AUDITOR}


def test_an_account_without_confirmed_roles_may_do_nothing(instance: Instance) -> None:
    created = instance.service.create_account(instance.security, CreateAccount(name="审计", roles=(Role.AUDITOR,)))
    caller = instance.login(created.account.id, created.secret)
    assert caller.roles == frozenset()
    with pytest.raises(PermissionDenied):
        instance.service.query_log(caller, QueryLog(chosen=LogFilter()))


def test_retention_changes_when_two_people_say_so_and_the_settings_alone_change_nothing(instance: Instance) -> None:
    kept = Retention(documents=DocumentKeeping.KEPT, hold_hours=24)
    held = Retention(documents=DocumentKeeping.HELD, hold_hours=72)
    elsewhere = instance.settings.model_copy(update={"documents": DocumentKeeping.NONE})
    other = build(elsewhere, clock=instance.clock)
    assert other.read_retention(instance.operator, ReadRetention()).in_force == held
    other.close()
    instance.clock.forward(timedelta(seconds=1))
    change = ChangeRetention(documents=DocumentKeeping.KEPT, hold_hours=24)
    assert instance.confirmed(instance.service.change_retention, change) == kept
    other = build(elsewhere, clock=instance.clock)
    view = other.read_retention(instance.operator, ReadRetention())
    assert (view.in_force, view.confirmed) == (kept, True)
    other.close()


def test_init_makes_the_security_administrators_that_are_missing_and_no_more(instance: Instance) -> None:
    with pytest.raises(AlreadyRegistered):
        initialise(instance.settings, clock=instance.clock)
    instance.service.disable_account(instance.security, DisableAccount(account_id=instance.second.identity))
    with pytest.raises(SecondPersonNeeded):
        instance.service.give_roles(
            instance.security, GiveRoles(account_id=instance.operator.identity, roles=(Role.SYSTEM_OPERATOR,))
        )
    made = initialise(instance.settings, clock=instance.clock)
    assert made.operator is None
    (new,) = made.security_administrators
    assert instance.login(new.account_id, new.secret).roles == {Role.SECURITY_ADMINISTRATOR}
    with pytest.raises(AlreadyRegistered):
        initialise(instance.settings, clock=instance.clock)
