"""附录A 日志备案字段: the one place where our facts get the province's field names, formats and codes.

This is NOT the official annex 《…统一电子印章系统接口规范》附录A, which is not public: names and formats follow what
national and vendor interfaces use, so that the annex, once at hand, is put in here and nowhere else.
Entries written before keep the names under which they were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from seal_service.domain.errors import InvalidInput
from seal_service.domain.events import Event, EventKind, Result, Scalar
from seal_service.domain.local_time import local_time

LONGEST_REASON = 255

LOG_TYPES: dict[EventKind, str] = {
    EventKind.SEAL_MADE: "1",  # 制章
    EventKind.SEAL_INTENT: "2",  # 签章
    EventKind.SEAL_COMPLETED: "2",
    EventKind.SEAL_FAILED: "2",
    EventKind.SEAL_DENIED: "2",
    EventKind.SEAL_ABANDONED: "2",
    # 3 撤章: taking a seal off a document is not offered
    EventKind.DOCUMENT_VERIFIED: "4",  # 验章
    EventKind.SEAL_SUSPENDED: "5",  # 挂失
    EventKind.SEAL_CANCELLED: "6",  # 注销
    EventKind.SEAL_RENEWED: "7",  # 续期
}
"""logType; acts for which there is no code have none."""

RESULTS: dict[Result, str] = {Result.SUCCESS: "0", Result.FAILURE: "1", Result.REFUSED: "1"}
"""结果; what is not decided has none."""

PERSONAL_FIELDS: dict[str, str] = {
    "operator_id": "operatorId",  # 签章人标识
    "operator_name": "operatorName",  # 签章人姓名
    "operator_department": "operatorDept",  # 签章处室
    "document_name": "docName",  # 文件名称
    "case_number": "bizNo",  # 办件号
    "client_address": "clientIp",
}
"""Fields that are personal: in an entry only as commitments, under our names; filed under these."""


def _text(longest: int) -> Callable[[Scalar], str]:
    def convert(value: Scalar) -> str:
        if not isinstance(value, str) or len(value) > longest:
            raise ValueError(f"text of at most {longest} characters")
        return value

    return convert


def _matching(pattern: str, meaning: str) -> Callable[[Scalar], str]:
    compiled = re.compile(pattern)

    def convert(value: Scalar) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(meaning)
        return value

    return convert


_position = _matching(r"[0-9]{1,7}(,-?[0-9]{1,9}){4}", "page,x,y,w,h as integers, lengths in µm")


def _positions(value: Scalar) -> list[str]:
    return [_position(one) for one in (value if isinstance(value, tuple) else (value,))]


_digest = _matching(r"[0-9a-f]{64}", "64 lower-case hexadecimal characters")

FIELDS: dict[str, tuple[str, Callable[[Scalar], str | list[str]]]] = {
    "seal_name": ("sealName", _text(150)),  # 印章名称
    "seal_type": ("sealType", _matching(r"[0-9]{2}", "two digits")),  # 印章类型
    "unit_credit_code": ("useUnitCode", _matching(r"[0-9A-Z]{18}", "18 characters of GB 32100")),  # 统一社会信用代码
    "unit_name": ("useUnitName", _text(150)),  # 单位名称
    "area_code": ("sealZone", _matching(r"[0-9]{6}", "six digits of GB/T 2260")),  # 所属区域
    "certificate_serial": ("certSn", _matching(r"[0-9a-f]{1,40}", "hexadecimal, at most 40 characters")),  # 证书序列号
    "system_name": ("appName", _text(150)),  # 应用系统名称
    "approval_number": ("approvalId", _text(64)),  # 用章审批编号
    "document_sm3": ("docHash", _digest),  # 原文杂凑值
    "sealed_sm3": ("signedDocHash", _digest),  # 签后文件杂凑值
    "document_format": ("docFormat", _matching(r"PDF|OFD", "PDF or OFD")),  # 文件格式
    "signature_algorithm": ("signAlg", _matching(r"[0-9]+(\.[0-9]+)+", "a dotted object identifier")),  # 签名算法
    "signature_value": ("signValue", _matching(r"[A-Za-z0-9+/]{1,4096}={0,2}", "base64")),  # 签名值
    "position": ("positions", _positions),  # 签章位置
    "medium_type": ("mediumType", _matching(r"01|02", "01 (云) or 02 (UKey)")),  # 介质类型
}
"""Our fact → its name there, and its format."""


def record(event: Event, entry_id: str, at: datetime) -> dict[str, str | list[str]]:
    """The Appendix-A record of an event: only the fields that it has; InvalidInput for one in a wrong format."""
    facts = {name: value for name, value in event.facts.items() if name in FIELDS and value is not None}
    if event.account_name is not None:
        facts.setdefault("system_name", event.account_name)
    found: dict[str, str | list[str] | None] = {
        "logId": entry_id.replace("-", ""),
        "logType": LOG_TYPES.get(event.kind),
        "sealCode": event.seal_code,
        "appId": event.account_id,
        "sceneCode": event.scenario,
        "signTime": local_time(at),
        "result": RESULTS.get(event.result),
        "reason": _shortened(event.reason),
    }
    for name, value in facts.items():
        field, convert = FIELDS[name]
        try:
            found[field] = convert(value)
        except ValueError as error:
            raise InvalidInput(f"{name} is not {error}", field=name) from error
    return {field: value for field, value in found.items() if value is not None}


def _shortened(reason: str | None) -> str | None:
    """Free text from callers, whole or cut to the field's length, without what UTF-8 cannot hold."""
    if reason is None:
        return None
    text = reason.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
