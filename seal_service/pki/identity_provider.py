"""身份提供方: id tokens of an OpenID Connect provider, verified by its discovery document and published keys."""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from seal_service.domain.errors import IdentityProviderUnavailable, InvalidInput, Unauthenticated
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.authorization_code import Client, authorization_address, id_token_of, token_request
from seal_service.pki.bounded_http import BoundedHttp, HttpFailed
from seal_service.ports.people import ProviderAnswer, ProviderRequest, VouchedIdentity

ALGORITHMS = ("RS256", "PS256", "ES256")
LARGEST_DOCUMENT = 256 * 1024
_DISCOVERY = "/.well-known/openid-configuration"
_LONGEST_TOKEN = 16 * 1024
_DUE = timedelta(minutes=55)
"""What is known is fetched anew from then on; until it ends it still serves where that does not succeed at once."""
_KEPT = timedelta(hours=1)
_AGAIN = timedelta(seconds=30)
"""A token that no known key made lets us ask for the keys anew, no oftener."""
_FAILED_SECONDS = 10.0
"""A provider that did not answer is not asked again for that long: who asks must not wait for it each time."""
_SKEW = 60
_OLDEST = 600
"""Seconds since an id token was issued: it is for signing in now."""
_BUSY = "The identity provider is being asked for others and has not answered yet: try again in a moment"
_LONGEST_NAME = 255
_MOST_ROLES = 200
_MOST_KEYS = 50


@dataclass(frozen=True, slots=True)
class _Known:
    discovered: Mapping[str, Any]
    """The provider's configuration (OpenID Connect Discovery, 3)."""
    keys: Sequence[Key]
    at: datetime


