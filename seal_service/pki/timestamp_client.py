"""时间戳服务机构: time-stamps from outside, from this process, and from the first of several that answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from seal_service.domain.errors import SealServiceError, TimestampUnavailable
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.bounded_http import BoundedHttp, HttpFailed
from seal_service.pki.timestamp_messages import timestamp_request, token_of
from seal_service.pki.timestamp_trust import TimestampTrust
from seal_service.ports.crypto import TimestampAuthority, TrustStore
from seal_service.ports.system import Clock, Entropy

_log = logging.getLogger(__name__)
_NONCE_BYTES = 8


class HttpTimestampAuthority:
    """An authority reached by HTTP (RFC 3161, 3.4). Safe for threads; InvalidInput for what is no http(s) address."""

    def __init__(self, url: str, http: BoundedHttp, entropy: Entropy) -> None:
        parse_address(url)
        self.name = url
        self._url = url
        self._http = http
        self._entropy = entropy

    def timestamp(self, sha256: bytes) -> bytes:
        """A token over the digest; TimestampUnavailable."""
        return _exchange(self._post, sha256, self._entropy)

    def _post(self, request: bytes) -> bytes:
        try:
            return self._http.post(
                self._url, request, content_type="application/timestamp-query", accept="application/timestamp-reply"
            )
        except HttpFailed as error:
            raise TimestampUnavailable(str(error)) from error


class EmbeddedTimestampAuthority:
    """The unit of this instance, asked in process: never a request to our own server. Safe for threads."""

    def __init__(self, answer: Callable[[bytes], bytes], entropy: Entropy) -> None:
        self.name = "embedded"
        self._answer = answer
        self._entropy = entropy

    def timestamp(self, sha256: bytes) -> bytes:
        """A token over the digest; TimestampUnavailable."""
        return _exchange(self._answer, sha256, self._entropy)


class TrustedTimestampAuthority:
    """An authority whose tokens count only when an anchor for time-stamps vouches for the unit, whatever their time:
    it is asked to find out what time it has. Safe for threads."""

    def __init__(self, authority: TimestampAuthority, trust: TrustStore, clock: Clock) -> None:
        self.name = authority.name
        self._authority = authority
        self._trust = TimestampTrust(trust, clock, timedelta.max)

    def timestamp(self, sha256: bytes) -> bytes:
        """A token over the digest; TimestampUnavailable with the reason."""
        token = self._authority.timestamp(sha256)
        self._trust.accept(token)
        return token


class FirstAnsweringTimestampAuthority:
    """Several authorities, tried in their order. Safe for threads."""

    def __init__(
        self,
        authorities: Sequence[TimestampAuthority],
        trust: TrustStore,
        clock: Clock,
        tolerance: timedelta = timedelta(minutes=5),
    ) -> None:
        """Tokens count whose time is within `tolerance` of the clock and whose unit an anchor for time-stamps vouches
        for."""
        self.name = ", ".join(authority.name for authority in authorities)
        self._authorities = tuple(authorities)
        self._trust = TimestampTrust(trust, clock, tolerance)

    def timestamp(self, sha256: bytes) -> bytes:
        """The first good token that one gives; TimestampUnavailable. The failure of each is for the operator: it is
        written to the process's log and told to no client."""
        for authority in self._authorities:
            try:
                token = authority.timestamp(sha256)
                self._trust.accept(token)
            except SealServiceError as error:
                _log.warning("No time-stamp of %s: %s", authority.name, error.message)
            else:
                return token
        if not self._authorities:
            raise TimestampUnavailable("No time-stamping authority is configured")
        raise TimestampUnavailable


def _exchange(ask: Callable[[bytes], bytes], sha256: bytes, entropy: Entropy) -> bytes:
    nonce = int.from_bytes(entropy.token(_NONCE_BYTES), "big")
    return token_of(ask(timestamp_request(sha256, nonce)), sha256, nonce)
