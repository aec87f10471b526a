"""Requests to the outside, bounded in time and size, that go nowhere but to the address given."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx  # loaded by the first request: most verifications ask nobody, and wait for nothing


class HttpFailed(Exception):
    """The address did not give a usable answer; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer of whatever status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class BoundedHttp:
    """GET and POST without redirects, proxies or environment; safe for threads.

    `timeout_seconds` bounds connecting, each wait for bytes, and the reading of the body as a whole. Only an answer
    of status 200 and at most `maximum_bytes` is given back, but by `exchange`. With a `tls` context servers are judged
    by that alone.
    """

    def __init__(self, timeout_seconds: float, maximum_bytes: int, tls: ssl.SSLContext | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._maximum_bytes = maximum_bytes
        self._tls = tls
        self._lock = Lock()
        self._opened: httpx.Client | None = None

    def get(self, address: str) -> bytes:
        """The body found at an address; HttpFailed."""
        return self._fetch(self._client.build_request("GET", address, headers={"Accept-Encoding": "identity"}))

    def post(self, address: str, content: bytes, content_type: str, accept: str) -> bytes:
        """The body answered to a body of a media type, which must be of the media type `accept`; HttpFailed."""
        headers = {"Content-Type": content_type, "Accept": accept, "Accept-Encoding": "identity"}
        return self._fetch(self._client.build_request("POST", address, content=content, headers=headers), accept)

    def exchange(
        self, method: str, address: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> HttpAnswer:
        """The answer to a request, whatever its status; HttpFailed when there is none."""
        asked = {**headers, "Accept-Encoding": "identity"}
        return self._send(self._client.build_request(method, address, headers=asked, content=content))

    def close(self) -> None:
        """Close the connections that are kept."""
        if self._opened is not None:
            self._opened.close()

    @property
    def _client(self) -> httpx.Client:
        with self._lock:
            if self._opened is None:
                import httpx

                self._opened = httpx.Client(
                    timeout=self._timeout_seconds,
                    follow_redirects=False,
                    trust_env=False,
                    verify=True if self._tls is None else self._tls,
                )
            return self._opened

    def _fetch(self, request: httpx.Request, media_type: str | None = None) -> bytes:
        return self._send(request, media_type, only_success=True).body

    def _send(self, request: httpx.Request, media_type: str | None = None, *, only_success: bool = False) -> HttpAnswer:
        import httpx

        deadline = time.monotonic() + self._timeout_seconds
        try:
            response = self._client.send(request, stream=True)
            try:
                if only_success and response.status_code != 200:
                    raise HttpFailed(f"HTTP status {response.status_code}")
                found = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
                if media_type is not None and found != media_type:
                    raise HttpFailed(f"the answer is {found or 'of no stated type'}, not {media_type}")
                body = self._body(response, deadline)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpAnswer(status=response.status_code, headers=headers, body=body)
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise HttpFailed(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self._maximum_bytes:
                raise HttpFailed(f"the answer has more than {self._maximum_bytes} bytes")
            if time.monotonic() > deadline:
                raise HttpFailed(f"the answer took longer than {self._timeout_seconds} seconds")
        return bytes(body)
