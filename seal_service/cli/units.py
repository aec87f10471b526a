"""seal units: 单位 (articles 12, 13)."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli import people
from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, example, noun
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.organization import UnitType
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.read_registers import ListUnits, ReadById
from seal_service.usecases.register_unit import RegisterUnit
from seal_service.usecases.rename_unit import RenameUnit

app = noun("单位: the organizations that hold seals.")
app.add_typer(people.app, name="people")


@app.command(
    epilog=example(
        "seal units register --name 示例市政务服务管理办公室 --type department \\",
        "    --credit-code 11999900MB1A00001K --area 999900",
    )
)
def register(
    name: Annotated[str, typer.Option(help="单位名称.")],
    unit_type: Annotated[UnitType, typer.Option("--type", help="单位类型.")],
    credit_code: Annotated[str, typer.Option(help="统一社会信用代码: 18 characters.")],
    area: Annotated[str, typer.Option(help="行政区划代码 (GB/T 2260): six digits.")],
    channel: Annotated[
        str | None, typer.Option(metavar="ID", help="扎口单位 through which it applies; none: for itself.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """单位登记, by the making office."""
    command = RegisterUnit(
        name=name, unit_type=unit_type, credit_code=credit_code, area_code=area, channel_unit_id=channel
    )
    with session() as at:
        unit = at.service.register_unit(at.caller, command)
    print_fields(representation.unit(unit), as_json=as_json)


@app.command("list", epilog=example("seal units list --area 999900"))
def list_(
    area: Annotated[str | None, typer.Option(help="Only of this 行政区划代码.")] = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """单位列表, newest first."""
    command = ListUnits(area_code=area, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        page = at.service.list_units(at.caller, command)
    print_page(page, representation.unit, ("id", "name", "credit_code", "area_code"), as_json=as_json)


@app.command(epilog=example("seal units rename ID --name 示例市数据局 --document-number 示政发〔2026〕6号"))
def rename(
    unit_id: Annotated[str, typer.Argument(metavar="ID", help="The unit's id.")],
    name: Annotated[str, typer.Option(help="The new 单位名称.")],
    document_number: Annotated[str, typer.Option(help="文号 of the written notice.")],
    as_json: AsJson = False,
) -> None:
    """更名, once the unit's seals are cancelled (article 23): new ones are applied for and name the old."""
    command = RenameUnit(unit_id=unit_id, name=name, document_number=document_number)
    with session() as at:
        unit = at.service.life.rename_unit(at.caller, command)
    print_fields(representation.unit(unit), as_json=as_json)


@app.command(epilog=example("seal units show ID"))
def show(unit_id: Annotated[str, typer.Argument(metavar="ID", help="The unit's id.")], as_json: AsJson = False) -> None:
    """One unit."""
    with session() as at:
        unit = at.service.read_unit(at.caller, ReadById(id=unit_id))
    print_fields(representation.unit(unit), as_json=as_json)
