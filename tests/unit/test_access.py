"""Roles, permissions and the guard in front of every use case: default deny."""

from __future__ import annotations

import dataclasses
from typing import get_type_hints

import pytest

from seal_service.bootstrap.auditing import AuditDesk
from seal_service.bootstrap.filing import FilingCases
from seal_service.bootstrap.machines import Machines
from seal_service.bootstrap.service import Guarded, Service
from seal_service.bootstrap.transparency import Transparency
from seal_service.domain.access import (
    INCOMPATIBLE_ROLES,
    PERMISSIONS_OF,
    PERSONAL_PERMISSIONS,
    PUBLIC_CALLER,
    UNIT_STAFF,
    Caller,
    Permission,
    Role,
    incompatible,
    permitted,
    require,
)
from seal_service.domain.errors import PermissionDenied, Unauthenticated

NAMES = {
    "Guarded": Guarded,
    "Machines": Machines,
    "FilingCases": FilingCases,
    "AuditDesk": AuditDesk,
    "Transparency": Transparency,
}
"""What the annotations of a service and its groups name."""
WRITES = frozenset(
    {
        Permission.REGISTER_UNIT,
        Permission.APPLY_FOR_SEAL,
        Permission.DECIDE_APPLICATION,
        Permission.MAKE_SEAL,
        Permission.RENEW_SEAL,
        Permission.REPORT_LOSS,
        Permission.RESUME_SEAL,
        Permission.CANCEL_SEAL,
        Permission.GRANT_USE,
        Permission.APPLY_SEAL,
        Permission.RECONCILE,
    }
)


def caller(*roles: Role) -> Caller:
    return Caller(account_id="someone", name="someone", roles=frozenset(roles))


@pytest.mark.parametrize("permission", [one for one in Permission if one is not Permission.PUBLIC])
def test_every_permission_needs_an_account_and_is_held_by_some_role(permission: Permission) -> None:
    with pytest.raises(Unauthenticated):
        require(PUBLIC_CALLER, permission)
    with pytest.raises(PermissionDenied):
        require(caller(), permission)
    holders = [role for role in Role if permission in PERMISSIONS_OF[role]]
    assert holders
    for role in holders:
        require(caller(role), permission)


def test_an_auditor_changes_nothing() -> None:
    """等保三级: audit is apart from what it audits."""
    assert not PERMISSIONS_OF[Role.AUDITOR] & WRITES


def test_an_operator_has_no_business_rights() -> None:
    assert PERMISSIONS_OF[Role.SYSTEM_OPERATOR] == {
        Permission.RECONCILE,
        Permission.MANAGE_KEYS,
        Permission.MANAGE_TRUST,
        Permission.READ_TRUST,
        Permission.BACK_UP,
        Permission.READ_CONTROLLED_ACTS,
        Permission.MANAGE_RETENTION,
        Permission.RECOVER_ADMINISTRATOR,
        Permission.READ_EXPIRING,
        Permission.READ_NOTIFICATIONS,
        Permission.RETRY_NOTIFICATION,
        *PERSONAL_PERMISSIONS,
    }


def test_every_person_and_no_business_system_has_an_own_sign_in() -> None:
    for role in Role:
        assert (PERMISSIONS_OF[role] >= PERSONAL_PERMISSIONS) == (role is not Role.BUSINESS_SYSTEM)
    assert not PERMISSIONS_OF[Role.BUSINESS_SYSTEM] & PERSONAL_PERMISSIONS


def test_article_18_who_applies_for_a_seal_neither_decides_nor_makes() -> None:
    for role in (*UNIT_STAFF, Role.BUSINESS_SYSTEM):
        assert not PERMISSIONS_OF[role] & {Permission.DECIDE_APPLICATION, Permission.MAKE_SEAL}
    assert Permission.APPLY_FOR_SEAL not in PERMISSIONS_OF[Role.SEAL_MAKER]
    assert Permission.APPLY_SEAL not in PERMISSIONS_OF[Role.SEAL_MAKER]


@pytest.mark.parametrize("pair", INCOMPATIBLE_ROLES)
def test_roles_that_check_each_other_are_never_held_together(pair: frozenset[Role]) -> None:
    assert incompatible(pair) == pair
    for role in pair:
        assert incompatible(frozenset({role})) is None


def test_roles_of_one_side_may_be_held_together() -> None:
    assert incompatible(frozenset({Role.SEAL_KEEPER, Role.APPLICANT})) is None


def test_the_public_may_do_what_is_public_and_nothing_else() -> None:
    assert {one for one in Permission if permitted(PUBLIC_CALLER, one)} == {Permission.PUBLIC}


def test_a_use_case_without_permission_cannot_be_wired() -> None:
    class Open:
        def __call__(self, caller: Caller, command: str, /) -> str:
            return command

    with pytest.raises(TypeError, match="declares no permission"):
        Guarded(Open())  # type: ignore[arg-type]


def test_everything_that_a_service_offers_is_guarded() -> None:
    values = {"clock", "origin", "requests", "document_bytes", "requests_per_minute", "worker_threads", "close"} | {
        "trusted_proxies",
        "certificate_proxies",
        "pages_url",
        "secure_pages",
        "browsers_go_to_provider",
        "accepted_factors",
        "wait_seconds",
    }

    def unguarded(group: type) -> set[str]:
        hints, found = get_type_hints(group, localns=NAMES), set()
        for field in dataclasses.fields(group):
            kind = hints[field.name]
            if isinstance(kind, type) and dataclasses.is_dataclass(kind):
                found |= unguarded(kind)
            elif getattr(kind, "__origin__", None) is not Guarded:
                found.add(field.name)
        return found

    assert unguarded(Service) == values
