"""seal approvals: 用印审批 (article 22)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import read_document
from seal_service.cli.options import (
    FIRST_PAGE,
    AsJson,
    Cursor,
    Limit,
    SealCodeOption,
    Yes,
    example,
    moment,
    noun,
    unless_confirmed,
)
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.approval import ApprovalState, UseDecision
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.approve_use import DecideApproval, RequestApproval, WithdrawApproval
from seal_service.usecases.read_approvals import ApprovalDetail, ListApprovals
from seal_service.usecases.read_registers import ReadById

app = noun("用印审批: uses are asked for and decided before the seal is applied.")

ApprovalId = Annotated[str, typer.Argument(metavar="ID", help="The approval's id.")]


@app.command(
    epilog=example(
        "seal approvals request notice.pdf --seal 99990000000001 --scenario notice.issue \\",
        "    --title 关于样例事项的通知",
    )
)
def request(
    seal: SealCodeOption,
    scenario: Annotated[str, typer.Option(help="用印场景 of the grant.")],
    title: Annotated[str, typer.Option(help="用印事由: what is to be sealed, for whoever decides.")],
    documents: Annotated[list[Path] | None, typer.Argument(metavar="[IN]...", help="The documents.")] = None,
    digest: Annotated[
        list[str] | None, typer.Option(metavar="SHA256", help="Of a document that is not at hand, repeatable.")
    ] = None,
    number: Annotated[str | None, typer.Option(help="用章审批编号; default: the approval's id.")] = None,
    as_json: AsJson = False,
) -> None:
    """用印申请, for one document or for each of a list, by whoever will apply the seal."""
    with session() as at:
        digests = [_sha256(one, at.service.document_bytes) for one in documents or ()] + list(digest or ())
        command = RequestApproval(seal_code=seal, scenario=scenario, title=title, digests=tuple(digests), number=number)
        approval = at.service.permitting.request_approval(at.caller, command)
    print_fields(representation.approval(approval), as_json=as_json)


@app.command(epilog=example("seal approvals decide ID approve --until 2026-03-08T00:00:00Z"))
def decide(
    approval_id: ApprovalId,
    decision: Annotated[UseDecision, typer.Argument(help="审批结论, on all documents of the request.")],
    reason: Annotated[str | None, typer.Option(help="Needed to reject.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Default: a week.")] = None,
    as_json: AsJson = False,
) -> None:
    """用印审批, by an administrator of the seal's unit who did not ask for it."""
    command = DecideApproval(
        approval_id=approval_id, decision=decision, reason=reason, valid_until=moment(until, "until")
    )
    with session() as at:
        approval = at.service.permitting.decide_approval(at.caller, command)
    print_fields(representation.approval(approval), as_json=as_json)


@app.command("list", epilog=example("seal approvals list --state requested"))
def list_(
    seal: Annotated[str | None, typer.Option("--seal", metavar="CODE", help="Only of this seal.")] = None,
    state: Annotated[ApprovalState | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """用印审批列表, newest first."""
    command = ListApprovals(seal_code=seal, state=state, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        page = at.service.permitting.list_approvals(at.caller, command)
    columns = ("id", "seal_code", "scenario", "title", "documents", "state", "valid_until")
    print_page(page, representation.approval, columns, as_json=as_json)


@app.command(epilog=example("seal approvals show ID"))
def show(approval_id: ApprovalId, as_json: AsJson = False) -> None:
    """One approval with the documents that it covers."""
    with session() as at:
        detail = at.service.permitting.read_approval(at.caller, ReadById(id=approval_id))
    print_fields(_detail(detail), as_json=as_json)


@app.command(epilog=example("seal approvals withdraw ID --reason 文件有误 --yes"))
def withdraw(
    approval_id: ApprovalId,
    reason: Annotated[str, typer.Option(help="Why; it is logged.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """撤回: what is not sealed yet can no longer be; uses under way do not survive it."""
    with session() as at:
        approval = at.service.permitting.read_approval(at.caller, ReadById(id=approval_id)).approval
        unless_confirmed(yes, f"withdraw the approval {approval.number} of {approval.documents} documents")
        command = WithdrawApproval(approval_id=approval_id, reason=reason)
        approval = at.service.permitting.withdraw_approval(at.caller, command)
    print_fields(representation.approval(approval), as_json=as_json)


def _detail(detail: ApprovalDetail) -> representation.Plain:
    covered = [{"sha256": one.sha256, "use_id": one.use_id} for one in detail.documents]
    return {**representation.approval(detail.approval), "covered": covered}


def _sha256(path: Path, most: int) -> str:
    return hashlib.sha256(read_document(path, most).content).hexdigest()
