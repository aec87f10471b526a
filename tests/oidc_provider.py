"""A real OpenID Connect provider in a process of its own, and a person at it who goes through the code flow."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

CLIENT = "seal-service"
_PROGRAM = "oidc_provider_mock"
_BACK = "http://127.0.0.1:1/back"


@dataclass(frozen=True)
class Provider:
    """Where it is."""

    url: str

    def id_token(self, subject: str, nonce: str | None = None, client: str = CLIENT) -> str:
        """An id token of now, had by the authorization code flow with PKCE as a client has it."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": client,
            "redirect_uri": _BACK,
            "response_type": "code",
            "scope": "openid profile",
            "state": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        query |= {"nonce": nonce} if nonce else {}
        with httpx.Client(base_url=self.url, trust_env=False) as at:
            agreed = at.post("/oauth2/authorize", params=query, data={"sub": subject})
            assert agreed.status_code == 302, agreed.text
            code = parse_qs(urlsplit(agreed.headers["location"]).query)["code"][0]
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": _BACK,
                "client_id": client,
                "client_secret": "any",
                "code_verifier": verifier,
            }
            answer = at.post("/oauth2/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id_token"])


@contextmanager
def provider(
    *people: Mapping[str, Any], token_seconds: int | None = None, port: int | None = None
) -> Iterator[Provider]:
    """The provider with people and their claims; the test is skipped where it is not installed."""
    if importlib.util.find_spec(_PROGRAM) is None:
        pytest.skip("no OpenID Connect provider is installed")
    chosen = port or free_port()
    claims = [part for one in people for part in ("--user-claims", json.dumps(one))]
    age = [] if token_seconds is None else ["--token-max-age", str(token_seconds)]
    command = [sys.executable, "-W", "ignore", "-m", _PROGRAM, "--port", str(chosen), *age, *claims]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env={**os.environ, "PYTHONPATH": ""}) as process:
        try:
            made = Provider(f"http://127.0.0.1:{chosen}")
            for _ in range(600):
                assert process.poll() is None, "the provider did not start"
                try:
                    if httpx.get(f"{made.url}/jwks", trust_env=False).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield made
        finally:
            process.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
