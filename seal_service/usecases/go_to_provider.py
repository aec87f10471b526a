"""前往身份提供方: a browser is sent to the identity provider, and keeps what its way back is checked by."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import IdentityProviderNotSet, IntegrityFailed
from seal_service.ports.people import IdentityProvider, ProviderRequest
from seal_service.ports.system import Clock, Entropy, Vault
from seal_service.usecases.signing_in import TOKEN_BYTES

REQUEST_LIFETIME = timedelta(minutes=10)
"""How long a person may take at the provider."""
_SKEW = timedelta(seconds=60)
"""Another replica, which sent the browser, may have a clock that is this much ahead."""
_CONTEXT = b"request to the identity provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoToProvider:
    """Nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentToProvider:
    """Where the browser goes, and what it keeps meanwhile, which it can neither read nor make."""

    address: str
    kept: str = field(repr=False)


@dataclass(frozen=True)
class GoToProviderUseCase:
    """前往身份提供方. Raises IdentityProviderNotSet, IdentityProviderUnavailable.

    State, nonce and PKCE verifier are new for each request (RFC 9700, 2.1.1). They lie in the browser alone, encrypted
    under the instance's keys, so that any replica takes the browser back and nobody else's browser brings them.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    clock: Clock
    entropy: Entropy
    vault: Vault
    provider: IdentityProvider | None
    redirect_uri: str | None
    """None: people open no pages here that they could come back to."""

    def __call__(self, _caller: Caller, _command: GoToProvider) -> SentToProvider:
        """The address and what is kept."""
        if self.provider is None or self.redirect_uri is None:
            raise IdentityProviderNotSet
        now = self.clock.now()
        request = ProviderRequest(
            redirect_uri=self.redirect_uri, state=self._random(), nonce=self._random(), verifier=self._random()
        )
        address = self.provider.address_for(request, now)
        return SentToProvider(address=address, kept=_sealed(self.vault, request, now))

    def _random(self) -> str:
        return base64.urlsafe_b64encode(self.entropy.token(TOKEN_BYTES)).rstrip(b"=").decode()


def _sealed(vault: Vault, request: ProviderRequest, now: datetime) -> str:
    fields = [request.redirect_uri, request.state, request.nonce, request.verifier, now.isoformat()]
    return base64.urlsafe_b64encode(vault.encrypt(json.dumps(fields).encode(), _CONTEXT)).decode()


def kept_request(vault: Vault, kept: str, now: datetime) -> ProviderRequest | None:
    """The request that a browser kept; None for what this service did not make, or made too long ago."""
    try:
        opened = vault.decrypt(base64.urlsafe_b64decode(kept.encode("ascii")), _CONTEXT)
    except (ValueError, IntegrityFailed):
        return None
    redirect_uri, state, nonce, verifier, made_at = json.loads(opened)
    if not -_SKEW <= now - datetime.fromisoformat(made_at) < REQUEST_LIFETIME:
        return None
    return ProviderRequest(redirect_uri=redirect_uri, state=state, nonce=nonce, verifier=verifier)
