"""接入系统: registered application systems, their credentials, the addresses they call from, a unit's persons.

What a system states of itself follows Table A.1 of the provincial annex (standards: 电子印章应用系统接入申请表).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from seal_service.domain.errors import AlreadyDecided, InvalidInput, SelfDecisionRefused

MOST_NETWORKS = 20
MOST_CREDENTIALS = 3
"""That a system may have at once: the one in use, the next one, and one for an emergency."""
LONGEST_LIFE = timedelta(days=730)
USED_AT_MOST_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is: noting every call would write to the database at every call."""


class SystemState(StrEnum):
    """接入状态: whether the office let the system in."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """联系人: personal, so kept encrypted and in the log only as commitments."""

    technical_contact: str
    technical_phone: str
    department_contact: str | None = None
    department_phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemChange:
    """接入变更: what a system is to be registered with instead, and what the office said to it."""

    id: str
    address: str
    network_environment: str
    department: str
    source_networks: tuple[str, ...]
    contacts: bytes
    """Contacts, encrypted; those that stand, once it is decided."""
    asked_by: str
    asked_at: datetime
    state: SystemState = SystemState.PENDING
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSystem:
    """接入系统: a unit's system that may be let in to apply seals."""

    id: str
    unit_id: str
    name: str
    """接入系统名称."""
    address: str
    """访问地址."""
    network_environment: str
    """网络环境: 政务外网, 互联网, …"""
    department: str
    """接入部门."""
    source_networks: tuple[str, ...]
    """接入系统IP: networks from which alone it calls."""
    contacts: bytes
    """Contacts, encrypted."""
    state: SystemState
    applied_by: str
    applied_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    """主管部门意见."""
    account_id: str | None = None
    """The account by which the system logs in; tied after it was approved."""
    change: SystemChange | None = None
    """The one that was asked for last: what stands above holds until it is approved."""


class CredentialKind(StrEnum):
    """凭据种类: by what a system proves who it is."""

    CLIENT_SECRET = "client_secret"  # noqa: S105 - for pilots
    KEY = "jwk"  # private_key_jwt, RFC 7523
    CERTIFICATE = "certificate"  # mutual TLS, RFC 8705


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCredential:
    """系统凭据. Several stand side by side, so that one follows another without an interruption."""

    id: str
    account_id: str
    kind: CredentialKind
    secret_hash: str | None
    """argon2id; of a client secret alone."""
    public_key: str | None
    """JWK (RFC 7517) as canonical JSON; of a key alone."""
    thumbprint: str | None
    """base64url SHA-256: of the JWK (RFC 7638), or of the certificate's DER (x5t#S256)."""
    subject: str | None
    """Of a certificate alone."""
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    """To the minute."""

    def usable_at(self, now: datetime) -> bool:
        """Whether it lets its system in at a moment."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStanding:
    """What a call of a business system is measured by: read at every call, in one question."""

    system_state: SystemState | None
    """None: no registered system has this account."""
    source_networks: tuple[str, ...]
    credential_known: bool
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def credential_stands(self, now: datetime) -> bool:
        """Whether the credential by which the token was given still lets in."""
        return (
            self.credential_known and self.revoked_at is None and self.expires_at is not None and now < self.expires_at
        )

    def is_worth_noting(self, now: datetime) -> bool:
        """Whether the last use that is on record is long enough ago."""
        return self.last_used_at is None or now - self.last_used_at >= USED_AT_MOST_EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPerson:
    """人员 of a unit, whom its systems may name as 签章人. Kept encrypted, found by keyed pseudonyms."""

    unit_id: str
    reference: str
    """Pseudonym of the 工号."""
    name_reference: str
    """Pseudonym of 工号 and name together, to compare a name without opening it."""
    content: bytes
    """工号, name and department, encrypted."""
    registered_by: str
    registered_at: datetime
    removed_at: datetime | None = None


def waiting_change(system: ApplicationSystem, change_id: str, by: str) -> SystemChange:
    """The change that someone is to decide.

    Raises AlreadyDecided unless it is the one that waits, SelfDecisionRefused for who asked for it.
    """
    change = system.change
    if change is None or change.id != change_id or change.state is not SystemState.PENDING:
        raise AlreadyDecided("This is not the change that waits: read the system anew")
    if change.asked_by == by:
        raise SelfDecisionRefused
    return change


def with_decided(
    system: ApplicationSystem, change: SystemChange, by: str, at: datetime, *, approved: bool, reason: str | None
) -> ApplicationSystem:
    """The system as the change asks when it is approved, else as it was; contacts that were refused are not kept."""
    state = SystemState.APPROVED if approved else SystemState.REJECTED
    decided = replace(change, state=state, decided_by=by, decided_at=at, decision_reason=reason)
    if not approved:
        return replace(system, change=replace(decided, contacts=system.contacts))
    return replace(
        system,
        address=change.address,
        network_environment=change.network_environment,
        department=change.department,
        source_networks=change.source_networks,
        contacts=change.contacts,
        change=decided,
    )


def checked_networks(given: tuple[str, ...]) -> tuple[str, ...]:
    """The networks in their canonical form, each once; InvalidInput for none, too many, or one that is everywhere."""
    if not 1 <= len(given) <= MOST_NETWORKS:
        raise InvalidInput(f"A system calls from 1 to {MOST_NETWORKS} networks", field="source_networks")
    found: list[str] = []
    for one in given:
        try:
            network = _unmapped(ip_network(one.strip()))
        except ValueError as error:
            told = f"{one[:60]} is no network: write 10.1.2.0/24 or 10.1.2.3"
            raise InvalidInput(told, field="source_networks") from error
        if network.prefixlen == 0:
            raise InvalidInput("A network of every address is none", field="source_networks")
        if str(network) not in found:
            found.append(str(network))
    return tuple(found)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Of an IPv4 network written as IPv6 (::ffff:10.1.2.0/120), the IPv4 one: by that its callers are known."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return network if mapped is None or network.prefixlen < 96 else IPv4Network((mapped, network.prefixlen - 96))


def calls_from(networks: tuple[str, ...], address: str | None) -> bool:
    """Whether an address lies in one of the networks; one that is not known lies in none."""
    if address is None:
        return False
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    if isinstance(caller, IPv6Address) and caller.ipv4_mapped is not None:
        caller = caller.ipv4_mapped
    return any(caller in network for network in _networks(networks))


@lru_cache(maxsize=1000)
def _networks(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one) for one in networks)
