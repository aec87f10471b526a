"""seal scenarios: 用印场景 (articles 20–22)."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.paging import PageRequest
from seal_service.domain.scenario import ScenarioKind
from seal_service.formats import representation
from seal_service.usecases.manage_scenarios import ChangeScenario, ListScenarios, ReadScenario, RegisterScenario

app = noun("用印场景: what seals are applied for, and which of it needs an approval each time.")

Code = Annotated[str, typer.Argument(metavar="SCENARIO", help="场景编码: 1 to 32 of a-z 0-9 . _ -")]
WaivedFor = Annotated[
    str | None,
    typer.Option(metavar="PROCESS", help="The named process whose approval stands in the place of ours."),
]
WaiverNumber = Annotated[str | None, typer.Option(help="文号 of the decision that sets our approval aside.")]


@app.command(
    epilog=example(
        "seal scenarios register permit.approval --name 行政许可 \\",
        "    --waived-for 政务服务平台审批流程 --waiver-number 示政办〔2026〕3号",
    )
)
def register(
    code: Code,
    name: Annotated[str, typer.Option(help="场景名称.")],
    kind: Annotated[ScenarioKind, typer.Option(help="审批类 or 证明类 (article 21).")] = ScenarioKind.APPROVAL,
    waived_for: WaivedFor = None,
    waiver_number: WaiverNumber = None,
    as_json: AsJson = False,
) -> None:
    """用印场景登记, by the making office. Without --waived-for each use needs an approval (article 22)."""
    command = RegisterScenario(code=code, kind=kind, name=name, waived_for=waived_for, waiver_number=waiver_number)
    with session() as at:
        made = at.service.permitting.register_scenario(at.caller, command)
    print_fields(representation.scenario(made), as_json=as_json)


@app.command(epilog=example("seal scenarios change permit.approval --require-approval --reason 流程停用 --yes"))
def change(
    code: Code,
    reason: Annotated[str, typer.Option(help="Why; it is logged.")],
    name: Annotated[str | None, typer.Option(help="场景名称.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether it is used.")] = None,
    waived_for: WaivedFor = None,
    waiver_number: WaiverNumber = None,
    require_approval: Annotated[
        bool, typer.Option("--require-approval", help="End a waiver: each use needs an approval.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """用印场景变更, for uses that begin after it. Code and kind stay."""
    command = ChangeScenario(
        code=code,
        reason=reason,
        name=name,
        active=active,
        waived_for=waived_for,
        waiver_number=waiver_number,
        approval_required=require_approval,
    )
    with session() as at:
        known = at.service.permitting.read_scenario(at.caller, ReadScenario(code=code))
        unless_confirmed(yes, f"change the scenario {known.code} for all seals")
        changed = at.service.permitting.change_scenario(at.caller, command)
    print_fields(representation.scenario(changed), as_json=as_json)


@app.command("list", epilog=example("seal scenarios list"))
def list_(limit: Limit = FIRST_PAGE, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """用印场景列表, by code."""
    with session() as at:
        page = at.service.permitting.list_scenarios(
            at.caller, ListScenarios(page=PageRequest(limit=limit, cursor=cursor))
        )
    columns = ("code", "kind", "name", "active", "waived_for")
    print_page(page, representation.scenario, columns, as_json=as_json)


@app.command(epilog=example("seal scenarios show permit.approval"))
def show(code: Code, as_json: AsJson = False) -> None:
    """One scenario."""
    with session() as at:
        found = at.service.permitting.read_scenario(at.caller, ReadScenario(code=code))
    print_fields(representation.scenario(found), as_json=as_json)
