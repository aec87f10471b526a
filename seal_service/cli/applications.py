"""seal applications: 印章申请 and its decision (articles 12–14)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import read_small
from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, example, noun
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.application import ApplicationState, Decision
from seal_service.domain.impression import SEAL_TYPE_NAMES, SealType
from seal_service.domain.organization import UnitType
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.read_registers import ListApplications, ReadById

app = noun("印章申请: applications for seals.")

ApplicationId = Annotated[str, typer.Argument(metavar="ID", help="The application's id.")]
UnitName = Annotated[str, typer.Option("--unit-name", help="单位名称, as registered.")]
UnitTypeOption = Annotated[UnitType, typer.Option("--unit-type", help="单位类型, as registered.")]
CreditCode = Annotated[str, typer.Option("--credit-code", help="统一社会信用代码.")]
SealName = Annotated[str, typer.Option("--seal-name", help="印章全名.")]
SealTypeOption = Annotated[
    SealType,
    typer.Option("--seal-type", help=" ".join(f"{one.value} {name}" for one, name in SEAL_TYPE_NAMES.items())),
]
Picture = Annotated[Path, typer.Option("--picture", help="实物印模: PNG or JPEG of at least 300 dpi.")]
Width = Annotated[float | None, typer.Option("--width", metavar="MM", help="Width of the inked part.")]
Height = Annotated[float | None, typer.Option("--height", metavar="MM", help="Height of the inked part.")]
Replaces = Annotated[str | None, typer.Option("--replaces", metavar="CODE", help="The lost or cancelled seal.")]

_MATERIALS = "--unit-name 示例市政务服务管理办公室 --unit-type department --credit-code CREDIT_CODE"
_SEAL = "--seal-name 示例市政务服务管理办公室 --seal-type 01 --picture impression.png"


@app.command(epilog=example(f"seal applications submit {_MATERIALS} \\", f"    {_SEAL}"))
def submit(
    unit_name: UnitName,
    unit_type: UnitTypeOption,
    credit_code: CreditCode,
    seal_name: SealName,
    seal_type: SealTypeOption,
    picture: Picture,
    width: Width = None,
    height: Height = None,
    replaces: Replaces = None,
    as_json: AsJson = False,
) -> None:
    """印章申请, through the unit's channel organization."""
    _submit(
        SubmitApplication(
            unit_name=unit_name,
            unit_type=unit_type,
            credit_code=credit_code,
            seal_name=seal_name,
            seal_type=seal_type,
            picture=read_small(picture),
            width_mm=width,
            height_mm=height,
            replaces_seal_code=replaces,
        ),
        as_json,
    )


@app.command(epilog=example(f"seal applications revise ID {_MATERIALS} \\", f"    {_SEAL}"))
def revise(
    application_id: ApplicationId,
    unit_name: UnitName,
    unit_type: UnitTypeOption,
    credit_code: CreditCode,
    seal_name: SealName,
    seal_type: SealTypeOption,
    picture: Picture,
    width: Width = None,
    height: Height = None,
    replaces: Replaces = None,
    as_json: AsJson = False,
) -> None:
    """Submit a returned application again, with all its materials."""
    _submit(
        SubmitApplication(
            application_id=application_id,
            unit_name=unit_name,
            unit_type=unit_type,
            credit_code=credit_code,
            seal_name=seal_name,
            seal_type=seal_type,
            picture=read_small(picture),
            width_mm=width,
            height_mm=height,
            replaces_seal_code=replaces,
        ),
        as_json,
    )


def _submit(command: SubmitApplication, as_json: bool) -> None:
    with session() as at:
        application = at.service.apply_for_seal(at.caller, command)
    print_fields(representation.application(application), as_json=as_json)


@app.command("list", epilog=example("seal applications list --state applied"))
def list_(
    state: Annotated[ApplicationState | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """申请列表, newest first."""
    command = ListApplications(state=state, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        page = at.service.list_applications(at.caller, command)
    columns = ("id", "seal_name", "seal_type", "state", "applied_at", "seal_code")
    print_page(page, representation.application, columns, as_json=as_json)


@app.command(epilog=example("seal applications show ID"))
def show(application_id: ApplicationId, as_json: AsJson = False) -> None:
    """One application."""
    with session() as at:
        application = at.service.read_application(at.caller, ReadById(id=application_id))
    print_fields(representation.application(application), as_json=as_json)


@app.command(epilog=example("seal applications decide ID return --reason 印模不清晰"))
def decide(
    application_id: ApplicationId,
    decision: Annotated[Decision, typer.Argument(help="审批结论.")],
    reason: Annotated[str | None, typer.Option(help="Needed to reject or return.")] = None,
    as_json: AsJson = False,
) -> None:
    """审批, by someone other than the applicant."""
    command = DecideApplication(application_id=application_id, decision=decision, reason=reason)
    with session() as at:
        application = at.service.decide_application(at.caller, command)
    print_fields(representation.application(application), as_json=as_json)
