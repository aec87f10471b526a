"""seal filing: 备案, what is sent to the provincial registry (articles 8, 22)."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, example, noun
from seal_service.cli.output import print_fields, print_page, working
from seal_service.cli.session import session
from seal_service.domain.filing import FilingState
from seal_service.domain.paging import PageRequest
from seal_service.formats import filing_representation as forms
from seal_service.usecases.make_filing_key import MakeFilingKey
from seal_service.usecases.read_filings import ListFilings, ReadFilingState
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.reconcile_filings import ReconcileFilings
from seal_service.usecases.relay_filings import RelayFilings
from seal_service.usecases.retry_filing import RetryFiling

app = noun("备案: what is sent to the provincial registry, and what waits for it.")

FilingId = Annotated[str, typer.Argument(metavar="ID", help="The filing's id: a log entry's and the task.")]


@app.command(epilog=example("seal filing status"))
def status(as_json: AsJson = False) -> None:
    """备案情况: how much waits, and since when."""
    with session() as at:
        found = at.service.filing.read_state(at.caller, ReadFilingState())
    print_fields(forms.condition(found.registry, found.area_code, found.backlog), as_json=as_json)


@app.command("list", epilog=example("seal filing list --state refused"))
def list_(
    state: Annotated[FilingState | None, typer.Option(help="Only in this state.")] = None,
    seal: Annotated[str | None, typer.Option("--seal", metavar="CODE", help="Only of this seal.")] = None,
    area: Annotated[str | None, typer.Option(metavar="CODE", help="行政区划: only of its seals.")] = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """备案列表, newest first; a unit sees its own area's."""
    page = PageRequest(limit=limit, cursor=cursor)
    command = ListFilings(state=state, seal_code=seal, area_code=area, page=page)
    with session() as at:
        found = at.service.filing.list_all(at.caller, command)
    columns = ("id", "task", "seal_code", "state", "attempts", "due_at", "failure")
    print_page(found, forms.filing, columns, as_json=as_json)


@app.command(epilog=example("seal filing show 019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50-207"))
def show(filing_id: FilingId, as_json: AsJson = False) -> None:
    """One filing, with the province's receipt or why it did not get through."""
    with session() as at:
        found = at.service.filing.read(at.caller, ReadById(id=filing_id))
    print_fields(forms.filing(found), as_json=as_json)


@app.command(epilog=example("seal filing retry 019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50-207"))
def retry(filing_id: FilingId, as_json: AsJson = False) -> None:
    """备案重报: let it be tried at once; what waits before it goes first."""
    with session() as at:
        found = at.service.filing.retry(at.caller, RetryFiling(filing_id=filing_id))
    print_fields(forms.filing(found), as_json=as_json)


@app.command(epilog=example("seal filing send"))
def send(as_json: AsJson = False) -> None:
    """备案上报 now, for some seconds. `seal serve` does it itself."""
    with session() as at, working("备案上报 filing …"):
        done = at.service.filing.relay(at.caller, RelayFilings())
    told = {"acknowledged": done.acknowledged, "refused": done.refused, "unreached": done.unreached}
    print_fields(told, as_json=as_json)
    if done.refused or done.unreached:
        raise typer.Exit(1)


@app.command(epilog=example("seal filing report"))
def report(as_json: AsJson = False) -> None:
    """备案对账 now: compare with the log and with what the province shows; logged. `seal serve` does it every day."""
    with session() as at, working("备案对账 comparing …"):
        found = at.service.filing.reconcile(at.caller, ReconcileFilings())
    if found is None:
        return
    print_fields(forms.report(found), as_json=as_json)
    if not found.well:
        raise typer.Exit(1)


@app.command(epilog=example("seal filing key"))
def key(as_json: AsJson = False) -> None:
    """上报密钥: make the key that signs filings if there is none; its public half is for the province."""
    with session() as at:
        found = at.service.filing.make_key(at.caller, MakeFilingKey())
    fields = forms.public_key(found.suite, found.public_key_info)
    if as_json:
        print_fields({**fields, "made": found.made}, as_json=True)
    else:
        print(fields["public_key"])
