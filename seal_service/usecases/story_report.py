"""溯源报告: a story as the pages of a report, in the words of the regulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from seal_service.domain.approval import ApprovalState, UseApproval
from seal_service.domain.grant import Grant
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Seal, SealState
from seal_service.domain.use import SealUse, UseState
from seal_service.ports.records import LogRow
from seal_service.ports.reporting import Facts, Report, ReportSection, ReportTable
from seal_service.usecases.log_words import beijing_time, kind_in_words, result_in_words
from seal_service.usecases.trace import Story, TracedSeal, TracedUse

TITLE = "电子印章溯源报告"
CLOSING = (
    "每条日志的叶子杂凑值为 SHA-256(0x00 ‖ 条目原始字节)（RFC 6962）。审计人员可凭条目编号取得原始字节重新计算；"
    "持有盖章文件的人可凭其中用印意向条目的叶子杂凑值取得包含证明，核对该条目确在公布的日志树中。本报告以本机构日志报告证书签名（PAdES），改动一个字节即验证失败；"
    "报告本身的签发亦记入日志（report.exported），可按本文件的 SHA-256 查询。"
)
_STARTS = {
    "document_sha256": "文件 SHA-256",
    "use_id": "用印编号",
    "entry_id": "日志条目编号",
    "index": "日志树序号",
    "seal_code": "印章编码",
    "grant_id": "授权编号",
    "approval_id": "用印审批编号",
}
_USE_STATES = {
    UseState.RESERVED: "进行中",
    UseState.COMPLETED: "已完成",
    UseState.FAILED: "失败",
    UseState.ABANDONED: "已中止",
}
_APPROVAL_STATES = {
    ApprovalState.REQUESTED: "待审批",
    ApprovalState.APPROVED: "同意",
    ApprovalState.REJECTED: "不同意",
    ApprovalState.WITHDRAWN: "已撤回",
}
_SEAL_STATES: Mapping[str, str] = {
    "made": "已制作",
    "active": "有效",
    "suspended": "挂失",
    "cancelled": "已注销",
    "expired": "已过期",
}


def report_of(story: Story, start: tuple[str, str], by: str, origin: str, at: datetime) -> Report:
    """The report of a story: what was traced, by whom and when, then each use with all that stands behind it."""
    kind, value = start
    facts = (
        ("溯源起点", f"{_STARTS[kind]} {value}"),
        ("日志", origin),
        ("日志条目数", str(story.upto_size)),
        ("涉及用印", f"{len(story.uses)} 次" + ("" if story.complete else "（未列全：超出单份报告所列的上限）")),
        ("出具人", by),
        ("出具时间（北京时间）", beijing_time(at)),
    )
    sections = [*(_asked(story.asked) if story.asked is not None else ())]
    for number, one in enumerate(story.uses, 1):
        sections += _of_use(number, one)
    if not story.uses:
        sections.append(ReportSection(title="用印", facts=(("结论", "日志中没有与此相关的用印"),)))
    if story.further_entries:
        sections.append(ReportSection(title="其他日志条目", table=_entries(story.further_entries)))
    return Report(title=TITLE, facts=facts, sections=tuple(sections), closing=CLOSING, at=at)


def _asked(asked: TracedSeal) -> list[ReportSection]:
    facts: Facts = _seal(asked.seal, asked.unit)
    if asked.grant is not None:
        facts += _grant(asked.grant)
    if asked.approval is not None:
        facts += _approval(asked.approval)
    return [
        ReportSection(title="溯源对象", facts=facts),
        ReportSection(title="印章状态变更", table=_history(asked.seal_history)),
    ]


def _of_use(number: int, one: TracedUse) -> list[ReportSection]:
    approval: Facts = (("用印审批", "该场景以其业务流程的审批代替"),)
    if one.approval is not None:
        approval = _approval(one.approval)
    return [
        ReportSection(
            title=f"用印 {number}",
            facts=(*_use(one.use), *_seal(one.seal, one.unit), *_grant(one.grant), *approval),
        ),
        ReportSection(title=f"用印 {number}：印章状态变更", table=_history(one.seal_history)),
        ReportSection(title=f"用印 {number}：授权与审批的日志条目", table=_entries(one.decisions)),
        ReportSection(title=f"用印 {number}：用印的日志条目", table=_entries(one.entries)),
    ]


def _use(use: SealUse) -> Facts:
    digests = (
        ("原文 SHA-256", use.document_sha256),
        ("修复后 SHA-256", use.repaired_sha256),
        ("盖章文件 SHA-256", use.sealed_sha256),
        ("失败原因", use.failure),
    )
    return (
        ("用印编号", use.id),
        ("状态", _USE_STATES.get(use.state, use.state.value)),
        ("用印场景", use.scenario),
        ("接入系统", use.account_id),
        ("开始时间", beijing_time(use.reserved_at)),
        ("结束时间", beijing_time(use.ended_at)),
        *((name, value) for name, value in digests if value is not None),
    )


def _seal(seal: Seal, unit: Unit) -> Facts:
    return (
        ("印章", f"{seal.name}（{seal.code}）"),
        ("使用单位", f"{unit.name}（{unit.credit_code}）"),
        ("印章有效期", f"{beijing_time(seal.not_before)} 至 {beijing_time(seal.not_after)}"),
    )


def _grant(grant: Grant) -> Facts:
    uses = "不限次数" if grant.maximum_uses is None else f"至多 {grant.maximum_uses} 次"
    return (
        ("授权编号", grant.id),
        ("授权期限", f"{beijing_time(grant.valid_from)} 至 {beijing_time(grant.valid_until)}，{uses}"),
        ("责任人", grant.responsible_person),
        ("授权审批文号", grant.approval_number),
        *((("授权撤销时间", beijing_time(grant.revoked_at)),) if grant.revoked_at is not None else ()),
    )


def _approval(approval: UseApproval) -> Facts:
    return (
        ("用印审批", f"{approval.number}（{approval.id}）"),
        ("用印事由", approval.title),
        ("审批结论", _APPROVAL_STATES.get(approval.state, approval.state.value)),
        ("申请", f"{approval.requested_by}，{beijing_time(approval.requested_at)}"),
        (
            "审批",
            f"{approval.decided_by}，{beijing_time(approval.decided_at)}" if approval.decided_by is not None else "—",
        ),
    )


def _history(changes: Sequence[StatusChange]) -> ReportTable:
    rows = tuple((beijing_time(one.at), _state(one.state)) for one in changes)
    return ReportTable(columns=(("北京时间", 40), ("状态", 60)), rows=rows)


def _entries(rows: Sequence[LogRow]) -> ReportTable:
    return ReportTable(
        columns=(("北京时间", 17), ("类别", 17), ("结果", 7), ("条目编号", 24), ("叶子杂凑值", 35)),
        rows=tuple(
            (
                beijing_time(row.at),
                kind_in_words(row.kind),
                result_in_words(row.result),
                row.entry_id,
                row.leaf_hash.hex(),
            )
            for row in rows
        ),
    )


def _state(state: SealState) -> str:
    return _SEAL_STATES.get(state.value, state.value)
