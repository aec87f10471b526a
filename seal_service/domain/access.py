"""权限: who calls, which roles exist and what each role may do. Default deny."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal_service.domain.errors import (
    PasswordChangeRequired,
    PermissionDenied,
    SecondFactorRequired,
    Unauthenticated,
)


class Role(StrEnum):
    """角色: what an account is for."""

    SYSTEM_OPERATOR = "system_operator"  # 系统管理员 运维; no business rights
    SECURITY_ADMINISTRATOR = "security_administrator"  # 安全管理员: accounts and roles, by two together
    AUDITOR = "auditor"  # 审计管理员 (articles 17, 22)
    SEAL_MAKER = "seal_maker"  # 制发部门 (articles 5, 14, 18)
    UNIT_ADMINISTRATOR = "unit_administrator"  # 使用单位管理员: applies, grants, approves (articles 12, 19-22)
    SEAL_KEEPER = "seal_keeper"  # 印章保管人: activates the unit's seals, keeps their media (article 20)
    APPLICANT = "applicant"  # 用印申请人: asks for a use and presses the seal (article 22)
    BUSINESS_SYSTEM = "business_system"  # 业务系统 (articles 20, 21)


class Permission(StrEnum):
    """权限: one act. PUBLIC needs no account; every other one needs a role that holds it."""

    PUBLIC = "public"
    MANAGE_ACCOUNTS = "manage_accounts"
    REGISTER_UNIT = "register_unit"
    READ_UNITS = "read_units"
    APPLY_FOR_SEAL = "apply_for_seal"
    READ_APPLICATIONS = "read_applications"
    DECIDE_APPLICATION = "decide_application"
    MAKE_SEAL = "make_seal"
    READ_SEALS = "read_seals"
    RENEW_SEAL = "renew_seal"
    REPORT_LOSS = "report_loss"
    RESUME_SEAL = "resume_seal"
    CANCEL_SEAL = "cancel_seal"
    GRANT_USE = "grant_use"
    READ_GRANTS = "read_grants"
    APPLY_SEAL = "apply_seal"
    READ_USES = "read_uses"
    READ_LOG = "read_log"
    TRACE = "trace"
    RECONCILE = "reconcile"
    MANAGE_KEYS = "manage_keys"
    MANAGE_TRUST = "manage_trust"
    READ_TRUST = "read_trust"
    BACK_UP = "back_up"
    OWN_SESSION = "own_session"
    OWN_FACTORS = "own_factors"
    RECOVER_ADMINISTRATOR = "recover_administrator"
    CONFIRM_ACT = "confirm_act"
    READ_CONTROLLED_ACTS = "read_controlled_acts"
    MANAGE_RETENTION = "manage_retention"
    MANAGE_SCENARIOS = "manage_scenarios"
    READ_SCENARIOS = "read_scenarios"
    REQUEST_APPROVAL = "request_approval"
    DECIDE_APPROVAL = "decide_approval"
    WITHDRAW_APPROVAL = "withdraw_approval"
    READ_APPROVALS = "read_approvals"
    INVALIDATE_SEAL = "invalidate_seal"
    RECEIVE_MEDIUM = "receive_medium"
    CHANGE_SEAL = "change_seal"
    RENAME_UNIT = "rename_unit"
    READ_EXPIRING = "read_expiring"
    READ_NOTIFICATIONS = "read_notifications"
    RETRY_NOTIFICATION = "retry_notification"
    REGISTER_SYSTEM = "register_system"
    DECIDE_SYSTEM = "decide_system"
    READ_SYSTEMS = "read_systems"
    MANAGE_CREDENTIALS = "manage_credentials"
    MANAGE_PEOPLE = "manage_people"
    READ_PEOPLE = "read_people"
    READ_FILINGS = "read_filings"
    RETRY_FILING = "retry_filing"
    KEEP_MEDIUM = "keep_medium"
    ACTIVATE_SEAL = "activate_seal"
    CONVEY_SEAL = "convey_seal"


_P = Permission

PERMISSIONS_OF: dict[Role, frozenset[Permission]] = {
    Role.SEAL_MAKER: frozenset(
        {
            _P.REGISTER_UNIT, _P.READ_UNITS, _P.READ_APPLICATIONS, _P.DECIDE_APPLICATION, _P.MAKE_SEAL,
            _P.READ_SEALS, _P.RENEW_SEAL, _P.REPORT_LOSS, _P.RESUME_SEAL, _P.CANCEL_SEAL, _P.TRACE,
            _P.MANAGE_SCENARIOS, _P.READ_SCENARIOS, _P.INVALIDATE_SEAL, _P.RECEIVE_MEDIUM, _P.CHANGE_SEAL,
            _P.RENAME_UNIT, _P.READ_EXPIRING, _P.READ_NOTIFICATIONS, _P.RETRY_NOTIFICATION, _P.DECIDE_SYSTEM,
            _P.READ_SYSTEMS, _P.READ_FILINGS, _P.RETRY_FILING, _P.KEEP_MEDIUM,
        }
    ),
    Role.UNIT_ADMINISTRATOR: frozenset(
        {
            _P.READ_UNITS, _P.APPLY_FOR_SEAL, _P.READ_APPLICATIONS, _P.READ_SEALS, _P.RENEW_SEAL,
            _P.REPORT_LOSS, _P.GRANT_USE, _P.READ_GRANTS, _P.READ_USES, _P.READ_SCENARIOS, _P.DECIDE_APPROVAL,
            _P.WITHDRAW_APPROVAL, _P.READ_APPROVALS, _P.READ_EXPIRING, _P.REGISTER_SYSTEM, _P.READ_SYSTEMS,
            _P.MANAGE_CREDENTIALS, _P.MANAGE_PEOPLE, _P.READ_PEOPLE, _P.READ_FILINGS, _P.CONVEY_SEAL,
        }
    ),
    Role.SEAL_KEEPER: frozenset(
        {
            _P.READ_SEALS, _P.REPORT_LOSS, _P.READ_GRANTS, _P.APPLY_SEAL, _P.READ_USES, _P.READ_SCENARIOS,
            _P.REQUEST_APPROVAL, _P.WITHDRAW_APPROVAL, _P.READ_APPROVALS, _P.READ_EXPIRING, _P.READ_PEOPLE,
            _P.KEEP_MEDIUM, _P.ACTIVATE_SEAL,
        }
    ),
    Role.APPLICANT: frozenset(
        {
            _P.READ_SEALS, _P.READ_GRANTS, _P.APPLY_SEAL, _P.READ_USES, _P.READ_SCENARIOS, _P.REQUEST_APPROVAL,
            _P.WITHDRAW_APPROVAL, _P.READ_APPROVALS,
        }
    ),
    Role.BUSINESS_SYSTEM: frozenset(
        {
            _P.READ_SEALS, _P.READ_GRANTS, _P.APPLY_SEAL, _P.READ_USES, _P.READ_SCENARIOS, _P.REQUEST_APPROVAL,
            _P.WITHDRAW_APPROVAL, _P.READ_APPROVALS,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            _P.READ_UNITS, _P.READ_APPLICATIONS, _P.READ_SEALS, _P.READ_GRANTS, _P.READ_USES, _P.READ_LOG,
            _P.TRACE, _P.READ_TRUST, _P.READ_CONTROLLED_ACTS, _P.READ_SCENARIOS, _P.READ_APPROVALS,
            _P.READ_EXPIRING, _P.READ_NOTIFICATIONS, _P.READ_SYSTEMS, _P.READ_PEOPLE, _P.READ_FILINGS,
        }
    ),
    Role.SYSTEM_OPERATOR: frozenset(
        {
            _P.RECONCILE, _P.MANAGE_KEYS, _P.MANAGE_TRUST, _P.READ_TRUST, _P.BACK_UP, _P.RECOVER_ADMINISTRATOR,
            _P.READ_CONTROLLED_ACTS, _P.MANAGE_RETENTION, _P.READ_EXPIRING, _P.READ_NOTIFICATIONS,
            _P.RETRY_NOTIFICATION,
        }
    ),
    Role.SECURITY_ADMINISTRATOR: frozenset(
        {
            _P.MANAGE_ACCOUNTS, _P.READ_TRUST, _P.CONFIRM_ACT, _P.READ_CONTROLLED_ACTS,
        }
    ),
}  # fmt: skip
"""The whole table: what is not here is denied."""

PERSONAL_PERMISSIONS = frozenset({_P.OWN_SESSION, _P.OWN_FACTORS})
for _role in Role:
    if _role is not Role.BUSINESS_SYSTEM:  # every person has an own sign-in, which is nobody else's
        PERMISSIONS_OF[_role] |= PERSONAL_PERMISSIONS

UNIT_STAFF = frozenset({Role.UNIT_ADMINISTRATOR, Role.SEAL_KEEPER, Role.APPLICANT})
"""使用单位的人员: they see what concerns their own unit."""

_R = Role
_ALONE = frozenset({_R.AUDITOR, _R.SYSTEM_OPERATOR, _R.SECURITY_ADMINISTRATOR, _R.BUSINESS_SYSTEM})
"""Held with no other role at all."""
_CHECKING = (
    (_R.SEAL_MAKER, _R.UNIT_ADMINISTRATOR),  # decides on the applications of units (articles 14, 18)
    (_R.SEAL_MAKER, _R.SEAL_KEEPER),
    (_R.SEAL_MAKER, _R.APPLICANT),
    (_R.UNIT_ADMINISTRATOR, _R.APPLICANT),  # approves the uses that an applicant asks for (article 22)
    (_R.UNIT_ADMINISTRATOR, _R.SEAL_KEEPER),  # grants what only the keeper's activation makes possible (article 20)
)
INCOMPATIBLE_ROLES: frozenset[frozenset[Role]] = frozenset(
    {frozenset({one, other}) for one in _ALONE for other in Role if other is not one}
    | {frozenset(pair) for pair in _CHECKING}
)
"""Pairs that check each other and are never held together (等保三级: system, security, audit apart)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """账户: a client with credentials: a department's system, a person's client, an operator."""

    id: str
    name: str
    roles: frozenset[Role]
    unit_id: str | None
    secret_hash: str
    """argon2id of the client secret; the secret itself is shown once and kept nowhere."""
    created_at: datetime
    disabled_at: datetime | None = None


