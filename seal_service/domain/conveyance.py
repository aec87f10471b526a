"""导入应用系统: a seal's data are in an application system; its key never is (article 20)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.errors import HandleRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Conveyance:
    """导入记录: to which system a seal was conveyed, and the handle by which that system alone asks for it."""

    id: str
    seal_code: str
    system_id: str
    """Account: the handle is worth nothing with another one's credential."""
    handle_sha256: str
    """Of the handle, 256 random bits; the handle itself is shown once and kept nowhere."""
    conveyed_by: str
    conveyed_at: datetime
    withdrawn_at: datetime | None = None


def handle_digest(handle: str) -> str:
    """SHA-256 of a handle, hex. It is random: nothing slower is needed."""
    return hashlib.sha256(handle.encode()).hexdigest()


def require_handle(conveyances: Sequence[Conveyance], handle: str | None) -> None:
    """Raise HandleRefused unless a system to which a seal was ever conveyed shows a handle that still stands.

    A withdrawn one does not bring back the time before it: a system that had one needs a new one. One to which nothing
    was conveyed needs its grant alone.
    """
    if not conveyances and handle is None:
        return
    given = handle_digest(handle or "")
    standing = [one for one in conveyances if one.withdrawn_at is None]
    matches = [hmac.compare_digest(one.handle_sha256, given) for one in standing]
    if handle is None or not any(matches):
        raise HandleRefused
