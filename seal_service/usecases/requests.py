"""Idempotency: the same key with the same request does nothing twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from seal_service.domain.access import Caller
from seal_service.domain.errors import IdempotencyKeyReused, InvalidInput
from seal_service.ports.records import Transaction

LONGEST_KEY = 200


class Repeatable(Protocol):
    """A command that carries the caller's idempotency key."""

    @property
    def idempotency_key(self) -> str | None:
        """Given by the caller; None: the request is not repeatable."""


def request_digest(command: object) -> str:
    """SHA-256 (hex) of a command without its idempotency key; bytes enter by their own digest."""
    text = json.dumps(_plain(command), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        named = {
            one.name: _plain(getattr(value, one.name))
            for one in fields(value)
            if "added_later" not in one.metadata or getattr(value, one.name) != one.default
        }
        named.pop("idempotency_key", None)
        return {"type": type(value).__name__, **named}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"a command holds plain values, not {type(value).__name__}")


def checked_key(key: str) -> str:
    """The idempotency key, if it is 1–200 printable ASCII characters; else InvalidInput."""
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise InvalidInput(
            f"An idempotency key is 1 to {LONGEST_KEY} printable ASCII characters", field="Idempotency-Key"
        )
    return key


def made_earlier(transaction: Transaction, caller: Caller, command: Repeatable) -> str | None:
    """What the same request made before, or None; IdempotencyKeyReused when the key stood for another request."""
    if command.idempotency_key is None:
        return None
    found = transaction.idempotency.find(caller.identity, checked_key(command.idempotency_key))
    if found is None:
        return None
    digest, made = found
    if digest != request_digest(command):
        raise IdempotencyKeyReused
    return made


def remember(transaction: Transaction, caller: Caller, command: Repeatable, made: str, now: datetime) -> None:
    """Note what the request made, in the acting transaction."""
    if command.idempotency_key is not None:
        transaction.idempotency.add(caller.identity, command.idempotency_key, request_digest(command), made, now)
