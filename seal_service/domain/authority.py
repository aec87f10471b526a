"""本机构密钥: the service's own certified keys by role, and how one generation follows another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seal_service.domain.issuance import AuthorityCredential, AuthorityRole

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityRule:
    """What is fixed of a role: one row of the table below."""

    name: str
    """What follows the city's name in the certificate's CN; from the second generation on its number follows."""
    years: int
    """Lifetime of its certificate, or until its issuer's ends, if sooner."""
    issuer: AuthorityRole | None
    """Who certifies it; None: itself."""
    overlap: timedelta
    """How long before its end it should be rotated, so that what it signs or issues can live out its time."""
    renewed_with: tuple[AuthorityRole, ...] = ()
    """What has to be there under each generation of it, so that it is made together with it."""
    for_each_issuer: bool = False
    """Whether every generation of the issuer that has not ended needs one of its own (RFC 6960, 4.2.2.2)."""


AUTHORITY_RULES: dict[AuthorityRole, AuthorityRule] = {
    AuthorityRole.ROOT: AuthorityRule(name="电子印章根证书", years=20, issuer=None, overlap=5 * 365 * _DAY),
    AuthorityRole.ISSUING: AuthorityRule(
        name="电子印章签发机构",
        years=10,
        issuer=AuthorityRole.ROOT,
        overlap=3 * 365 * _DAY,
        renewed_with=(AuthorityRole.OCSP,),
    ),
    AuthorityRole.OCSP: AuthorityRule(
        name="电子印章证书状态查询", years=3, issuer=AuthorityRole.ISSUING, overlap=90 * _DAY, for_each_issuer=True
    ),
    AuthorityRole.TIMESTAMP: AuthorityRule(
        name="电子印章时间戳", years=10, issuer=AuthorityRole.ROOT, overlap=3 * 365 * _DAY
    ),
    AuthorityRole.STATUS: AuthorityRule(name="电子印章状态公示", years=3, issuer=AuthorityRole.ROOT, overlap=90 * _DAY),
    AuthorityRole.REPORT: AuthorityRule(name="电子印章日志报告", years=3, issuer=AuthorityRole.ROOT, overlap=90 * _DAY),
}
"""Every role that has a key of its own, issuers first. Another role is one row here and its profile in `pki`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCredential:
    """A credential to be made."""

    role: AuthorityRole
    version: int
    issuer_version: int | None
    """Which generation of the issuer certifies it; None: itself."""


def current(credentials: Iterable[AuthorityCredential], now: datetime) -> AuthorityCredential | None:
    """Of one role's credentials the newest whose time has begun, else the newest; None of none.

    Where clocks differ a little, a machine that is behind goes on with the one before until its own clock has come
    to where the new one begins.
    """
    newest_first = sorted(credentials, key=lambda one: one.version, reverse=True)
    return next((one for one in newest_first if one.not_before <= now), next(iter(newest_first), None))


def ended(credential: AuthorityCredential, now: datetime) -> bool:
    """Whether its certificate's time is over."""
    return now >= credential.not_after


def should_be_rotated(credential: AuthorityCredential, now: datetime) -> bool:
    """Whether its end is so near that the next generation should be made."""
    return now >= credential.not_after - AUTHORITY_RULES[credential.role].overlap


def succession(
    role: AuthorityRole, credentials: Sequence[AuthorityCredential], now: datetime
) -> tuple[PlannedCredential, ...]:
    """What a rotation of a role makes, in the order in which it is made; the newest of a role is made last."""
    rule = AUTHORITY_RULES[role]
    following = _newest_version(role, credentials) + 1
    if rule.issuer is None:
        issuers: list[int | None] = [None]
    elif rule.for_each_issuer:
        newest = _newest_version(rule.issuer, credentials)
        alive = (one for one in credentials if one.role is rule.issuer)
        issuers = [*sorted(one.version for one in alive if one.version == newest or not ended(one, now))]
    else:
        issuers = [_newest_version(rule.issuer, credentials)]
    planned = [
        PlannedCredential(role=role, version=version, issuer_version=issuer)
        for version, issuer in enumerate(issuers, following)
    ]
    for other in rule.renewed_with:
        version = _newest_version(other, credentials) + 1
        planned.append(PlannedCredential(role=other, version=version, issuer_version=following))
    return tuple(planned)


def _newest_version(role: AuthorityRole, credentials: Sequence[AuthorityCredential]) -> int:
    return max((one.version for one in credentials if one.role is role), default=0)


def published_name(role: AuthorityRole, version: int) -> str:
    """What a generation's files under /pki are called: the first has the address that it was founded with."""
    return role.value if version == 1 else f"{role.value}-{version}"