class MustFirst(StrEnum):
    """先决事项: what a session has to do before it may do anything else (等保三级 8.1.4.1)."""

    CHANGE_PASSWORD = "change_password"  # noqa: S105 - a name
    ENROL_FACTOR = "enrol_factor"


_BEFORE = {
    MustFirst.CHANGE_PASSWORD: frozenset({_P.PUBLIC, _P.OWN_SESSION}),
    MustFirst.ENROL_FACTOR: frozenset({_P.PUBLIC, *PERSONAL_PERMISSIONS}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """调用者: who calls a use case, and from where; made by authentication alone."""

    account_id: str | None
    name: str
    roles: frozenset[Role] = frozenset()
    unit_id: str | None = None
    address: str | None = None
    session_id: str | None = None
    """The person's session; None: a client's token."""
    must_first: MustFirst | None = None
    confirmed_by: str | None = None
    """The account of the second person, in an act that takes two (domain.dual_control)."""

    @property
    def identity(self) -> str:
        """The account's id; Unauthenticated for the public."""
        if self.account_id is None:
            raise Unauthenticated
        return self.account_id


PUBLIC_CALLER = Caller(account_id=None, name="public")


def permitted(caller: Caller, permission: Permission) -> bool:
    """Whether one of the caller's roles holds the permission; PUBLIC is held by everyone."""
    return permission is Permission.PUBLIC or any(permission in PERMISSIONS_OF[role] for role in caller.roles)


def require(caller: Caller, permission: Permission) -> None:
    """Raise Unauthenticated without an account, PermissionDenied without a role that holds the permission.

    Also PasswordChangeRequired and SecondFactorRequired, of a session that has to do that first.
    """
    if permitted(caller, permission):
        if caller.must_first is not None and permission not in _BEFORE[caller.must_first]:
            kind = PasswordChangeRequired if caller.must_first is MustFirst.CHANGE_PASSWORD else SecondFactorRequired
            raise kind(permission=permission.value)
        return
    if caller.account_id is None:
        raise Unauthenticated
    raise PermissionDenied(permission=permission.value, roles=sorted(role.value for role in caller.roles))


def incompatible(roles: frozenset[Role]) -> frozenset[Role] | None:
    """The first pair of roles that one account must not hold together, or None."""
    return next((pair for pair in sorted(INCOMPATIBLE_ROLES, key=sorted) if pair <= roles), None)
