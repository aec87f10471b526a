"""问题说明: every refusal as an RFC 9457 problem, from one table of status and titles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from seal_service.domain import errors as e

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """How one kind of refusal is told: HTTP status, Chinese title, English title."""

    status: int
    zh: str
    en: str


OF_ERRORS: dict[type[e.SealServiceError], Row] = {
    e.SealServiceError: Row(500, "服务未能完成请求", "The request could not be carried out"),
    e.InvalidInput: Row(422, "请求内容无效", "Invalid input"),
    e.InvalidCreditCode: Row(422, "统一社会信用代码无效", "Invalid unified social credit code"),
    e.InvalidAreaCode: Row(422, "行政区划代码无效", "Invalid area code"),
    e.InvalidSealCode: Row(422, "印章编码无效", "Invalid seal code"),
    e.InvalidPlacement: Row(422, "盖章位置无效", "Invalid placement"),
    e.InvalidTime: Row(422, "时间无效", "Invalid time"),
    e.InvalidCursor: Row(422, "分页游标无效", "Invalid cursor"),
    e.ImpressionRefused: Row(422, "印模不符合要求", "Impression refused"),
    e.CertificateRefused: Row(422, "证书不符合要求", "Certificate refused"),
    e.BackupRefused: Row(422, "备份不可用", "Backup refused"),
    e.Unauthenticated: Row(401, "未认证", "Not authenticated"),
    e.PermissionDenied: Row(403, "无权限", "Permission denied"),
    e.AuthorizationDenied: Row(403, "不准用印", "Seal use denied"),
    e.DocumentBeyondGrant: Row(403, "文件超出授权范围", "Document beyond the grant"),
    e.ScenarioNotFound: Row(404, "用印场景未登记", "Scenario not registered"),
    e.UseApprovalNotFound: Row(404, "用印审批不存在", "Use approval not found"),
    e.ApprovalDecided: Row(409, "用印审批状态不允许此操作", "The use approval's state does not allow this"),
    e.SelfDecisionRefused: Row(403, "申请人不得审批本人申请", "Applicants do not decide their own application"),
    e.NotFound: Row(404, "未找到", "Not found"),
    e.UnitNotFound: Row(404, "单位不存在", "Unit not found"),
    e.AccountNotFound: Row(404, "账户不存在", "Account not found"),
    e.ApplicationNotFound: Row(404, "申请不存在", "Application not found"),
    e.SealNotFound: Row(404, "印章不存在", "Seal not found"),
    e.GrantNotFound: Row(404, "授权不存在", "Grant not found"),
    e.UseNotFound: Row(404, "用印记录不存在", "Seal use not found"),
    e.DocumentNotKept: Row(410, "盖章文件已不再保存", "Sealed document no longer kept"),
    e.LogEntryNotFound: Row(404, "日志条目不存在", "Log entry not found"),
    e.ExportNotFound: Row(404, "日志导出不存在", "Log export not found"),
    e.CertificateNotFound: Row(404, "证书不存在", "Certificate not found"),
    e.CertificateRequestNotFound: Row(404, "证书申请不存在", "Certificate request not found"),
    e.TrustAnchorNotFound: Row(404, "信任锚不存在", "Trust anchor not found"),
    e.ControlledRequestNotFound: Row(404, "双人控制请求不存在", "Request for two people not found"),
    e.SecondPersonNeeded: Row(409, "需另一名安全管理员确认", "A second person is needed"),
    e.KeyNotFound: Row(404, "密钥不存在", "Key not found"),
    e.Conflict: Row(409, "与当前状态冲突", "Conflict with the present state"),
    e.TransitionRefused: Row(409, "当前印章状态不允许此操作", "The seal's state does not allow this"),
    e.RenewalNotPossible: Row(409, "不在续期窗口内", "Outside the renewal window"),
    e.AlreadyDecided: Row(409, "申请状态不允许此操作", "The application's state does not allow this"),
    e.AlreadyRegistered: Row(409, "已登记", "Already registered"),
    e.IdempotencyKeyReused: Row(409, "幂等键已用于其他请求", "Idempotency key used for another request"),
    e.UseInProgress: Row(409, "同一用印正在处理", "The same use is in progress"),
    e.UseOvertaken: Row(409, "用印期间状态已变更，未放行", "State changed during the use: nothing was released"),
    e.KeyInUse: Row(409, "密钥仍在使用", "Key in use"),
    e.CertificatePending: Row(409, "证书尚未签发", "Certificate not issued yet"),
    e.PreparedUseNotFound: Row(404, "待签用印不存在", "Prepared use not found"),
    e.PreparedUseExpired: Row(409, "待签用印已过期", "Prepared use expired"),
    e.PreparedUseCompleted: Row(409, "待签用印已以其他签名完成", "Prepared use completed with another signature"),
    e.PreparedSignatureRefused: Row(422, "签名值不被接受", "Signature not accepted"),
    e.SealNotActivated: Row(409, "印章未启用", "Seal not activated"),
    e.ActivationSecretWrong: Row(403, "激活口令不正确", "Activation secret wrong"),
    e.ActivationBlocked: Row(409, "激活口令错误次数过多", "Too many wrong activation secrets"),
    e.KeyProcessUnavailable: Row(503, "密钥进程不可用", "Key process unavailable"),
    e.HandleRefused: Row(403, "授权句柄缺失或无效", "Authorization handle missing or not valid"),
    e.ConveyanceNotFound: Row(404, "导入记录不存在", "Conveyance not found"),
    e.MediumNotInHand: Row(409, "印章介质不在保管人手中", "Medium not with its keeper"),
    e.DocumentRefused: Row(422, "文件不能盖章", "Document refused"),
    e.DocumentUnsupported: Row(415, "不支持的文件格式", "Unsupported document format"),
    e.DocumentEncrypted: Row(422, "文件已加密", "Encrypted document"),
    e.DocumentXfa: Row(422, "文件含 XFA 表单", "Document with an XFA form"),
    e.DocumentDamaged: Row(422, "文件已损坏", "Damaged document"),
    e.DocumentOverLimit: Row(413, "文件超过限制", "Document over limit"),
    e.DocumentCertified: Row(422, "文件已认证或锁定，不允许再盖章", "Certified or locked document"),
    e.DocumentActiveContent: Row(422, "文件含活动内容", "Document with active content"),
    e.DocumentHiddenContent: Row(422, "文件含默认隐藏内容", "Document with hidden content"),
    e.SealingFailed: Row(500, "盖章失败", "Sealing failed"),
    e.LevelUnreachable: Row(503, "无法达到所请求的签名级别", "Signature level unreachable"),
    e.SelfCheckFailed: Row(500, "盖章自检未通过，未放行", "Self-check failed: nothing was released"),
    e.SignatureRefused: Row(503, "密钥未能签名", "The key could not sign"),
    e.IntegrityFailed: Row(500, "保存的数据完整性校验失败", "Integrity of kept data failed"),
    e.Unavailable: Row(503, "依赖的服务不可用", "A dependency is unavailable"),
    e.TimestampUnavailable: Row(503, "时间戳服务不可用", "Time-stamping unavailable"),
    e.RevocationUnavailable: Row(503, "吊销信息不可用", "Revocation information unavailable"),
    e.AuthorityUnavailable: Row(503, "外部认证机构不可用", "Outside certificate authority unavailable"),
    e.OutcomeUnknown: Row(503, "结果未知，未放行", "Outcome unknown: nothing was released"),
    e.KeyStoreUnavailable: Row(503, "密钥设备不可用", "Key store unavailable"),
    e.TokenPinRefused: Row(503, "密码设备分区拒绝口令", "The HSM's token refuses its PIN"),
    e.TokenPinLocked: Row(503, "密码设备分区口令已锁定", "The HSM's token has locked its PIN"),
    e.NoTokenFree: Row(503, "没有空闲的密码设备分区", "No token of the HSM is free"),
    e.SoftwareKeysRefused: Row(503, "生产环境不接受软件密钥", "Software keys refused in production"),
    e.ProgramMissing: Row(503, "缺少所需程序", "A program that is needed is not installed"),
    e.NameChangeRefused: Row(409, "单位名称变更须注销旧章后重新申请", "A unit's new name needs a new seal"),
    e.MadeByCaller: Row(409, "不得由制章人本人标记无效", "Marked invalid by someone else than its maker"),
    e.SealsStillValid: Row(409, "单位尚有未注销的印章", "The unit has seals that are not cancelled"),
    e.NotificationNotFound: Row(404, "通知不存在", "Notification not found"),
    e.DeliveryFailed: Row(503, "通知未送达", "Notification not delivered"),
    e.StatusListRefused: Row(422, "状态名单不可信", "Status list refused"),
    e.NoteRefused: Row(422, "日志证明不可信", "Note or proof refused"),
    e.EntryNotPublished: Row(409, "日志条目尚未发布", "Entry not published yet"),
    e.LogNotPublished: Row(404, "日志尚未发布到此", "Log not published so far"),
    e.LogFileNotFound: Row(404, "没有此日志文件", "Log file not found"),
    e.LogDamaged: Row(500, "签章日志受损", "Signing log damaged"),
    e.LogIncomplete: Row(500, "签章日志文件缺失", "Signing log incomplete"),
    e.LogHalted: Row(503, "签章日志已停", "Signing log halted"),
    e.FilingNotFound: Row(404, "备案不存在", "Filing not found"),
    e.RegistryUnavailable: Row(503, "省级备案系统不可用", "Provincial registry unavailable"),
    e.FilingRefused: Row(503, "省级备案系统未接受备案", "Filing refused by the provincial registry"),
    e.InstanceNotReady: Row(503, "服务实例尚未就绪", "Instance not ready"),
    e.PasswordRefused: Row(422, "口令不符合要求", "Password refused"),
    e.FactorProofRefused: Row(422, "第二因素验证未通过", "Proof of the second factor refused"),
    e.KeyFamilyUnsupported: Row(422, "尚不支持的密钥类别", "Key family not supported yet"),
    e.PasswordChangeRequired: Row(403, "须先修改口令", "Change the password first"),
    e.SecondFactorRequired: Row(403, "须先登记第二因素", "Enrol a second factor first"),
    e.SessionNotFound: Row(404, "没有登录会话", "No session"),
    e.SecondFactorNotFound: Row(404, "第二因素不存在", "Second factor not found"),
    e.IdentityLinkNotFound: Row(404, "身份关联不存在", "Identity link not found"),
    e.IdentityProviderNotSet: Row(404, "未配置身份提供方", "No identity provider set"),
    e.LastSecondFactor: Row(409, "不能移除最后一个第二因素", "Last second factor not removed"),
    e.IdentityProviderUnavailable: Row(503, "身份提供方不可用", "Identity provider unavailable"),
    e.AddressRefused: Row(403, "来源地址未登记", "Source address not registered"),
    e.ProofRefused: Row(401, "持有证明无效", "Proof of possession refused"),
    e.OperatorNotRegistered: Row(403, "签章人未登记", "Operator not registered"),
    e.SystemNotFound: Row(404, "接入系统不存在", "Application system not found"),
    e.CredentialNotFound: Row(404, "凭据不存在", "Credential not found"),
    e.PersonNotFound: Row(404, "人员不存在", "Person not found"),
    e.SystemNotReady: Row(409, "接入系统状态不符", "Application system not ready for this"),
    e.TooManyCredentials: Row(409, "凭据数量已达上限", "Too many credentials"),
    e.CredentialRefused: Row(422, "公钥或证书不可用", "Credential refused"),
}
"""Every class of domain/errors, each with its own row: nothing is inherited silently."""

OF_THE_DOOR: dict[str, Row] = {
    "malformed-request": Row(400, "请求格式错误", "Malformed request"),
    "idempotency-key-missing": Row(400, "缺少幂等键", "Idempotency-Key missing"),
    "no-such-address": Row(404, "地址不存在", "No such address"),
    "method-not-allowed": Row(405, "方法不被允许", "Method not allowed"),
    "not-acceptable": Row(406, "无法提供所接受的格式", "Not acceptable"),
    "request-timeout": Row(408, "请求内容未及时到达", "Request body not received in time"),
    "content-too-large": Row(413, "请求内容过大", "Content too large"),
    "unsupported-media-type": Row(415, "不支持的媒体类型", "Unsupported media type"),
    "invalid-request": Row(422, "请求内容无效", "Invalid request"),
    "too-many-requests": Row(429, "请求过于频繁", "Too many requests"),
    "internal-error": Row(500, "内部错误", "Internal error"),
    "overloaded": Row(503, "服务繁忙", "Too busy"),
}
"""What HTTP itself refuses, before any use case is asked."""

OF_THE_PAGES: dict[str, Row] = {"form-refused": Row(403, "表单已失效或来源不符", "Form refused")}
"""What pages refuse besides, which no client of the API hears."""

DPOP_CHALLENGE = 'DPoP algs="ES256 PS256 Ed25519", error="invalid_dpop_proof"'
"""RFC 9449, 7.1."""

_CODE_OF_STATUS = {
    400: "malformed-request",
    404: "no-such-address",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "content-too-large",
    415: "unsupported-media-type",
}


class DoorRefusal(HTTPException):
    """A refusal that HTTP makes; `code` is a row of OF_THE_DOOR or OF_THE_PAGES."""

    def __init__(self, code: str, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.code = code
        row = _row(code)
        super().__init__(row.status, detail or row.en, dict(headers or {}))


def _row(code: str) -> Row:
    return OF_THE_PAGES.get(code) or OF_THE_DOOR[code]


def problem(
    request: Request,
    code: str,
    row: Row,
    detail: str | None,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The problem document (RFC 9457): type, Chinese and English title, detail, request id, extension members."""
    content = dict(members or {})
    content |= {"type": f"urn:seal:problem:{code}", "title": row.zh, "title_en": row.en, "status": row.status}
    if detail is not None:
        content["detail"] = detail
    content["request_id"] = getattr(request.state, "request_id", None)
    return JSONResponse(content, row.status, dict(headers or {}), media_type=MEDIA_TYPE)


