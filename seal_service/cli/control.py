"""seal control: 双人控制, acts that take two people."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.control_act import DecideControlledAct
from seal_service.usecases.read_controlled_acts import ListControlledActs
from seal_service.usecases.read_registers import ReadById

app = noun("双人控制: acts that wait for a second person: roles, trust anchors, the authority's keys.")

RequestId = Annotated[str, typer.Argument(metavar="ID", help="The request's id.")]


@app.command("list", epilog=example("seal control list", "seal control list --json"))
def list_(limit: Limit = FIRST_PAGE, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """请求列表, newest first."""
    with session() as at:
        now = at.service.clock.now()
        page = at.service.list_controlled_acts(
            at.caller, ListControlledActs(page=PageRequest(limit=limit, cursor=cursor))
        )
    columns = ("id", "act", "state", "requested_by", "requested_at", "decided_by")
    print_page(page, lambda one: representation.controlled_request(one, now), columns, as_json=as_json)


@app.command(epilog=example("seal control show ID"))
def show(request_id: RequestId, as_json: AsJson = False) -> None:
    """One request, with what would be done to the last word."""
    with session() as at:
        found = at.service.read_controlled_act(at.caller, ReadById(id=request_id))
        print_fields(representation.controlled_request(found, at.service.clock.now()), as_json=as_json)


@app.command(epilog=example("seal control confirm ID", "seal control confirm ID --yes"))
def confirm(request_id: RequestId, yes: Yes = False, as_json: AsJson = False) -> None:
    """确认: it is done at once, as it was asked for. By a security administrator who did not ask for it."""
    with session() as at:
        found = at.service.read_controlled_act(at.caller, ReadById(id=request_id))
        unless_confirmed(yes, f"confirm {found.act.value}, asked for by {found.requested_by}: {found.command}")
        decided = at.service.decide_controlled_act(
            at.caller, DecideControlledAct(request_id=request_id, confirmed=True)
        )
        print_fields(representation.controlled_request(decided.request, at.service.clock.now()), as_json=as_json)


@app.command(epilog=example("seal control reject ID --reason 未经批准"))
def reject(
    request_id: RequestId,
    reason: Annotated[str, typer.Option(help="Why it is not to be done.")],
    as_json: AsJson = False,
) -> None:
    """驳回: it is not done."""
    with session() as at:
        decision = DecideControlledAct(request_id=request_id, confirmed=False, reason=reason)
        decided = at.service.decide_controlled_act(at.caller, decision)
        print_fields(representation.controlled_request(decided.request, at.service.clock.now()), as_json=as_json)
