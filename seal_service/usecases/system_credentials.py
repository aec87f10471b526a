"""系统凭据: a system's keys, certificates and secrets, added beside each other so that one follows another (轮换)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import (
    AlreadyRegistered,
    CredentialNotFound,
    CredentialRefused,
    InvalidInput,
    SystemNotReady,
    TooManyCredentials,
)
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.machine import (
    LONGEST_LIFE,
    MOST_CREDENTIALS,
    ApplicationSystem,
    CredentialKind,
    SystemCredential,
)
from seal_service.ports.machines import MachineProofs, PublicKeyFacts
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Credentials, Entropy
from seal_service.usecases.change_status import LONGEST_REASON
from seal_service.usecases.register_system import own_system
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCredential:
    """系统凭据 as asked for: the client secret is made here, a key or certificate is given."""

    system_id: str
    kind: CredentialKind
    public_key: str | None = None
    """JWK, JSON."""
    certificate: bytes | None = None
    """PEM or DER."""
    days: int = 365
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedCredential:
    """系统凭据 as kept, and of a client secret the secret itself, which is told this once."""

    credential: SystemCredential
    secret: str | None = None


@dataclass(frozen=True)
class AddCredentialUseCase:
    """新增凭据 by the system's unit; those before it stay until they expire or are revoked.

    Raises SystemNotFound, SystemNotReady (no account yet), TooManyCredentials, CredentialRefused, InvalidInput,
    AlreadyRegistered (a key or certificate that any system has or had; a repeated request for a secret).
    """

    permission: ClassVar[Permission] = Permission.MANAGE_CREDENTIALS
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy
    credentials: Credentials
    proofs: MachineProofs

    def __call__(self, caller: Caller, command: AddCredential) -> AddedCredential:
        """The credential."""
        now = self.clock.now()
        facts = self._facts(command)
        secret, secret_hash = self.credentials.new_secret() if facts is None else (None, None)
        if not timedelta(days=1) <= timedelta(days=command.days) <= LONGEST_LIFE:
            raise InvalidInput(f"A credential lives 1 to {LONGEST_LIFE.days} days", field="days")
        expires = now + timedelta(days=command.days)
        if facts is not None and facts.not_after is not None:
            expires = min(expires, facts.not_after)
            if expires <= now:
                raise CredentialRefused("The certificate has expired", field="certificate")
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            system = own_system(transaction, caller, command.system_id)
            if earlier is not None:
                if secret is not None:
                    raise AlreadyRegistered("The secret was made; it was shown once", credential_id=earlier)
                return AddedCredential(credential=transaction.systems.lock_credential(earlier))
            if system.account_id is None:
                raise SystemNotReady("A system has credentials when an account is tied to it", state=system.state.value)
            held = transaction.systems.credentials_of(system.account_id)
            if sum(one.usable_at(now) for one in held) >= MOST_CREDENTIALS:
                raise TooManyCredentials(most=MOST_CREDENTIALS)
            credential = SystemCredential(
                id=uuid7(now, self.entropy.token(10)),
                account_id=system.account_id,
                kind=command.kind,
                secret_hash=secret_hash,
                public_key=facts.content if facts and command.kind is CredentialKind.KEY else None,
                thumbprint=facts.thumbprint if facts else None,
                subject=facts.content if facts and command.kind is CredentialKind.CERTIFICATE else None,
                created_by=caller.identity,
                created_at=now,
                expires_at=expires,
            )
            transaction.systems.add_credential(credential)
            self.log.append(transaction, act_of(caller, _event(EventKind.CREDENTIAL_ADDED, system, credential)))
            remember(transaction, caller, command, credential.id, now)
            transaction.commit()
        return AddedCredential(credential=credential, secret=secret)

    def _facts(self, command: AddCredential) -> PublicKeyFacts | None:
        """What is given, checked: exactly what the kind needs."""
        given = (command.public_key is not None, command.certificate is not None)
        match command.kind:
            case CredentialKind.KEY if given == (True, False):
                return self.proofs.read_key(command.public_key or "")
            case CredentialKind.CERTIFICATE if given == (False, True):
                return self.proofs.read_certificate(command.certificate or b"")
            case CredentialKind.CLIENT_SECRET if given == (False, False):
                return None
        told = "A jwk comes with public_key, a certificate with certificate, a client_secret with neither"
        raise InvalidInput(told, field="kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeCredential:
    """吊销凭据 as asked for."""

    system_id: str
    credential_id: str
    reason: str | None = None


@dataclass(frozen=True)
class RevokeCredentialUseCase:
    """吊销凭据: it and the tokens given by it are worthless from the commit on.

    Raises SystemNotFound, CredentialNotFound. Revoked already is done.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_CREDENTIALS
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: RevokeCredential) -> SystemCredential:
        """The credential, revoked."""
        reason = None if command.reason is None else checked_name(command.reason, "reason", LONGEST_REASON)
        with self.records.write() as transaction:
            system = own_system(transaction, caller, command.system_id)
            credential = transaction.systems.lock_credential(command.credential_id)
            if credential.account_id != system.account_id:
                raise CredentialNotFound
            if credential.revoked_at is not None:
                return credential
            revoked = replace(credential, revoked_at=self.clock.now())
            transaction.systems.replace_credential(revoked)
            event = replace(_event(EventKind.CREDENTIAL_REVOKED, system, revoked), reason=reason)
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return revoked


def _event(kind: EventKind, system: ApplicationSystem, credential: SystemCredential) -> Event:
    return Event(
        kind=kind,
        unit_id=system.unit_id,
        facts={
            "system_id": system.id,
            "system_name": system.name,
            "system_account_id": credential.account_id,
            "credential_id": credential.id,
            "credential_kind": credential.kind.value,
            "thumbprint": credential.thumbprint,
            "expires_at": credential.expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        },
    )
