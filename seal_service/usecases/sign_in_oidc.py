"""统一身份登录: an id token of the identity provider (OpenID Connect) as the first proof, for linked accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.errors import IdentityProviderNotSet, Unauthenticated
from seal_service.domain.session import Way, is_person
from seal_service.ports.people import IdentityProvider, VouchedIdentity
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.signing_in import Challenged, FirstProof, SignedIn, WayIn, log_refusal, refusal, token_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInByProvider:
    """统一身份登录 as asked for; `nonce` is what the client put into its request to the provider."""

    id_token: str = field(repr=False)
    nonce: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SignInByProviderUseCase:
    """统一身份登录. Raises Unauthenticated, IdentityProviderNotSet, IdentityProviderUnavailable.

    The roles of the session are those that the account has and the provider vouches for: it can never give more. A
    second factor is asked for as after a password. One id token opens one session.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    log: SigningLog
    clock: Clock
    provider: IdentityProvider | None
    role_of: Mapping[str, Role]
    """What the provider calls a role → ours."""
    way_in: WayIn

    def __call__(self, caller: Caller, command: SignInByProvider) -> SignedIn | Challenged:
        """The session or the challenge."""
        if self.provider is None:
            raise IdentityProviderNotSet
        try:
            vouched = self.provider.vouched(command.id_token, command.nonce, self.clock.now())
        except Unauthenticated:
            vouched = None
        with self.records.write() as transaction:
            answer = self._decided(transaction, caller, vouched, token_digest(command.id_token))
            transaction.commit()
        if answer is None:
            raise refusal()
        return answer

    def _decided(
        self, transaction: Transaction, caller: Caller, vouched: VouchedIdentity | None, evidence: str
    ) -> SignedIn | Challenged | None:
        now = self.clock.now()
        if vouched is None:
            log_refusal(self.log, transaction, caller, None, "id_token_refused", {"way": Way.OIDC.value})
            return None
        link = transaction.identity_links.find(vouched.issuer, vouched.subject)
        account = None if link is None or link.removed_at is not None else transaction.accounts.find(link.account_id)
        login = None if account is None else transaction.logins.lock(account.id)
        if account is None or login is None or account.disabled_at is not None or not is_person(account):
            log_refusal(self.log, transaction, caller, account, "no_such_person", {"way": Way.OIDC.value})
            return None
        if transaction.sessions.opened_by(evidence):
            log_refusal(self.log, transaction, caller, account, "id_token_used_before", {"way": Way.OIDC.value})
            return None
        roles = frozenset(self.role_of[one] for one in vouched.roles if one in self.role_of)
        if not roles & account.roles:
            log_refusal(self.log, transaction, caller, account, "no_role_in_common", {"way": Way.OIDC.value})
            return None
        proof = FirstProof(account=account, login=login, way=Way.OIDC, roles=roles, evidence=evidence)
        return self.way_in.after_first_proof(transaction, caller, proof, now)
