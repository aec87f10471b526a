"""日志用语: what kinds, results and times of entries are called where people of an office read them."""

from __future__ import annotations

from datetime import datetime

from seal_service.domain.events import EventKind, Result
from seal_service.domain.local_time import local_time

_KINDS = {
    EventKind.SEAL_INTENT: "用印意向",
    EventKind.SEAL_COMPLETED: "用印完成",
    EventKind.SEAL_FAILED: "用印失败",
    EventKind.SEAL_DENIED: "拒绝用印",
    EventKind.SEAL_ABANDONED: "用印中止",
    EventKind.DOCUMENT_VERIFIED: "验章",
    EventKind.SEAL_MADE: "制章",
    EventKind.SEAL_ACTIVATED: "启用",
    EventKind.SEAL_RENEWED: "续期",
    EventKind.SEAL_CHANGED: "变更",
    EventKind.SEAL_SUSPENDED: "挂失",
    EventKind.SEAL_RESUMED: "解挂",
    EventKind.SEAL_CANCELLED: "注销",
    EventKind.SEAL_INVALIDATED: "标记无效",
    EventKind.GRANT_MADE: "授权",
    EventKind.GRANT_REVOKED: "撤销授权",
    EventKind.APPROVAL_REQUESTED: "申请用印审批",
    EventKind.APPROVAL_GRANTED: "同意用印",
    EventKind.APPROVAL_REJECTED: "不同意用印",
    EventKind.APPROVAL_WITHDRAWN: "撤回用印审批",
    EventKind.REPORT_EXPORTED: "导出",
}
_RESULTS = {
    Result.SUCCESS.value: "成功",
    Result.FAILURE.value: "失败",
    Result.REFUSED.value: "拒绝",
    Result.UNDECIDED.value: "未决",
}


def kind_in_words(kind: EventKind) -> str:
    """What happened, with its code: by this the log is queried. Kinds of the service's own life have the code alone."""
    return f"{_KINDS.get(kind, '')} {kind.value}".strip()


def result_in_words(result: str) -> str:
    """结果."""
    return _RESULTS.get(result, result)


def beijing_time(at: datetime | None) -> str:
    """A moment to the second in Beijing's time, as spreadsheets read it; a dash for none."""
    return "—" if at is None else local_time(at)
