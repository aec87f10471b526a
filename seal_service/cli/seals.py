"""seal seals: 电子印章, from making to cancellation (articles 14–16, 23, 24)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import life
from seal_service.cli.certificates import print_what_to_ask
from seal_service.cli.files import waiting_file
from seal_service.cli.import_seal import EXAMPLE as IMPORT_EXAMPLE
from seal_service.cli.import_seal import import_seal
from seal_service.cli.options import (
    FIRST_PAGE,
    AsJson,
    Cursor,
    Limit,
    SealCodeArgument,
    Yes,
    example,
    noun,
    unless_confirmed,
)
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import instance, session
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.algorithms import Suite
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import Seal, SealState
from seal_service.formats import representation
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.look_up_seal import LookUpSeal, PublicStatus
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.read_registers import ListSeals, ReadById
from seal_service.usecases.renew_seal import RenewSeal

app = noun("电子印章: seals, from making to cancellation.")
app.command("import", epilog=IMPORT_EXAMPLE)(import_seal)
life.add_commands(app)

SuiteOption = Annotated[Suite | None, typer.Option("--suite", help="算法套件; default: the instance's.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is logged and kept.")]


def _print(seal: Seal, now: datetime, as_json: bool) -> None:
    print_fields(representation.seal(seal, now), as_json=as_json)


@app.command(epilog=example("seal seals make APPLICATION_ID"))
def make(
    application_id: Annotated[str, typer.Argument(metavar="APPLICATION_ID", help="An approved application.")],
    suite: SuiteOption = None,
    code: Annotated[str | None, typer.Option(metavar="CODE", help="A code that the province issued.")] = None,
    as_json: AsJson = False,
) -> None:
    """制章, by the making office: key, certificate, code."""
    command = MakeSeal(application_id=application_id, suite=suite, seal_code=code)
    with session() as at:
        _print(at.service.make_seal(at.caller, command), at.service.clock.now(), as_json)


@app.command("list", epilog=example("seal seals list --state active --expiring-within 90"))
def list_(
    state: Annotated[SealState | None, typer.Option(help="Only in this state; expiry counts.")] = None,
    unit: Annotated[str | None, typer.Option(metavar="ID", help="Only of this unit.")] = None,
    expiring_within: Annotated[
        int | None, typer.Option(min=0, metavar="DAYS", help="Only those that end soon.")
    ] = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """印章列表, newest first."""
    page_request = PageRequest(limit=limit, cursor=cursor)
    command = ListSeals(state=state, unit_id=unit, expiring_within_days=expiring_within, page=page_request)
    with session() as at:
        page = at.service.list_seals(at.caller, command)
        now = at.service.clock.now()
    columns = ("code", "name", "seal_type", "state", "valid_until", "unit_id")
    print_page(page, lambda seal: representation.seal(seal, now), columns, as_json=as_json)


@app.command(
    epilog=example("seal seals show 99990000000001", "seal seals show 99990000000001 --impression picture.png")
)
def show(
    code: SealCodeArgument,
    impression: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the 印模 there as PNG.")] = None,
    as_json: AsJson = False,
) -> None:
    """One seal."""
    with session() as at:
        seal = at.service.read_seal(at.caller, ReadById(id=code))
        if impression is not None:
            with waiting_file(impression) as file:
                file.write(at.service.read_impression(at.caller, ReadById(id=code)))
        _print(seal, at.service.clock.now(), as_json)


@app.command(epilog=example("seal seals renew 99990000000001"))
def renew(code: SealCodeArgument, suite: SuiteOption = None, as_json: AsJson = False) -> None:
    """续期, within the 90 days before expiry (article 16)."""
    with session() as at:
        seal = at.service.renew_seal(at.caller, RenewSeal(seal_code=code, suite=suite))
        _print(seal, at.service.clock.now(), as_json)


@app.command("report-loss", epilog=example("seal seals report-loss 99990000000001 --reason 口令疑似泄露"))
def report_loss(code: SealCodeArgument, reason: Reason, as_json: AsJson = False) -> None:
    """挂失: the seal is suspended at once (article 24)."""
    with session() as at:
        seal = at.service.report_loss(at.caller, ReportLoss(seal_code=code, reason=reason)).seal
        _print(seal, at.service.clock.now(), as_json)
        print_what_to_ask(at, code)


@app.command(epilog=example("seal seals resume 99990000000001 --reason 核实未泄露"))
def resume(code: SealCodeArgument, reason: Reason, as_json: AsJson = False) -> None:
    """恢复 of a suspended seal, by the making office."""
    with session() as at:
        seal = at.service.resume_seal(at.caller, ResumeSeal(seal_code=code, reason=reason))
        _print(seal, at.service.clock.now(), as_json)


@app.command(
    epilog=example("seal seals cancel 99990000000001 --reason 机构合并 --document-number 示政发〔2026〕1号 --yes")
)
def cancel(
    code: SealCodeArgument,
    reason: Reason,
    document_number: Annotated[str, typer.Option(help="文号 of the order (article 23).")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """注销, for good (article 23)."""
    command = CancelSeal(seal_code=code, reason=reason, document_number=document_number)
    with session() as at:
        seal = at.service.read_seal(at.caller, ReadById(id=code))
        unless_confirmed(yes, f"cancel the seal {code} {seal.name} for good and revoke its certificates")
        _print(at.service.cancel_seal(at.caller, command), at.service.clock.now(), as_json)
        print_what_to_ask(at, code)


@app.command(epilog=example("seal seals lookup 99990000000001 --name 示例市政务服务管理办公室"))
def lookup(
    code: SealCodeArgument,
    name: Annotated[str, typer.Option(help="印章名称, as it stands on the document.")],
    as_json: AsJson = False,
) -> None:
    """状态公示: what anyone may know of a seal by its code and name. No login."""
    with instance() as service:
        print_fields(_status(service.look_up_seal(PUBLIC_CALLER, LookUpSeal(code=code, name=name))), as_json=as_json)


def _status(one: PublicStatus) -> representation.Plain:
    return {
        "code": one.code,
        "name": one.name,
        "holder": one.holder,
        "state": one.state.value,
        "since": representation.time(one.since),
        "valid_from": representation.time(one.valid_from),
        "valid_until": representation.time(one.valid_until),
        "invalid_from": representation.time_or_none(one.invalid_from),
        "asked_at": representation.time(one.asked_at),
    }
