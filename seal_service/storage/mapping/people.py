"""Logins, second factors, sessions, challenges and identity links as rows, and back."""

from __future__ import annotations

from seal_service.domain.access import Role
from seal_service.domain.password import Login
from seal_service.domain.second_factor import FactorKind, SecondFactor
from seal_service.domain.session import IdentityLink, LoginChallenge, Session, SessionEnd, Way
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def _roles_text(roles: frozenset[Role] | None) -> str | None:
    return None if roles is None else ",".join(sorted(role.value for role in roles))


def _roles_of(text: str | None) -> frozenset[Role] | None:
    return None if text is None else frozenset(Role(value) for value in text.split(",") if value)


def login_values(login: Login) -> Values:
    """Columns of `login`."""
    return {
        "account_id": login.account_id,
        "login_name": login.login_name,
        "password_hash": login.password_hash,
        "history": "\n".join(login.history),
        "changed_at": login.changed_at,
        "must_change": login.must_change,
        "failures": login.failures,
        "locked_until": login.locked_until,
        "last_login_at": login.last_login_at,
    }


def login_of(row: Row) -> Login:
    """登录信息 of a row."""
    return Login(
        account_id=row.account_id,
        login_name=row.login_name,
        password_hash=row.password_hash,
        history=tuple(row.history.split("\n")) if row.history else (),
        changed_at=row.changed_at,
        must_change=bool(row.must_change),
        failures=row.failures,
        locked_until=row.locked_until,
        last_login_at=row.last_login_at,
    )


def factor_values(factor: SecondFactor) -> Values:
    """Columns of `second_factor`."""
    return {
        "id": factor.id,
        "account_id": factor.account_id,
        "kind": factor.kind.value,
        "secret": factor.secret,
        "certificate": factor.certificate,
        "certificate_sha256": factor.certificate_sha256,
        "enrolled_at": factor.enrolled_at,
        "confirmed_at": factor.confirmed_at,
        "last_counter": factor.last_counter,
        "disabled_at": factor.disabled_at,
    }


def factor_of(row: Row) -> SecondFactor:
    """第二因素 of a row."""
    return SecondFactor(
        id=row.id,
        account_id=row.account_id,
        kind=FactorKind(row.kind),
        secret=row.secret,
        certificate=row.certificate,
        certificate_sha256=row.certificate_sha256,
        enrolled_at=row.enrolled_at,
        confirmed_at=row.confirmed_at,
        last_counter=row.last_counter,
        disabled_at=row.disabled_at,
    )


def session_values(session: Session) -> Values:
    """Columns of `session`."""
    return {
        "id": session.id,
        "token_sha256": session.token_sha256,
        "account_id": session.account_id,
        "way": session.way.value,
        "factor": None if session.factor is None else session.factor.value,
        "roles": _roles_text(session.roles),
        "address": session.address,
        "opened_at": session.opened_at,
        "last_seen_at": session.last_seen_at,
        "evidence": session.evidence,
        "ended_at": session.ended_at,
        "end_reason": None if session.end is None else session.end.value,
    }


def session_of(row: Row) -> Session:
    """会话 of a row."""
    return Session(
        id=row.id,
        token_sha256=row.token_sha256,
        account_id=row.account_id,
        way=Way(row.way),
        factor=None if row.factor is None else FactorKind(row.factor),
        roles=_roles_of(row.roles),
        address=row.address,
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        evidence=row.evidence,
        ended_at=row.ended_at,
        end=None if row.end_reason is None else SessionEnd(row.end_reason),
    )


def challenge_values(challenge: LoginChallenge) -> Values:
    """Columns of `login_challenge`."""
    return {
        "id": challenge.id,
        "token_sha256": challenge.token_sha256,
        "account_id": challenge.account_id,
        "way": challenge.way.value,
        "roles": _roles_text(challenge.roles),
        "evidence": challenge.evidence,
        "nonce": challenge.nonce,
        "opened_at": challenge.opened_at,
        "attempts": challenge.attempts,
        "ended_at": challenge.ended_at,
    }


def challenge_of(row: Row) -> LoginChallenge:
    """登录质询 of a row."""
    return LoginChallenge(
        id=row.id,
        token_sha256=row.token_sha256,
        account_id=row.account_id,
        way=Way(row.way),
        roles=_roles_of(row.roles),
        evidence=row.evidence,
        nonce=row.nonce,
        opened_at=row.opened_at,
        attempts=row.attempts,
        ended_at=row.ended_at,
    )


def link_values(link: IdentityLink) -> Values:
    """Columns of `identity_link`."""
    return {
        "issuer": link.issuer,
        "subject": link.subject,
        "account_id": link.account_id,
        "linked_at": link.linked_at,
        "linked_by": link.linked_by,
        "removed_at": link.removed_at,
    }


def link_of(row: Row) -> IdentityLink:
    """身份关联 of a row."""
    return IdentityLink(
        issuer=row.issuer,
        subject=row.subject,
        account_id=row.account_id,
        linked_at=row.linked_at,
        linked_by=row.linked_by,
        removed_at=row.removed_at,
    )