def problem_of_error(request: Request, error: Exception) -> Response:
    """A domain error as a problem; the root class, which says nothing specific, without detail."""
    assert isinstance(error, e.SealServiceError)  # noqa: S101 - registered for this class alone
    kind = type(error)
    row = OF_ERRORS.get(kind, OF_ERRORS[e.SealServiceError])
    known = kind in OF_ERRORS and kind is not e.SealServiceError
    members: dict[str, Any] = dict(error.details) if known else {}
    if isinstance(error, e.AuthorizationDenied):
        members["reasons"] = [{"code": code, "message": message} for code, message in error.reasons]
    headers: dict[str, str] = {}
    if row.status == 401:
        headers["WWW-Authenticate"] = DPOP_CHALLENGE if kind is e.ProofRefused else 'Bearer realm="seal-service"'
    elif row.status == 503 or kind is e.UseInProgress:
        headers["Retry-After"] = str(RETRY_SECONDS)
    elif kind is e.CertificatePending:
        headers["Retry-After"] = str(max(RETRY_SECONDS, int(str(error.details.get("retry_after_seconds") or 0))))
    code = (kind if known else e.SealServiceError).code().replace("_", "-")
    return problem(request, code, row, error.message if known else None, members, headers)


def problem_of_http(request: Request, error: Exception) -> Response:
    """What HTTP refuses (no such address, method, media type, size) as a problem."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    code = error.code if isinstance(error, DoorRefusal) else _CODE_OF_STATUS.get(error.status_code, "internal-error")
    detail = error.detail if isinstance(error, DoorRefusal) or error.status_code < 500 else None
    return problem(request, code, _row(code), detail, headers=error.headers)


def problem_of_validation(request: Request, error: Exception) -> Response:
    """Fields that are missing or of the wrong form, each with its place and what is wrong; no value is echoed."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in ("", "application/json") and any(one["loc"] == ("body",) for one in error.errors()):
        return problem_of_http(request, DoorRefusal("unsupported-media-type", "The request is application/json"))
    if any(one["loc"] == ("header", "Idempotency-Key") and one["type"] == "missing" for one in error.errors()):
        refusal = DoorRefusal("idempotency-key-missing", "Every use has its own Idempotency-Key, for repeated requests")
        return problem_of_http(request, refusal)
    fields = [{"field": ".".join(str(step) for step in one["loc"]), "message": one["msg"]} for one in error.errors()]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in fields[:5])
    return problem(request, "invalid-request", OF_THE_DOOR["invalid-request"], detail, {"fields": fields[:50]})


def problem_of_unknown(request: Request) -> Response:
    """An error that nobody foresaw: 500, without detail."""
    return problem(request, "internal-error", OF_THE_DOOR["internal-error"], None)


def refusals(*kinds: type[e.SealServiceError] | str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of some refusals (classes of errors, or codes of the door), one entry a status."""
    by_status: dict[int, list[Row]] = {}
    for kind in kinds:
        row = OF_THE_DOOR[kind] if isinstance(kind, str) else OF_ERRORS[kind]
        by_status.setdefault(row.status, []).append(row)
    return {
        status: {
            "description": " / ".join(f"{row.zh} ({row.en})" for row in rows),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, rows in sorted(by_status.items())
    }
