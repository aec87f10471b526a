"""日志条目: from an event to its canonical leaf, personal fields as commitments, and back."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.errors import IntegrityFailed, InvalidInput
from seal_service.domain.events import Event
from seal_service.formats import canonical
from seal_service.log import appendix_a
from seal_service.ports.records import PrivateField
from seal_service.ports.system import Entropy, Vault

VERSION = 1
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitments:
    """Of the personal fields of one entry: what goes into the leaf, and what opens it later."""

    values: Mapping[str, str]
    """Field → HMAC-SHA-256(k, value), 64 hexadecimal characters."""
    fields: tuple[PrivateField, ...]


def commit(entry_id: str, private: Mapping[str, str], entropy: Entropy, vault: Vault) -> Commitments:
    """Commitments to personal values, each under a fresh 256-bit key that is kept encrypted beside the value."""
    values: dict[str, str] = {}
    fields: list[PrivateField] = []
    for name, value in sorted(private.items()):
        key = entropy.token(_KEY_BYTES)
        content = _utf8(name, value)
        values[name] = _commitment(key, content)
        fields.append(PrivateField(name=name, ciphertext=vault.encrypt(key + content, _context(entry_id, name))))
    return Commitments(values=values, fields=tuple(fields))


def opened(entry_id: str, field: PrivateField, commitment: object, vault: Vault) -> str:
    """The value of a personal field; IntegrityFailed when it is not what the leaf commits to."""
    content = vault.decrypt(field.ciphertext, _context(entry_id, field.name))
    key, value = content[:_KEY_BYTES], content[_KEY_BYTES:]
    if not isinstance(commitment, str) or not hmac.compare_digest(_commitment(key, value), commitment):
        raise IntegrityFailed(f"{field.name} of entry {entry_id} is not what the entry commits to")
    return value.decode()


def leaf(
    event: Event, *, entry_id: str, at: datetime, seq: int | None, origin: str, commitments: Mapping[str, str]
) -> dict[str, canonical.Value | dict[str, canonical.Value]]:
    """The leaf of an event: common fields, what the columns repeat, `a` (Appendix A), `facts` and `private`.

    Facts that Appendix A names stand in `a` alone; fields without a value are left out.
    Raises InvalidInput for a fact that is personal or not in its format.
    """
    facts: dict[str, canonical.Value] = {}
    for name, value in event.facts.items():
        if name in appendix_a.PERSONAL_FIELDS:
            raise InvalidInput(f"{name} is personal and enters the log only as a commitment", field=name)
        if name not in appendix_a.FIELDS and value is not None:
            facts[name] = list(value) if isinstance(value, tuple) else value
    fields: dict[str, canonical.Value | dict[str, canonical.Value]] = {
        "v": VERSION,
        "kind": event.kind.value,
        "id": entry_id,
        "at": utc(at),
        "seq": seq,
        "log": origin,
        "result": event.result.value,
        "account_id": event.account_id,
        "unit_id": event.unit_id,
        "seal_code": event.seal_code,
        "scenario": event.scenario,
        "document_sha256": event.document_sha256,
        "use_id": event.use_id,
        "intent_id": event.intent_id,
        "intent_leaf_hash": event.intent_leaf_hash,
        "a": {**appendix_a.record(event, entry_id, at)},
        "facts": facts or None,
        "private": {**commitments} or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def utc(at: datetime) -> str:
    """A moment as YYYY-MM-DDTHH:MM:SS.mmmZ; `at` is in UTC and whole in milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _context(entry_id: str, name: str) -> bytes:
    return f"log entry {entry_id} {name}".encode()


def _commitment(key: bytes, value: bytes) -> str:
    return hmac.new(key, value, hashlib.sha256).hexdigest()


def _utf8(name: str, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{name} holds half of a surrogate pair", field=name) from error