class OidcProvider:
    """The port IdentityProvider. Keys are kept for an hour, and fetched anew when none of them made a token.

    Anyone can have us ask the provider. However slow it is, `most_at_once` requests to it are under way at most, and
    nobody waits for another one's: who finds no place is told IdentityProviderUnavailable at once.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        roles_claim: str,
        http: BoundedHttp,
        client_secret: str | None = None,
        *,
        most_at_once: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the claim that holds roles, its steps separated by dots; InvalidInput for an issuer that is no URL."""
        parse_address(issuer)
        self._issuer = issuer
        self._client = Client(audience, client_secret)
        self._audience = audience
        self._roles_claim = roles_claim.split(".")
        self._http = http
        self._known: _Known | None = None
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(most_at_once)
        self._monotonic = monotonic
        self._silent_until = monotonic()

    @property
    def issuer(self) -> str:
        """Whose tokens are taken."""
        return self._issuer

    def vouched(self, id_token: str, nonce: str | None, now: datetime) -> VouchedIdentity:
        """Whom the token is for; Unauthenticated without saying what is wrong, IdentityProviderUnavailable."""
        if len(id_token) > _LONGEST_TOKEN:
            raise Unauthenticated
        try:
            claims = self._verified(id_token, now)
            self._require(claims, nonce, now)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated("The id token does not hold") from error
        return VouchedIdentity(issuer=self._issuer, subject=claims["sub"], roles=self._roles(claims))

    def address_for(self, request: ProviderRequest, now: datetime) -> str:
        """Where a browser asks for a code; IdentityProviderUnavailable."""
        endpoint = self._endpoint("authorization_endpoint", self._discovered(now))
        return authorization_address(endpoint, self._client, request)

    def id_token_for(self, answer: ProviderAnswer, request: ProviderRequest, now: datetime) -> str:
        """The id token for a code; Unauthenticated for one that is not taken, or that another issuer gave (RFC 9207).

        Also IdentityProviderUnavailable.
        """
        discovered = self._discovered(now)
        says_issuer = discovered.get("authorization_response_iss_parameter_supported") is True
        if answer.issuer != self._issuer and (says_issuer or answer.issuer is not None):
            raise Unauthenticated("The code is another identity provider's")
        endpoint = self._endpoint("token_endpoint", discovered)
        methods = discovered.get("token_endpoint_auth_methods_supported")
        headers, form = token_request(self._client, answer.code, request, methods if isinstance(methods, list) else ())
        with self._place():
            try:
                found = self._http.exchange("POST", endpoint, headers, form)
            except HttpFailed as error:
                raise IdentityProviderUnavailable from error
        return id_token_of(found)

    def _discovered(self, now: datetime) -> Mapping[str, Any]:
        return self._fresh(now, _DUE, _KEPT).discovered

    def _endpoint(self, name: str, discovered: Mapping[str, Any]) -> str:
        """An address that the configuration names, over TLS unless the issuer itself is reached without."""
        address = discovered.get(name)
        try:
            same_scheme = parse_address(str(address)).scheme == parse_address(self._issuer).scheme
        except InvalidInput as error:
            raise IdentityProviderUnavailable(f"The identity provider's configuration names no {name}") from error
        if not same_scheme and not str(address).startswith("https://"):
            raise IdentityProviderUnavailable(f"The identity provider's {name} is not reached over TLS")
        return str(address)

    def _verified(self, id_token: str, now: datetime) -> Mapping[str, Any]:
        header = jws.extract_compact(id_token.encode("ascii")).headers()
        if header.get("alg") not in ALGORITHMS or header.get("typ", "JWT") != "JWT":
            raise ValueError("another kind of token")
        kid = header.get("kid")
        named = kid if isinstance(kid, str) else None
        found = _decoded(id_token, self._fresh(now, _DUE, _KEPT).keys, named)
        if found is None:
            found = _decoded(id_token, self._fresh(now, _AGAIN, _AGAIN).keys, named)
        if found is None:
            raise ValueError("no key of the issuer's made it")
        return found

    def _fresh(self, now: datetime, due: timedelta, oldest: timedelta) -> _Known:
        """What is known, fetched anew when it is `due`; younger than `oldest` it serves where that does not succeed."""
        known = self._known
        if known is not None and now < known.at + due:
            return known
        try:
            return self._fetched_once(known, now)
        except IdentityProviderUnavailable:
            if known is None or now >= known.at + oldest:
                raise
            return known

    def _fetched_once(self, known: _Known | None, now: datetime) -> _Known:
        """Anew, by one thread at a time, and not where that failed a moment ago."""
        if not self._turn.acquire(blocking=False):
            raise IdentityProviderUnavailable(_BUSY)
        try:
            if self._known is not None and self._known is not known:
                return self._known  # another thread was quicker
            if self._monotonic() < self._silent_until:
                raise IdentityProviderUnavailable("The identity provider did not answer a moment ago: try again later")
            with self._place():
                self._known = self._fetched_or_silent(now)
            return self._known
        finally:
            self._turn.release()

    def _fetched_or_silent(self, now: datetime) -> _Known:
        try:
            return self._fetched(now)
        except IdentityProviderUnavailable:
            self._silent_until = self._monotonic() + _FAILED_SECONDS
            raise

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the requests that may be under way; IdentityProviderUnavailable when none is free."""
        if not self._places.acquire(blocking=False):
            raise IdentityProviderUnavailable(_BUSY)
        try:
            yield
        finally:
            self._places.release()

    def _fetched(self, now: datetime) -> _Known:
        discovered = self._document(f"{self._issuer.rstrip('/')}{_DISCOVERY}")
        if discovered.get("issuer") != self._issuer:
            raise IdentityProviderUnavailable("The identity provider's configuration is another issuer's")
        published = self._document(self._endpoint("jwks_uri", discovered)).get("keys")
        listed = published if isinstance(published, list) else []
        return _Known(discovered=discovered, keys=[*_usable(listed[:_MOST_KEYS])], at=now)

    def _document(self, address: str) -> dict[str, Any]:
        try:
            found = json.loads(self._http.get(address))
        except (HttpFailed, ValueError) as error:
            raise IdentityProviderUnavailable from error
        if not isinstance(found, dict):
            raise IdentityProviderUnavailable
        return found

    def _require(self, claims: Mapping[str, Any], nonce: str | None, now: datetime) -> None:
        """Raise ValueError unless the token is this issuer's, for us, of now (OpenID Connect Core, 3.1.3.7)."""
        moment = int(now.timestamp())
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        subject = claims["sub"]
        held = (
            claims["iss"] == self._issuer,
            self._audience in audiences,
            len(audiences) == 1 or "azp" in claims,
            claims.get("azp", self._audience) == self._audience,
            isinstance(subject, str) and 0 < len(subject) <= _LONGEST_NAME,
            moment < _seconds(claims["exp"]) + _SKEW,
            moment - _OLDEST <= _seconds(claims["iat"]) <= moment + _SKEW,
            _seconds(claims.get("nbf", 0)) <= moment + _SKEW,
            nonce is None or hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()),
        )
        if not all(held):
            raise ValueError("a claim does not hold")

    def _roles(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        found: Any = claims
        for step in self._roles_claim:
            found = found.get(step) if isinstance(found, Mapping) else None
        values = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return tuple(one for one in values[:_MOST_ROLES] if isinstance(one, str) and len(one) <= _LONGEST_NAME)


def _usable(published: Sequence[object]) -> Iterator[Key]:
    """Those that may verify our algorithms; what else is published is none of our business."""
    for one in published:
        kinds: dict[object, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
        if isinstance(one, dict) and one.get("kty") in kinds and one.get("use", "sig") == "sig":
            try:
                yield kinds[one["kty"]].import_key(one)
            except (JoseError, ValueError, TypeError, KeyError):
                continue


def _decoded(id_token: str, keys: Sequence[Key], kid: str | None) -> Mapping[str, Any] | None:
    """The claims, if one of the keys signed them: the named one where one is named."""
    for key in keys:
        if kid is None or key.kid == kid:
            try:
                return jwt.decode(id_token, key, algorithms=list(ALGORITHMS)).claims
            except (JoseError, ValueError, TypeError):
                continue
    return None


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no time")
    return value
