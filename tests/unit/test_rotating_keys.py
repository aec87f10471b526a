"""主密钥轮换, 令牌密钥轮换 as use cases: what the log has of them, whatever happens to them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.errors import Conflict, IntegrityFailed
from seal_service.ports.crypto import MasterKeyRotated
from seal_service.testing import (
    ChangeableClock,
    CountedEntropy,
    MemoryLog,
    MemoryMasterKey,
    MemoryRecords,
    MemoryTokenKey,
)
from seal_service.usecases.rotate_master_key import (
    PlanMasterKeyRotation,
    PlanMasterKeyRotationUseCase,
    RotateMasterKey,
    RotateMasterKeyUseCase,
)
from seal_service.usecases.rotate_token_key import RotateTokenKey, RotateTokenKeyUseCase

OPERATOR = Caller(account_id="operator-1", name="operator", roles=frozenset({Role.SYSTEM_OPERATOR}))


@dataclass
class World:
    records: MemoryRecords = field(default_factory=MemoryRecords)
    log: MemoryLog = field(default_factory=lambda: MemoryLog(ChangeableClock(), CountedEntropy()))

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(row.canon) | {"result": row.result} for row in self.records.state.entries.values()]


class Refusing(MemoryMasterKey):
    """A rotation that does not come to its end."""

    def rotate(self) -> MasterKeyRotated:
        raise IntegrityFailed("The key seal-1.key was changed")


class Busy(MemoryTokenKey):
    """A rotation that is not alone."""

    def rotate(self) -> None:
        raise Conflict("Keys are being rotated")


def test_only_who_manages_keys_may() -> None:
    for use_case in (PlanMasterKeyRotationUseCase, RotateMasterKeyUseCase, RotateTokenKeyUseCase):
        assert use_case.permission is Permission.MANAGE_KEYS


def test_the_log_has_the_beginning_and_the_end() -> None:
    world, key = World(), MemoryMasterKey()
    done = RotateMasterKeyUseCase(world.records, world.log, key)(OPERATOR, RotateMasterKey())
    begun, ended = world.logged()
    assert (begun["result"], begun["key"], begun["active"]) == ("undecided", "master_key", "1")
    assert (ended["result"], ended["active"], ended["retired"]) == ("success", done.active, ["1"])


def test_a_rotation_that_fails_is_in_the_log_as_begun() -> None:
    world = World()
    with pytest.raises(IntegrityFailed):
        RotateMasterKeyUseCase(world.records, world.log, Refusing())(OPERATOR, RotateMasterKey())
    assert [one["result"] for one in world.logged()] == ["undecided"]


def test_a_look_is_no_act() -> None:
    key = MemoryMasterKey()
    assert PlanMasterKeyRotationUseCase(key)(OPERATOR, PlanMasterKeyRotation()).active == "1"
    assert key.number == 1


def test_a_token_key_is_rotated_and_logged_or_neither() -> None:
    world, key = World(), MemoryTokenKey()
    RotateTokenKeyUseCase(world.records, world.log, key)(OPERATOR, RotateTokenKey())
    assert key.number == 2
    assert [one["key"] for one in world.logged()] == ["token_key"]
    with pytest.raises(Conflict):
        RotateTokenKeyUseCase(world.records, world.log, Busy())(OPERATOR, RotateTokenKey())
    assert len(world.logged()) == 1
