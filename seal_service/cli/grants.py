"""seal grants: 用印授权 (articles 20, 21)."""

from __future__ import annotations

from typing import Annotated

import typer

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
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.grant_use import GrantUse, RevokeGrant
from seal_service.usecases.read_registers import ListGrants, ReadById

app = noun("用印授权: which system or person may apply which seal, for what.")

GrantId = Annotated[str, typer.Argument(metavar="ID", help="The grant's id.")]


@app.command(
    epilog=example(
        "seal grants make --seal 99990000000001 --to ACCOUNT_ID --scenario permit.approval \\",
        "    --responsible 张三 --approval-number 示政办授〔2026〕1号 --maximum-uses 100",
    )
)
def make(
    seal: SealCodeOption,
    to: Annotated[str, typer.Option("--to", metavar="ACCOUNT_ID", help="The system, or the unit's person.")],
    scenario: Annotated[str, typer.Option(help="用印场景, as registered.")],
    responsible: Annotated[str, typer.Option(help="责任人 of the unit.")],
    approval_number: Annotated[str, typer.Option(help="审批文号 of the unit's decision.")],
    valid_from: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Default: now.")] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Default: as long as the seal's certificate.")
    ] = None,
    maximum_uses: Annotated[int | None, typer.Option(help="Default: not counted.")] = None,
    media_type: Annotated[list[str] | None, typer.Option(help="文件类型, repeatable; default: any.")] = None,
    most_pages: Annotated[int | None, typer.Option(help="Of a document; default: the instance's limit.")] = None,
    digest: Annotated[
        list[str] | None, typer.Option(metavar="SHA256", help="Of the only documents, repeatable; default: any.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """用印授权, by the seal's own unit."""
    command = GrantUse(
        seal_code=seal,
        grantee_id=to,
        scenario=scenario,
        responsible_person=responsible,
        approval_number=approval_number,
        valid_from=moment(valid_from, "from"),
        valid_until=moment(valid_until, "until"),
        maximum_uses=maximum_uses,
        media_types=tuple(media_type or ()),
        most_pages=most_pages,
        digests=tuple(digest or ()),
    )
    with session() as at:
        grant = at.service.grant_use(at.caller, command)
    print_fields(representation.grant(grant), as_json=as_json)


@app.command("list", epilog=example("seal grants list --seal 99990000000001"))
def list_(
    seal: Annotated[str | None, typer.Option("--seal", metavar="CODE", help="Only of this seal.")] = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """授权列表, newest first."""
    command = ListGrants(seal_code=seal, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        page = at.service.list_grants(at.caller, command)
    columns = ("id", "seal_code", "grantee_id", "scenario", "valid_until", "maximum_uses", "revoked_at")
    print_page(page, representation.grant, columns, as_json=as_json)


@app.command(epilog=example("seal grants show ID"))
def show(grant_id: GrantId, as_json: AsJson = False) -> None:
    """One grant."""
    with session() as at:
        grant = at.service.read_grant(at.caller, ReadById(id=grant_id))
    print_fields(representation.grant(grant), as_json=as_json)


@app.command(epilog=example("seal grants revoke ID --reason 场景结束 --yes"))
def revoke(
    grant_id: GrantId,
    reason: Annotated[str, typer.Option(help="Why; it is logged.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """撤销授权: uses under way do not survive it."""
    with session() as at:
        grant = at.service.read_grant(at.caller, ReadById(id=grant_id))
        unless_confirmed(yes, f"revoke the grant of {grant.seal_code} for {grant.scenario.code}")
        grant = at.service.revoke_grant(at.caller, RevokeGrant(grant_id=grant_id, reason=reason))
    print_fields(representation.grant(grant), as_json=as_json)
