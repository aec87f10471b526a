"""联系人 of an application system: encrypted for that system alone."""

from __future__ import annotations

import json
from dataclasses import asdict

from seal_service.domain.machine import Contacts
from seal_service.ports.system import Vault


def told_contacts(contacts: Contacts) -> dict[str, str]:
    """What is there of them, by name."""
    return {name: value for name, value in asdict(contacts).items() if value is not None}


def sealed_contacts(vault: Vault, system_id: str, contacts: Contacts) -> bytes:
    """As they are kept."""
    return vault.encrypt(json.dumps(told_contacts(contacts), sort_keys=True).encode(), _context(system_id))


def opened_contacts(vault: Vault, system_id: str, content: bytes) -> Contacts:
    """As they were given."""
    return Contacts(**json.loads(vault.decrypt(content, _context(system_id))))


def _context(system_id: str) -> bytes:
    return f"application system {system_id} contacts".encode()
