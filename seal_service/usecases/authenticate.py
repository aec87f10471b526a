"""认证: a client shows who it is and gets a token; a token, with what it is bound to, becomes a caller.

OAuth 2 client credentials (RFC 6749, 4.4) by client secret, private_key_jwt (RFC 7523) or mutual TLS (RFC 8705); tokens
are bound by DPoP (RFC 9449) or to the client certificate. What an instance asks for is domain/machine_login.py.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission, Role
from seal_service.domain.errors import AddressRefused, ProofRefused, Unauthenticated, Unavailable
from seal_service.domain.machine import (
    ApplicationSystem,
    CredentialKind,
    MachineStanding,
    SystemCredential,
    SystemState,
    calls_from,
)
from seal_service.domain.machine_login import (
    Binding,
    ClientMethod,
    Confirmation,
    Login,
    bearer_refused,
    login_refusal,
)
from seal_service.domain.operation import Profile
from seal_service.domain.session import SESSION_PREFIX
from seal_service.ports.machines import MachineProofs, PresentedProof, ReplayGuard
from seal_service.ports.records import Records
from seal_service.ports.system import Clock, Credentials, TokenClaims
from seal_service.usecases.token_refusals import TokenRefusals


class TokenScheme(StrEnum):
    """How a token is presented over HTTP, and what kind it is said to be."""

    BEARER = "Bearer"
    DPOP = "DPoP"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """A client's id and secret as presented at the machine, by a command in its own process."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedClient:
    """What a client presents over HTTP."""

    client_id: str | None = None
    client_secret: str | None = None
    assertion: str | None = None
    certificate: bytes | None = None
    """DER, as a trusted proxy handed it on."""
    proof: PresentedProof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token, its kind and its lifetime in seconds."""

    token: str
    expires_in: int
    scheme: TokenScheme = TokenScheme.BEARER


@dataclass(frozen=True)
class IssueTokenUseCase:
    """令牌 for a client that shows who it is. Raises Unauthenticated, ProofRefused, AddressRefused.

    What of a secret is wrong is never told; a refusal of a known account is in the log.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    clock: Clock
    credentials: Credentials
    proofs: MachineProofs
    replay: ReplayGuard
    refusals: TokenRefusals
    profile: Profile

    def __call__(self, caller: Caller, command: ClientSecret | PresentedClient) -> AccessToken:
        """The token."""
        now = self.clock.now()
        at_the_machine = isinstance(command, ClientSecret)
        if isinstance(command, ClientSecret):
            command = PresentedClient(client_id=command.client_id, client_secret=command.client_secret)
        client_id = self.proofs.client_of(command.assertion) if command.assertion is not None else command.client_id
        if client_id is None or command.client_id not in (None, client_id):
            raise Unauthenticated
        with self.records.read() as transaction:
            account = transaction.accounts.find(client_id)
            system = transaction.systems.of_account(client_id) if account is not None else None
            held = transaction.systems.credentials_of(client_id) if account is not None else ()
        known = account if account is not None and account.disabled_at is None else None
        usable = [one for one in held if known is not None and one.usable_at(now)]
        try:
            method, credential = self._authenticated(command, client_id, known, usable, now)
            if known is None:
                raise Unauthenticated
            confirmation = self._confirmation(command, now)
            self._require_login(caller, known, method, confirmation, system, at_the_machine=at_the_machine)
        except (Unauthenticated, AddressRefused) as refusal:
            if account is not None:
                self.refusals.note(caller, account, refusal, now)
            raise
        token, seconds = self.credentials.issue_token(
            known, now, confirmation=confirmation, credential_id=credential.id if credential else None
        )
        bound_to_key = confirmation is not None and confirmation.binding is Binding.KEY
        scheme = TokenScheme.DPOP if bound_to_key else TokenScheme.BEARER
        return AccessToken(token=token, expires_in=seconds, scheme=scheme)

    def _authenticated(
        self,
        command: PresentedClient,
        client_id: str,
        known: Account | None,
        usable: Sequence[SystemCredential],
        now: datetime,
    ) -> tuple[ClientMethod, SystemCredential | None]:
        """By which method and credential; None: by the account's own client secret."""
        if command.assertion is not None:
            credential, shown = self.proofs.check_assertion(command.assertion, client_id, usable, now)
            if not self.replay.is_first(shown.once, shown.until, now):
                raise Unauthenticated("The client assertion was used before: every one is used once")
            return ClientMethod.ASSERTION, credential
        if command.client_secret is not None:
            return ClientMethod.SECRET, self._of_secret(command.client_secret, known, usable)
        if command.certificate is not None:
            thumbprint = self.proofs.thumbprint_of(command.certificate)
            for one in usable:
                if one.kind is CredentialKind.CERTIFICATE and hmac.compare_digest(one.thumbprint or "", thumbprint):
                    return ClientMethod.CERTIFICATE, one
            raise Unauthenticated("The client certificate is not registered, or the account is disabled")
        raise Unauthenticated

    def _of_secret(
        self, secret: str, known: Account | None, usable: Sequence[SystemCredential]
    ) -> SystemCredential | None:
        if self.credentials.verify_secret(known.secret_hash if known else None, secret):
            return None
        for one in usable:
            if one.kind is CredentialKind.CLIENT_SECRET and self.credentials.verify_secret(one.secret_hash, secret):
                return one
        raise Unauthenticated("The client id or secret is wrong, or the account is disabled")

    def _confirmation(self, command: PresentedClient, now: datetime) -> Confirmation | None:
        """What the token is bound to: the key of a proof, else the certificate that the client came with."""
        if command.proof is not None:
            shown = self._proven(command.proof, now)
            return Confirmation(binding=Binding.KEY, thumbprint=shown)
        if command.certificate is not None:
            thumbprint = self.proofs.thumbprint_of(command.certificate)
            return Confirmation(binding=Binding.CERTIFICATE, thumbprint=thumbprint)
        return None

    def _proven(self, proof: PresentedProof, now: datetime) -> str:
        try:
            shown = self.proofs.check_proof(proof, None, now)
        except Unauthenticated as error:
            raise ProofRefused from error
        if not self.replay.is_first(shown.once, shown.until, now):
            raise ProofRefused
        return shown.thumbprint

    def _require_login(
        self,
        caller: Caller,
        account: Account,
        method: ClientMethod,
        confirmation: Confirmation | None,
        system: ApplicationSystem | None,
        *,
        at_the_machine: bool,
    ) -> None:
        login = Login(
            roles=account.roles,
            method=method,
            binding=confirmation.binding if confirmation else Binding.NONE,
            system=system.state if system else None,
            at_the_machine=at_the_machine,
        )
        refused = login_refusal(self.profile, login)
        if refused is not None:
            raise Unauthenticated(refused[1], reason=refused[0])
        if system is not None and not at_the_machine and not calls_from(system.source_networks, caller.address):
            raise AddressRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedToken:
    """A token as presented, what came with it, and the address it came from."""

    token: str
    address: str | None
    scheme: TokenScheme | None = None
    """None: not over HTTP, but by a command in its own process."""
    proof: PresentedProof | None = None
    certificate: bytes | None = None
    """DER, as a trusted proxy handed it on."""


