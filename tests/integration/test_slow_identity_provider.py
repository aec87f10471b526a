"""A slow identity provider: anyone can have us ask it, and nobody but who asked may wait for it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from seal_service.domain.errors import IdentityProviderUnavailable
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.identity_provider import LARGEST_DOCUMENT, OidcProvider
from seal_service.ports.people import ProviderRequest
from tests.live import LiveCity, live_city
from tests.pages import Visitor

BACK = "/pages/sign-in/provider/return"
THERE = "/pages/sign-in/provider"
REQUEST = ProviderRequest(redirect_uri=f"https://seal.example{BACK}", state="s", nonce="n", verifier="v")
NOW = datetime(2026, 5, 1, tzinfo=UTC)
SOON = 15
"""Seconds within which whoever does not wait for the provider is answered, on a busy machine."""
NEVER = 60.0
"""Seconds that a request to the provider may take: longer than any test waits."""


@dataclass
class Silence:
    """A real socket that accepts and never answers, until it hangs up."""

    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    callers: list[socket.socket] = field(default_factory=list)
    hangs_up: bool = False

    def __post_init__(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self.listening.accept()
            except OSError:
                return
            self.callers.append(caller)
            if self.hangs_up:
                caller.close()

    def hang_up(self) -> None:
        """On everyone, now and from now on."""
        self.hangs_up = True
        for one in self.callers:
            with closing(one):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def silence() -> Iterator[Silence]:
    silent = Silence()
    yield silent
    silent.listening.close()
    if not silent.hangs_up:
        silent.hang_up()


@contextmanager
def documents(token_endpoint: str) -> Iterator[str]:
    """A provider that tells its configuration and keys, and whose tokens are had elsewhere; its address."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = {"issuer": issuer, "authorization_endpoint": f"{issuer}/a", "token_endpoint": token_endpoint}
            body = json.dumps(told | {"jwks_uri": f"{issuer}/jwks", "keys": []}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        issuer = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def settings(issuer: str) -> dict[str, Any]:
    chosen = {"oidc_issuer": issuer, "oidc_audience": "seal-service", "pages_url": "http://127.0.0.1"}
    return chosen | {"network_timeout_seconds": NEVER}


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def others_are_answered(city: LiveCity) -> None:
    """Whatever else is asked of the service, several times over, its database included."""
    for _ in range(4):
        for path, status in (("/pages/sign-in", 200), ("/readyz", None), ("/v1/sessions/current", 401)):
            answer = httpx.get(f"{city.url}{path}", timeout=SOON)
            assert status in (None, answer.status_code)


def test_while_a_provider_hangs_everything_else_is_answered_and_its_failure_remembered(
    tmp_path: Path, silence: Silence
) -> None:
    """Eight browsers ask for the way there; the service has four threads."""
    with live_city(tmp_path / "home", **settings(silence.url)) as city, ThreadPoolExecutor(8) as browsers:
        asked = [browsers.submit(httpx.get, f"{city.url}{THERE}", timeout=NEVER) for _ in range(8)]
        until(lambda: sum(one.done() for one in asked) == 7)
        others_are_answered(city)
        assert sum(one.done() for one in asked) == 7, "one waits, and nobody waits for that one"
        silence.hang_up()
        assert {one.result().status_code for one in asked} == {503}
        for _ in range(3):
            page = Visitor(city).open(THERE)
            assert (page.status, "身份提供方不可用" in page.text) == (503, True)
        assert len(silence.callers) == 1, "a provider that failed is not asked again at once"


def test_while_codes_are_exchanged_everything_else_is_answered(tmp_path: Path, silence: Silence) -> None:
    """Codes of nobody's, at a token endpoint that does not answer: two of four threads wait for it at most."""

    def back(city: LiveCity) -> int:
        visitor = Visitor(city)
        visitor.client.follow_redirects = False
        address = httpx.URL(visitor.client.get(THERE).headers["location"])
        return visitor.client.get(BACK, params={"state": address.params["state"], "code": "made up"}).status_code

    with documents(silence.url) as issuer, live_city(tmp_path / "home", **settings(issuer)) as city:
        assert httpx.get(f"{city.url}{THERE}").status_code == 303
        with ThreadPoolExecutor(6) as browsers:
            asked = [browsers.submit(back, city) for _ in range(6)]
            until(lambda: sum(one.done() for one in asked) == 4)
            others_are_answered(city)
            assert len(silence.callers) == 2
            silence.hang_up()
            assert {one.result() for one in asked} == {503}


@contextmanager
def asking(issuer: str, monotonic: Callable[[], float] = time.monotonic) -> Iterator[Callable[[datetime], str]]:
    """Where a browser is sent to at a moment."""
    with closing(BoundedHttp(SOON, LARGEST_DOCUMENT)) as http:
        provider = OidcProvider(issuer, "seal-service", "roles", http, most_at_once=2, monotonic=monotonic)
        yield lambda now: provider.address_for(REQUEST, now)


def test_a_provider_that_failed_is_asked_again_after_ten_seconds(silence: Silence) -> None:
    silence.hang_up()
    passed = [0.0]
    with asking(silence.url, lambda: passed[0]) as address_at:
        for moment, callers in ((0.0, 1), (9.9, 1), (10.0, 2), (19.9, 2)):
            passed[0] = moment
            with pytest.raises(IdentityProviderUnavailable):
                address_at(NOW)
            assert len(silence.callers) == callers


def test_what_a_provider_told_serves_for_an_hour_though_it_is_gone_and_no_longer() -> None:
    with ExitStack() as later:
        with documents("http://127.0.0.1:1/token") as issuer:
            address_at = later.enter_context(asking(issuer))
            before = address_at(NOW)
        for minutes in (54, 56, 59):
            assert address_at(NOW + timedelta(minutes=minutes)) == before
        with pytest.raises(IdentityProviderUnavailable):
            address_at(NOW + timedelta(minutes=60))
