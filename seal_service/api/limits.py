"""限流: a token bucket for each account or, for the public, each client address.

The buckets are in the memory of one process: with n processes a client may get up to n times the limit. It protects
this service from a client that runs wild; it is no quota.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

MOST_BUCKETS = 20_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client may still do: its limit a minute, requests left now, seconds until it may do one (more)."""

    limit: int
    remaining: int
    seconds: int
    granted: bool

    def headers(self) -> dict[str, str]:
        """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), and Retry-After for a refusal."""
        fields = {
            "RateLimit-Policy": f'"default";q={self.limit};w=60',
            "RateLimit": f'"default";r={self.remaining};t={self.seconds}',
        }
        return fields if self.granted else fields | {"Retry-After": str(max(1, self.seconds))}


class TokenBuckets:
    """Buckets by client, each filled at its limit a minute and never above it. Safe for threads."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str, limit: int) -> Allowance:
        """Take one token of the client's bucket, if there is one."""
        now = self._seconds()
        with self._lock:
            level, since = self._buckets.pop(client, (float(limit), now))
            level = min(float(limit), level + (now - since) * limit / 60)
            granted = level >= 1
            level -= granted
            self._buckets[client] = (level, now)
            if len(self._buckets) > MOST_BUCKETS:
                del self._buckets[next(iter(self._buckets))]  # the one that was not used for longest
        missing = limit - level if granted else 1 - level
        return Allowance(limit, int(level), math.ceil(missing * 60 / limit), granted)
