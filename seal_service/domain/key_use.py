"""密钥用途: what a private key is still needed for, and whether it may be destroyed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seal_service.domain.certification import CertificateRequest
from seal_service.domain.filing import REPORT_KEY
from seal_service.domain.identifiers import moment_of
from seal_service.domain.issuance import AuthorityCredential
from seal_service.domain.lifecycle import state_at
from seal_service.domain.log_keys import LogKeyPeriod, log_key_number
from seal_service.domain.seal import Credential, Seal, SealState

SETTLING = timedelta(hours=1)
"""How long what began before may still use or come to name a key: far longer than any request lasts."""


class KeyState(StrEnum):
    """密钥状态."""

    SIGNS = "signs"
    """It signs what is made from now on."""
    VERIFIES = "verifies"
    """Superseded; it signs only the answers by which what it issued is verified."""
    PENDING = "pending"
    """It waits for its certificate from an outside authority, or for the end of the log's key before it."""
    SUPERSEDED = "superseded"
    """Nothing needs it any more; what it signed is verified by its certificate."""
    UNNAMED = "unnamed"
    """Nothing names it: what it was made for did not come about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityUse:
    """A key of the service itself."""

    credential: AuthorityCredential
    superseded_at: datetime | None
    """When another took its place; None: it signs."""
    answers_for_valid: bool
    """Whether it is an authority's of whose certificates some are valid, so that its list must be signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """密钥用途: what names a key; nothing does when all is None."""

    reference: str
    authority: AuthorityUse | None = None
    seal: Seal | None = None
    credential: Credential | None = None
    """The seal's that names it."""
    request: CertificateRequest | None = None
    """One that waits for its certificate."""
    log_key: KeyState | None = None
    """Of a key of the signing log."""


def key_state(use: KeyUse, now: datetime) -> KeyState:
    """密钥状态 now."""
    if use.authority is not None:
        if use.authority.superseded_at is None:
            return KeyState.SIGNS
        return KeyState.VERIFIES if use.authority.answers_for_valid else KeyState.SUPERSEDED
    if use.log_key is not None:
        return use.log_key
    if use.reference == REPORT_KEY or _seal_needs_it(use, now):
        return KeyState.SIGNS
    if use.request is not None:
        return KeyState.PENDING
    return KeyState.UNNAMED if use.seal is None else KeyState.SUPERSEDED


def log_key_state(reference: str, periods: Sequence[LogKeyPeriod]) -> KeyState | None:
    """密钥状态 of a key of the signing log, whose last period is the one in force; None: it is none of the log's."""
    number, in_force = log_key_number(reference), periods[-1].number
    if number is None:
        return None
    if number == in_force:
        return KeyState.SIGNS
    return KeyState.SUPERSEDED if number < in_force else KeyState.PENDING


def reasons_to_keep(use: KeyUse, now: datetime) -> tuple[str, ...]:
    """Every reason, as a sentence, for which a key is not destroyed; none: it may be."""
    reasons = []
    if use.authority is not None:
        reasons.extend(_reasons_of_authority(use.authority, now))
    if use.seal is not None and _seal_needs_it(use, now):
        reasons.append(f"The seal {use.seal.code} is sealed with it")
    if use.request is not None:
        reasons.append(f"The certificate request {use.request.id} waits for its certificate")
    if use.reference == REPORT_KEY:
        reasons.append("Filings are signed with it, and the province knows it")
    if use.log_key is KeyState.SIGNS:
        reasons.append(
            "The signing log's checkpoints and receipts are signed with it, and whoever checks them knows it: "
            "`seal log rotate-key` has another one follow"
        )
    if use.log_key is KeyState.PENDING:
        reasons.append("It is to be the signing log's next key: `seal log rotate-key` finishes what was begun")
    if use.authority is None and use.seal is None and use.request is None:
        made = moment_of(use.reference)
        if made is not None and abs(now - made) < SETTLING:
            reasons.append(f"It was made less than an hour ago, and what it is for may be under way: {_after(made)}")
    return tuple(reasons)


def _reasons_of_authority(use: AuthorityUse, now: datetime) -> list[str]:
    name = f"{use.credential.role.value} {use.credential.version}"
    if use.superseded_at is None:
        return [f"It is the key of {name}, which signs"]
    reasons = []
    if use.answers_for_valid:
        reasons.append(f"Certificates that {name} issued are valid, and it signs the list that says so")
    if now < use.superseded_at + SETTLING:
        reasons.append(f"What began before {name} was superseded may use it still: {_after(use.superseded_at)}")
    return reasons


def _seal_needs_it(use: KeyUse, now: datetime) -> bool:
    """A seal that can no longer be applied needs no key: neither state nor version ever comes back."""
    return (
        use.seal is not None
        and use.credential is not None
        and use.credential.version == use.seal.version
        and state_at(use.seal, now) not in (SealState.CANCELLED, SealState.EXPIRED)
    )


def _after(moment: datetime) -> str:
    return f"ask again after {(moment + SETTLING).isoformat(timespec='seconds')}"
