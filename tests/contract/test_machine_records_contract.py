"""What `ports.records` promises of application systems, their credentials and units' persons, on every engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from seal_service.domain.errors import AlreadyRegistered, CredentialNotFound, SystemNotFound
from seal_service.domain.machine import (
    ApplicationSystem,
    CredentialKind,
    MachineStanding,
    SystemChange,
    SystemCredential,
    SystemState,
    UnitPerson,
)
from seal_service.ports.records import Records, Transaction
from tests.storage_samples import NOW, account, later, unit

OTHER_ACCOUNT = "system-2"


def system(number: int = 1, **changes: Any) -> ApplicationSystem:
    made = ApplicationSystem(
        id=f"019ca7e2-6f00-7c3e-9d5a-{number:012d}",
        unit_id="unit-1",
        name="示例市政务服务平台",
        address="https://service.example/",
        network_environment="政务外网",
        department="信息科",
        source_networks=("10.20.30.0/28", "2001:db8::/64"),
        contacts=b"\x02sealed",
        state=SystemState.PENDING,
        applied_by="keeper",
        applied_at=NOW,
    )
    return replace(made, **changes)


def change(**changes: Any) -> SystemChange:
    made = SystemChange(
        id="019ca7e2-8f00-7c3e-9d5a-000000000001",
        address="https://other.example/",
        network_environment="互联网",
        department="数据科",
        source_networks=("10.20.31.0/28", "2001:db8:1::/64"),
        contacts=b"\x02others",
        asked_by="keeper",
        asked_at=later(hours=2),
    )
    return replace(made, **changes)


def credential(number: int = 1, **changes: Any) -> SystemCredential:
    made = SystemCredential(
        id=f"019ca7e2-7f00-7c3e-9d5a-{number:012d}",
        account_id="system-1",
        kind=CredentialKind.KEY,
        secret_hash=None,
        public_key='{"kty":"EC"}',
        thumbprint=f"thumbprint-{number}",
        subject=None,
        created_by="keeper",
        created_at=NOW,
        expires_at=later(days=365),
    )
    return replace(made, **changes)


def person(reference: str = "a" * 32, **changes: Any) -> UnitPerson:
    made = UnitPerson(
        unit_id="unit-1",
        reference=reference,
        name_reference="b" * 32,
        content=b"\x02sealed",
        registered_by="keeper",
        registered_at=NOW,
    )
    return replace(made, **changes)


def prepare(transaction: Transaction) -> None:
    for name in ("unit-1", "unit-2"):
        transaction.units.add(unit(name))
    transaction.accounts.add(account())
    transaction.accounts.add(account(OTHER_ACCOUNT))


def test_a_system_is_read_back_as_it_was_and_written_anew(records: Records) -> None:
    decided = system(
        state=SystemState.APPROVED,
        decided_by="maker",
        decided_at=later(hours=1),
        decision_reason="同意",
        account_id="system-1",
    )
    with records.write() as transaction:
        prepare(transaction)
        transaction.systems.add(system())
        assert transaction.systems.lock(system().id) == system()
        assert transaction.systems.of_account("system-1") is None
        transaction.systems.replace(decided)
        transaction.commit()
    with records.read() as transaction:
        assert transaction.systems.lock(system().id) == decided
        assert transaction.systems.of_account("system-1") == decided


def test_the_change_of_a_system_is_read_back_as_it_was_and_does_not_count_yet(records: Records) -> None:
    standing = system(state=SystemState.APPROVED, account_id="system-1")
    waiting = replace(standing, change=change())
    rejected = change(
        state=SystemState.REJECTED, decided_by="maker", decided_at=later(hours=3), decision_reason="地址不符"
    )
    with records.write() as transaction:
        prepare(transaction)
        transaction.systems.add(standing)
        transaction.systems.replace(waiting)
        transaction.commit()
    with records.read() as transaction:
        assert transaction.systems.lock(standing.id) == waiting
        assert list(transaction.systems.chosen()) == [waiting]
        assert transaction.systems.standing("system-1", None).source_networks == standing.source_networks
    with records.write() as transaction:
        transaction.systems.replace(replace(standing, change=rejected))
        transaction.commit()
    with records.read() as transaction:
        assert transaction.systems.lock(standing.id).change == rejected


def test_systems_are_chosen_by_unit_and_place(records: Records) -> None:
    made = [system(1), system(2, unit_id="unit-2"), system(3)]
    with records.write() as transaction:
        prepare(transaction)
        for one in reversed(made):
            transaction.systems.add(one)
        transaction.commit()
    with records.read() as transaction:
        chosen = transaction.systems.chosen
        assert list(chosen()) == made
        assert list(chosen(limit=2)) == made[:2]
        assert list(chosen(after=made[0].id)) == made[1:]
        assert list(chosen(unit_id="unit-1")) == [made[0], made[2]]


def test_an_account_is_one_systems_alone(records: Records) -> None:
    with records.write() as transaction:
        prepare(transaction)
        transaction.systems.add(system(1, account_id="system-1"))
        transaction.systems.add(system(2))
        with pytest.raises(AlreadyRegistered):
            transaction.systems.replace(system(2, account_id="system-1"))


def test_what_a_call_is_measured_by_is_one_systems_and_one_credentials(records: Records) -> None:
    with records.write() as transaction:
        prepare(transaction)
        transaction.systems.add(system(account_id="system-1", state=SystemState.APPROVED))
        transaction.systems.add_credential(credential(1, revoked_at=later(hours=1)))
        transaction.systems.add_credential(credential(2, account_id=OTHER_ACCOUNT))
        transaction.commit()
    with records.read() as transaction:
        standing = transaction.systems.standing
        approved = MachineStanding(
            system_state=SystemState.APPROVED,
            source_networks=("10.20.30.0/28", "2001:db8::/64"),
            credential_known=True,
            expires_at=later(days=365),
            revoked_at=later(hours=1),
        )
        assert standing("system-1", credential(1).id) == approved
        without = MachineStanding(
            system_state=SystemState.APPROVED, source_networks=approved.source_networks, credential_known=False
        )
        assert standing("system-1", None) == without
        assert standing("system-1", credential(2).id) == without, "another account's credential is none of its own"
        unknown = MachineStanding(system_state=None, source_networks=(), credential_known=False)
        assert standing("nobody", None) == unknown


def test_credentials_stand_beside_each_other_and_a_key_is_there_once(records: Records) -> None:
    with records.write() as transaction:
        prepare(transaction)
        transaction.systems.add_credential(credential(2))
        transaction.systems.add_credential(credential(1))
        secret = credential(3, kind=CredentialKind.CLIENT_SECRET, thumbprint=None, secret_hash="$argon2id$")
        transaction.systems.add_credential(secret)
        transaction.systems.add_credential(replace(secret, id=credential(4).id))
        transaction.commit()
    with records.read() as transaction:
        held = transaction.systems.credentials_of("system-1")
        assert [one.id for one in held] == [credential(number).id for number in (1, 2, 3, 4)]
        assert held[2] == secret
    with records.write() as transaction, pytest.raises(AlreadyRegistered):
        transaction.systems.add_credential(credential(9, account_id=OTHER_ACCOUNT, thumbprint="thumbprint-1"))


def test_a_use_is_noted_forwards_alone(records: Records) -> None:
    with records.write() as transaction:
        prepare(transaction)
        transaction.systems.add_credential(credential())
        transaction.systems.note_use(credential().id, later(minutes=5))
        transaction.systems.note_use(credential().id, later(minutes=1))
        transaction.systems.note_use("nothing", later(minutes=1))
        assert transaction.systems.lock_credential(credential().id).last_used_at == later(minutes=5)


def test_what_is_not_there_is_told(records: Records) -> None:
    with records.write() as transaction:
        with pytest.raises(SystemNotFound):
            transaction.systems.lock("nothing")
        with pytest.raises(SystemNotFound):
            transaction.systems.replace(system())
        with pytest.raises(CredentialNotFound):
            transaction.systems.lock_credential("nothing")
        with pytest.raises(CredentialNotFound):
            transaction.systems.replace_credential(credential())


def test_a_person_is_found_by_unit_and_reference_and_written_anew(records: Records) -> None:
    removed = person(removed_at=NOW + timedelta(hours=1), name_reference="c" * 32)
    with records.write() as transaction:
        prepare(transaction)
        transaction.people.put(person())
        transaction.people.put(person("d" * 32))
        transaction.people.put(person(unit_id="unit-2"))
        assert transaction.people.find("unit-1", "a" * 32) == person()
        assert list(transaction.people.of_unit("unit-1")) == [person(), person("d" * 32)]
        assert list(transaction.people.of_unit("unit-1", after="a" * 32, limit=1)) == [person("d" * 32)]
        transaction.people.put(removed)
        transaction.commit()
    with records.read() as transaction:
        assert transaction.people.find("unit-1", "a" * 32) == removed
        assert transaction.people.find("unit-1", "e" * 32) is None
        assert list(transaction.people.of_unit("unit-1")) == [person("d" * 32)]
        assert list(transaction.people.of_unit("unit-2")) == [person(unit_id="unit-2")]
