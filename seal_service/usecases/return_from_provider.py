"""自身份提供方返回: a browser comes back with a code, which becomes an id token and signs its person in."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import IdentityProviderNotSet, Unauthenticated
from seal_service.domain.session import Way
from seal_service.ports.people import IdentityProvider, ProviderAnswer
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Vault
from seal_service.usecases.go_to_provider import kept_request
from seal_service.usecases.sign_in_oidc import SignInByProvider, SignInByProviderUseCase
from seal_service.usecases.signing_in import Challenged, SignedIn, log_refusal, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFromProvider:
    """With what a browser came back, and what it had kept."""

    kept: str | None = field(repr=False)
    state: str | None
    code: str | None = field(repr=False)
    issuer: str | None = None
    """`iss` (RFC 9207)."""


@dataclass(frozen=True)
class ReturnFromProviderUseCase:
    """自身份提供方返回. Raises Unauthenticated, IdentityProviderNotSet, IdentityProviderUnavailable.

    Without the request that this very browser was sent with, or with another one's state, no code is looked at
    (RFC 9700, 4.7). The provider takes a code once, and its id token opens one session. A browser that keeps nothing of
    ours is refused and not logged: any site's page can have its visitors' browsers ask for this address.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    log: SigningLog
    clock: Clock
    vault: Vault
    provider: IdentityProvider | None
    sign_in: SignInByProviderUseCase

    def __call__(self, caller: Caller, command: ReturnFromProvider) -> SignedIn | Challenged:
        """The session or the challenge."""
        if self.provider is None:
            raise IdentityProviderNotSet
        now = self.clock.now()
        if command.kept is None:
            raise refusal()
        request = kept_request(self.vault, command.kept, now)
        given = (command.state or "").encode("utf-8", "replace")
        if request is None or not hmac.compare_digest(request.state.encode(), given):
            raise self._refused(caller, "no_such_provider_request")
        if not command.code:
            raise self._refused(caller, "refused_by_provider")
        answer = ProviderAnswer(code=command.code, issuer=command.issuer)
        try:
            id_token = self.provider.id_token_for(answer, request, now)
        except Unauthenticated as error:
            raise self._refused(caller, "code_refused") from error
        return self.sign_in(caller, SignInByProvider(id_token=id_token, nonce=request.nonce))

    def _refused(self, caller: Caller, reason: str) -> Unauthenticated:
        """What to raise, once the log knows why."""
        with self.records.write() as transaction:
            log_refusal(self.log, transaction, caller, None, reason, {"way": Way.OIDC.value})
            transaction.commit()
        return refusal()
