"""通知 by webhook: a signed POST that its receiver can check, bounded in time and size, and never redirected."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from seal_service.domain.errors import DeliveryFailed, InvalidInput
from seal_service.domain.notification import Notification
from seal_service.ports.system import Clock

MOST_ANSWER_BYTES = 64 * 1024
SHORTEST_SECRET = 32


def checked_address(address: str) -> str:
    """An https address, or http of this machine itself; InvalidInput for any other."""
    parts = urlsplit(address)
    if parts.hostname is None or parts.username is not None or parts.fragment:
        raise InvalidInput("A webhook's address is a plain URL without user or fragment", field="notify_webhook_url")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return address
    raise InvalidInput("A webhook is reached by https, or on this machine alone", field="notify_webhook_url")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def signature_of(secret: str, moment: str, body: bytes) -> str:
    """v1: HMAC-SHA-256 over the time, a full stop and the body, hexadecimal."""
    return "v1=" + hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


class Webhook:
    """NotificationSender by HTTP POST. Safe for threads.

    A receiver checks `Seal-Signature` with the shared secret, refuses a `Seal-Timestamp` (seconds since 1970) that is
    minutes old, and takes the same `Seal-Event-Id` once. Only a status of 200 to 299 is a yes.
    """

    def __init__(self, secret: str, clock: Clock, timeout_seconds: float, tls: ssl.SSLContext | None = None) -> None:
        if len(secret) < SHORTEST_SECRET:
            told = f"A webhook's secret has at least {SHORTEST_SECRET} characters"
            raise InvalidInput(told, field="notify_webhook_secret")
        self._secret = secret
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._client = httpx.Client(
            timeout=timeout_seconds, follow_redirects=False, trust_env=False, verify=True if tls is None else tls
        )

    def send(self, notification: Notification) -> None:
        """POST it; DeliveryFailed."""
        body = notification.payload.encode()
        moment = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Seal-Event-Id": notification.event_id,
            "Seal-Event-Kind": notification.kind,
            "Seal-Timestamp": moment,
            "Seal-Signature": signature_of(self._secret, moment, body),
        }
        deadline = time.monotonic() + self._timeout_seconds
        try:
            request = self._client.build_request(
                "POST", checked_address(notification.target), content=body, headers=headers
            )
            response = self._client.send(request, stream=True)
            try:
                self._read(response, deadline)
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}"[:300]) from error
        except InvalidInput as error:
            raise DeliveryFailed(error.message) from error
        if not 200 <= response.status_code < 300:
            raise DeliveryFailed(f"HTTP status {response.status_code}")

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def _read(self, response: httpx.Response, deadline: float) -> None:
        """Take in a small answer and throw it away, so that the connection can be kept."""
        size = 0
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > MOST_ANSWER_BYTES:
                raise DeliveryFailed(f"the answer has more than {MOST_ANSWER_BYTES} bytes")
            if time.monotonic() > deadline:
                raise DeliveryFailed(f"the answer took longer than {self._timeout_seconds} seconds")
