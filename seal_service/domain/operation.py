"""运行方式: how an instance is run, as far as rules depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Profile(StrEnum):
    """运行环境: what an instance is for."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class DocumentKeeping(StrEnum):
    """盖章文件保存: whether sealed documents are kept; always encrypted."""

    HELD = "held"
    """Until the caller acknowledges it, for a set time at most, so that no result is lost with a connection."""
    KEPT = "kept"
    """For good."""
    NONE = "none"
    """Not at all: the answer is the only copy."""


class KeyPlace(StrEnum):
    """密钥存放: where a private key is."""

    FILE = "file"
    """In a file, encrypted under the master key: a software key."""
    PKCS11 = "pkcs11"
    """In an HSM, from which it cannot be read; in the service's own token."""
    PARTITION = "partition"
    """In a token of the HSM that holds this key alone, whose PIN is its seal's keeper's once he has taken it."""


class UseStep(StrEnum):
    """用印步骤 whose time is measured."""

    AUTHORIZE = "authorize"
    RESERVE = "reserve"
    SEAL = "seal"
    CHECK = "check"
    KEEP = "keep"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """运行状况 at one moment, as it is measured."""

    ready: Mapping[str, bool]
    """Each thing that the service stands on, ready or not."""
    certificate_seconds: Mapping[str, float]
    """How long each of the service's own certificates is still valid; negative: since when not."""
    seals_expiring: int | None
    """Active seals whose certificate ends soon; None: not known now."""
    filings_waiting: int | None = None
    """What the province has not acknowledged; None: not known now."""
    filings_refused: int = 0
    """Seals whose next filing it refused."""
    filing_seconds: float = 0.0
    """Age of the oldest that waits."""
    keys_activated: int | None = None
    """Seals' keys that are activated now; None: the key process does not answer."""
