"""电子印章: a seal, its credentials and its versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal_service.domain.algorithms import Suite
from seal_service.domain.impression import Impression, SealType


class SealState(StrEnum):
    """印章状态 as stored; `expired` is derived from the clock and never stored."""

    MADE = "made"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Custody(StrEnum):
    """用章模式 (article 20): where the private key is."""

    SERVER = "server"  # 集中式
    TOKEN = "token"  # noqa: S105 - 分散式


class CredentialPurpose(StrEnum):
    """证书用途: national practice has a signing and an encryption certificate."""

    SIGNING = "signing"
    ENCRYPTION = "encryption"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """签章凭据: one key with its certificate, in one version of a seal."""

    id: str
    version: int
    """The seal's version, from 1, that this credential belongs to; a renewal adds a version (article 16)."""
    suite: Suite
    purpose: CredentialPurpose
    custody: Custody
    key_reference: str
    certificate: bytes
    """DER."""
    serial: str
    """Certificate serial number, lower-case hexadecimal."""
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """电子印章: its code, name, holder, picture and credentials."""

    code: str
    name: str
    seal_type: SealType
    unit_id: str
    application_id: str
    impression: Impression
    state: SealState
    version: int
    epoch: int
    """Grows with every change that a use under way must not survive."""
    credentials: tuple[Credential, ...]
    made_at: datetime
    replaces_seal_code: str | None = None
    state_reason: str | None = None
    document_number: str | None = None
    """文号 of the order to cancel (article 23)."""
    history_note: str | None = None
    """Of an imported seal: where it was made before and how it was used."""
    invalid_from: datetime | None = None
    """标记无效: made against the rules; whatever is sealed from this moment on never verifies."""
    medium_returned_on: datetime | None = None
    medium_destroyed_on: datetime | None = None
    """Of a cancelled seal's medium (article 23)."""
    keeper_id: str | None = None
    """印章管理员: the account of the person who keeps it, where a change named one (article 20)."""

    @property
    def current(self) -> tuple[Credential, ...]:
        """The credentials of the newest version."""
        return tuple(one for one in self.credentials if one.version == self.version)

    def signing_credential(self, suite: Suite | None = None) -> Credential | None:
        """The newest version's signing credential, of a suite if one is named; None when there is none."""
        candidates = (one for one in self.current if one.purpose is CredentialPurpose.SIGNING)
        return next((one for one in candidates if suite is None or one.suite is suite), None)

    @property
    def not_before(self) -> datetime:
        """The seal is valid as long as its certificate (article 16)."""
        return max(one.not_before for one in self.current)

    @property
    def not_after(self) -> datetime:
        """The seal is valid as long as its certificate (article 16)."""
        return min(one.not_after for one in self.current)
