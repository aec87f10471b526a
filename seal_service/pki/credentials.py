"""Client secrets (argon2id) and access tokens (JWT, HS256)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError
from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OctKey

from seal_service.domain.access import Account
from seal_service.domain.errors import Unauthenticated
from seal_service.domain.machine_login import Binding, Confirmation
from seal_service.ports.system import Entropy, TokenClaims

_ALGORITHM = "HS256"
_HEADER = {"alg": _ALGORITHM, "typ": "at+jwt"}
_SECRET_BYTES = 32
_SALT_BYTES = 16
_SMALLEST_KEY_BYTES = 32
_LONGEST_SECRET = 256
_LONGEST_TOKEN = 4096
_CONFIRMATIONS = {Binding.KEY: "jkt", Binding.CERTIFICATE: "x5t#S256"}
"""Members of `cnf`: RFC 9449, 6.1; RFC 8705, 3.1."""
_CREDENTIAL = "credential_id"

_ARGON2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, type=Type.ID)
"""19 MiB, two passes, one lane: the least that OWASP's password storage advice asks of argon2id; a client's secret has
256 random bits, so that more would only cost the server."""


class ClientCredentials:
    """Client secrets and access tokens: the port Credentials. Stateless; safe for threads."""

    def __init__(
        self,
        *,
        keys: Callable[[], Sequence[bytes]],
        issuer: str,
        audience: str,
        lifetime_seconds: int,
        entropy: Entropy,
    ) -> None:
        """Take the token keys as they are at each moment: the first signs, every one is accepted.

        Each has at least 32 bytes, of its own use alone (RFC 7518, 3.2); ValueError for a shorter one.
        """
        self._keys = keys
        _jwk(keys()[0])
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime_seconds
        self._entropy = entropy
        self._nobodys_hash = self.new_secret()[1]

    def new_secret(self) -> tuple[str, str]:
        """A fresh client secret (32 random bytes, base64url) and its hash (argon2id, PHC string)."""
        secret = base64.urlsafe_b64encode(self._entropy.token(_SECRET_BYTES)).rstrip(b"=").decode()
        return secret, _ARGON2.hash(secret, salt=self._entropy.token(_SALT_BYTES))

    def verify_secret(self, secret_hash: str | None, secret: str) -> bool:
        """Whether the secret is the hashed one; takes as long for None (an unknown account)."""
        given = secret[:_LONGEST_SECRET].encode("utf-8", "replace")
        try:
            _ARGON2.verify(self._nobodys_hash if secret_hash is None else secret_hash, given)
        except (VerificationError, ValueError):  # ValueError: the kept hash is none
            return False
        return secret_hash is not None and len(secret) <= _LONGEST_SECRET

    def issue_token(
        self,
        account: Account,
        now: datetime,
        *,
        confirmation: Confirmation | None = None,
        credential_id: str | None = None,
    ) -> tuple[str, int]:
        """An access token (its header type that of RFC 9068) and its lifetime in seconds."""
        issued = int(now.timestamp())
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": account.id,
            "iat": issued,
            "exp": issued + self._lifetime,
            "jti": self._entropy.token(16).hex(),
        }
        if confirmation is not None:
            claims["cnf"] = {_CONFIRMATIONS[confirmation.binding]: confirmation.thumbprint}
        if credential_id is not None:
            claims[_CREDENTIAL] = credential_id
        return jwt.encode(dict(_HEADER), claims, _jwk(self._keys()[0]), algorithms=[_ALGORITHM]), self._lifetime

    def claims_of_token(self, token: str, now: datetime) -> TokenClaims:
        """What a valid token says; Unauthenticated otherwise, without saying what is wrong with it."""
        required = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        )
        if len(token) > _LONGEST_TOKEN:
            raise Unauthenticated
        try:
            decoded = self._decoded(token)
            required.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise Unauthenticated from error
        if decoded.header != _HEADER:
            raise Unauthenticated
        credential = decoded.claims.get(_CREDENTIAL)
        return TokenClaims(
            account_id=str(decoded.claims["sub"]),
            confirmation=_confirmation(decoded.claims.get("cnf")),
            credential_id=None if credential is None else str(credential),
        )

    def _decoded(self, token: str) -> jwt.Token:
        for key in self._keys():
            try:
                return jwt.decode(token, _jwk(key), algorithms=[_ALGORITHM])
            except BadSignatureError:
                continue
        raise Unauthenticated


def _confirmation(cnf: object) -> Confirmation | None:
    """What a token is bound to; Unauthenticated for a binding that is not known here, which would bind to nothing."""
    if cnf is None:
        return None
    if isinstance(cnf, dict) and len(cnf) == 1:
        for binding, member in _CONFIRMATIONS.items():
            if isinstance(cnf.get(member), str):
                return Confirmation(binding=binding, thumbprint=cnf[member])
    raise Unauthenticated


@lru_cache(maxsize=4)
def _jwk(key: bytes) -> OctKey:
    if len(key) < _SMALLEST_KEY_BYTES:
        raise ValueError(f"the token key has at least {_SMALLEST_KEY_BYTES} bytes")
    return OctKey.import_key(key)