@dataclass(frozen=True)
class IdentifyCallerUseCase:
    """身份: the caller whom a token stands for. Raises Unauthenticated, ProofRefused, AddressRefused.

    The token of a disabled account, a revoked credential or a system that is not approved is worthless at once, and one
    that is bound is worthless without its key.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    clock: Clock
    credentials: Credentials
    proofs: MachineProofs
    replay: ReplayGuard
    refusals: TokenRefusals
    profile: Profile
    sessions: Callable[[Caller, PresentedToken], Caller] | None = None
    """Whom a person's session stands for (usecases/identify_session.py)."""

    def __call__(self, caller: Caller, command: PresentedToken) -> Caller:
        """The caller, with the roles that the account has now."""
        if self.sessions is not None and command.token.startswith(SESSION_PREFIX):
            return self.sessions(caller, command)
        now = self.clock.now()
        claims = self.credentials.claims_of_token(command.token, now)
        with self.records.read() as transaction:
            account = transaction.accounts.find(claims.account_id)
            if account is None or account.disabled_at is not None:
                raise Unauthenticated
            machine = Role.BUSINESS_SYSTEM in account.roles
            standing = transaction.systems.standing(account.id, claims.credential_id) if machine else None
        try:
            if standing is not None:
                _require_standing(command, claims, standing, now)
            self._require_proof(account, command, claims, now)
        except (Unauthenticated, AddressRefused) as refusal:
            self.refusals.note(replace(caller, address=command.address), account, refusal, now)
            raise
        if standing is not None and claims.credential_id is not None and standing.is_worth_noting(now):
            self._note_use(claims.credential_id, now)
        return Caller(
            account_id=account.id,
            name=account.name,
            roles=account.roles,
            unit_id=account.unit_id,
            address=command.address,
        )

    def _note_use(self, credential_id: str, now: datetime) -> None:
        with suppress(Unavailable), self.records.write() as transaction:  # no call fails for this
            transaction.systems.note_use(credential_id, now)
            transaction.commit()

    def _require_proof(self, account: Account, command: PresentedToken, claims: TokenClaims, now: datetime) -> None:
        """Of the key or certificate that the token is bound to."""
        bound = claims.confirmation
        if bound is None:
            if command.scheme is TokenScheme.DPOP:
                raise ProofRefused("A bearer token is not presented as one that is bound by DPoP")
            if bearer_refused(self.profile, account.roles, at_the_machine=command.scheme is None):
                raise ProofRefused("In production a system's token is bound to a key or a certificate")
            return
        if bound.binding is Binding.CERTIFICATE:
            shown = self.proofs.thumbprint_of(command.certificate) if command.certificate is not None else ""
            if command.scheme is not TokenScheme.BEARER or not hmac.compare_digest(shown, bound.thumbprint):
                raise ProofRefused("The token is bound to another client certificate than the call came with")
            return
        if command.scheme is not TokenScheme.DPOP or command.proof is None:
            raise ProofRefused("The token is bound by DPoP: present it as `DPoP` with a proof")
        try:
            proven = self.proofs.check_proof(command.proof, command.token, now)
        except Unauthenticated as error:
            raise ProofRefused from error
        if not hmac.compare_digest(proven.thumbprint, bound.thumbprint):
            raise ProofRefused
        if not self.replay.is_first(proven.once, proven.until, now):
            raise ProofRefused


def _require_standing(command: PresentedToken, claims: TokenClaims, standing: MachineStanding, now: datetime) -> None:
    """That the system and the credential stand behind the token now, and the call comes from where the system is."""
    if standing.system_state not in (None, SystemState.APPROVED):
        raise Unauthenticated
    if claims.credential_id is not None and not standing.credential_stands(now):
        raise Unauthenticated("The credential by which the token was given was revoked, or has expired")
    if standing.system_state is None or command.scheme is None:
        return
    if not calls_from(standing.source_networks, command.address):
        raise AddressRefused
