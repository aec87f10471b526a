"""机器登录规则: how an account may log in, and what its tokens must be bound to, as a pure function with reasons.

Outside production a client secret and a bearer token will do, for pilots. The production profile asks more of what
travels over a network: a secret can be copied from every place where it is configured, and a bearer token by whoever
sees it once. So a business system proves possession of a key there, at the login (private_key_jwt, RFC 7523, or mutual
TLS, RFC 8705) and at every call (DPoP, RFC 9449, or the same certificate), and only if the office approved it.

People's client secrets let in at the machine alone, where the command line calls the use cases in its own process: who
may run commands there may read the key directory as well, and no token leaves the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from seal_service.domain.access import Role
from seal_service.domain.machine import SystemState
from seal_service.domain.operation import Profile


class ClientMethod(StrEnum):
    """认证方法 at the token endpoint, in OAuth's words."""

    SECRET = "client_secret"  # noqa: S105
    ASSERTION = "private_key_jwt"
    CERTIFICATE = "tls_client_auth"


class Binding(StrEnum):
    """令牌绑定: of what whoever presents the token has to prove possession."""

    NONE = "bearer"
    KEY = "dpop"
    CERTIFICATE = "mtls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """cnf (RFC 7800): the key or certificate that a token is bound to."""

    binding: Binding
    thumbprint: str
    """base64url SHA-256: `jkt` or `x5t#S256`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What an account presents, in the words of this rule."""

    roles: frozenset[Role]
    method: ClientMethod
    binding: Binding
    system: SystemState | None
    """Of the registered system that has the account; None: there is none."""
    at_the_machine: bool
    """Whether a command called in its own process: not over HTTP."""


def login_refusal(profile: Profile, login: Login) -> tuple[str, str] | None:
    """Why no token is given, as (code, sentence), or None."""
    if login.at_the_machine:
        return None
    machine = Role.BUSINESS_SYSTEM in login.roles
    if machine and login.system not in (None, SystemState.APPROVED):
        return "system_not_approved", "The application system (接入系统) is not approved"
    if profile is not Profile.PRODUCTION:
        return None
    if not machine:
        if login.method is ClientMethod.SECRET:
            told = "In production a person's client secret is for the command line on the machine alone"
            return "secret_of_a_person", told
        return None
    if login.system is None:
        return "system_not_registered", "In production a business system is a registered and approved 接入系统"
    if login.method is ClientMethod.SECRET:
        return "secret_in_production", "In production a system logs in by private_key_jwt or mutual TLS"
    if login.binding is Binding.NONE:
        return (
            "token_not_bound",
            "In production a system's token is bound to a key (DPoP) or a certificate (mutual TLS)",
        )
    return None


def bearer_refused(profile: Profile, roles: frozenset[Role], *, at_the_machine: bool) -> bool:
    """Whether a token without binding is worthless, whenever it was given: also before the profile was changed."""
    return profile is Profile.PRODUCTION and Role.BUSINESS_SYSTEM in roles and not at_the_machine
