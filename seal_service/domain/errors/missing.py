"""There is no such thing."""

from __future__ import annotations

from seal_service.domain.errors.base import SealServiceError


class NotFound(SealServiceError):
    """There is no such thing, or the caller may not see it."""


class UnitNotFound(NotFound):
    """There is no such unit (单位)."""


class AccountNotFound(NotFound):
    """There is no such account."""


class ApplicationNotFound(NotFound):
    """There is no such application (申请)."""


class SealNotFound(NotFound):
    """There is no such seal (电子印章)."""


class GrantNotFound(NotFound):
    """There is no such grant (授权)."""


class UseNotFound(NotFound):
    """There is no such seal use (用印)."""


class DocumentNotKept(NotFound):
    """The sealed document is not kept here: it was acknowledged, its time has passed, or the use gave none."""


class LogEntryNotFound(NotFound):
    """There is no such log entry (日志)."""


class ExportNotFound(NotFound):
    """No file with this SHA-256 was exported from the log (日志导出), or its export broke off."""


class CertificateNotFound(NotFound):
    """This authority has issued no such certificate."""


class CertificateRequestNotFound(NotFound):
    """There is no such certificate request (证书申请)."""


class TrustAnchorNotFound(NotFound):
    """There is no such trust anchor (信任锚)."""


class ControlledRequestNotFound(NotFound):
    """There is no such request for an act that takes two people (双人控制)."""


class KeyNotFound(NotFound):
    """There is no such key (密钥)."""


class ScenarioNotFound(NotFound):
    """There is no such scenario (用印场景): the making office registers it (`seal scenarios register`)."""


class UseApprovalNotFound(NotFound):
    """There is no such use approval (用印审批)."""
