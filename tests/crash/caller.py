"""A business system that never gives up: it asks again with the same key, and keeps account of what it was given."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from tests.instance import blank_pdf

SECONDS = 60.0
_PAUSE = 0.02
_TRIES = 3


class Outcome(StrEnum):
    """What came of a key."""

    RELEASED = "released"
    REFUSED = "refused"
    OPEN = "open"
    """Whoever was at work on it is gone; until it is reconciled nobody tells."""


@dataclass
class Ledger:
    """What was asked for and what was given out, over all lives of the service."""

    released: dict[str, set[str]] = field(default_factory=dict)
    """Key → SHA-256 of every document that was ever received for it: one, if all is well."""
    unproven: list[tuple[str, bytes]] = field(default_factory=list)
    """Documents whose place in the log has not been looked at."""
    keeps: bool = False
    """Whether documents stay, for whoever looks at all of them again."""
    documents: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    """Key → document and the id of the entry that tells of it."""
    open: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    """How often each status, or the end of the connection, was the answer."""
    untyped: list[str] = field(default_factory=list)
    """Answers that tell of a fault of the program, since the last look."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, key: str, content: bytes, entry_id: str = "") -> None:
        """Note a document that came whole."""
        digest = hashlib.sha256(content).hexdigest()
        with self.lock:
            known = self.released.setdefault(key, set())
            if digest not in known:
                known.add(digest)
                self.unproven.append((key, content))
                if self.keeps:
                    self.documents[key] = content, entry_id

    def answered(self, kind: str) -> None:
        """Count an answer."""
        with self.lock:
            self.answers[kind] += 1
            if kind.startswith("500"):
                self.untyped.append(kind)

    def faults(self) -> list[str]:
        """What was answered that no caller can act on; told once."""
        with self.lock:
            told, self.untyped = self.untyped, []
        return [f"{one} was the answer" for one in told]


@dataclass
class Caller:
    """One connection's worth of the business system."""

    url: str
    seal_code: str
    credentials: tuple[str, str]
    ledger: Ledger
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=SECONDS)
        self._until = 0.0

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def use(self, key: str) -> Outcome:
        """Apply the seal, asking again until there is an answer."""
        self._until = time.monotonic() + SECONDS
        outcome = self._use(key)
        with self.ledger.lock:
            (self.ledger.open.add if outcome is Outcome.OPEN else self.ledger.open.discard)(key)
        return outcome

    def refused(self) -> int:
        """Ask for what a business system may not do, which the log has to know; the status."""
        self._until = time.monotonic() + SECONDS
        return self._post("/v1/accounts", json={"name": "谁", "roles": ["auditor"]}).status_code

    def _ask(self, key: str, content: bytes) -> httpx.Response:
        return self._post(
            f"/v1/seals/{self.seal_code}/uses",
            params={"scenario": "permit", "level": "B-B"},
            content=content,
            headers={"Content-Type": "application/pdf", "Idempotency-Key": key, "Accept": "application/pdf"},
        )

    def _use(self, key: str) -> Outcome:
        content, tries = blank_pdf(mark=key), 0
        while True:
            answer = self._ask(key, content)
            if answer.status_code in (200, 201):
                self.ledger.receive(key, answer.content, answer.headers["Seal-Log-Entry"])
                return Outcome.RELEASED
            if answer.status_code == 401:
                self._log_in()
                continue
            if answer.json().get("type", "").endswith(":use-in-progress"):
                return Outcome.OPEN
            tries += 1
            if answer.status_code < 500 or tries == _TRIES:
                return Outcome.REFUSED
            time.sleep(_PAUSE)

    def _log_in(self) -> None:
        answer = self._post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=self.credentials)
        if answer.status_code == 200:
            self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        else:
            time.sleep(_PAUSE)

    def _post(self, path: str, **request: object) -> httpx.Response:
        while True:
            try:
                answer = self.client.post(path, **request)  # type: ignore[arg-type]
            except httpx.TransportError as error:
                self.ledger.answered(type(error).__name__)
                if time.monotonic() > self._until:
                    raise
                self._await_listener()
                continue
            told = answer.json().get("type", "").rpartition(":")[2] if answer.status_code >= 400 else ""
            self.ledger.answered(f"{answer.status_code} {told}".strip())
            if time.monotonic() > self._until:
                raise AssertionError(f"no end: {answer.status_code} {answer.text}")
            return answer

    def _await_listener(self) -> None:
        """Until somebody listens again: a try by the client itself takes the processor away from who is starting."""
        address = self.client.base_url
        while time.monotonic() < self._until:
            time.sleep(_PAUSE)
            with suppress(OSError), socket.create_connection((address.host, address.port or 80), timeout=1):
                return
