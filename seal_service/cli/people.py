"""seal units people: 人员 whom a unit's systems may name as 签章人."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.paging import PageRequest
from seal_service.formats.representation import Plain, time, time_or_none
from seal_service.usecases.unit_people import ListPeople, OpenedPerson, RegisterPerson, RemovePerson

app = noun("人员: whom a unit's systems may name as 签章人. Kept encrypted.")

UnitId = Annotated[str, typer.Option("--unit", metavar="ID", help="The unit's id.")]
PersonId = Annotated[str, typer.Option("--id", metavar="工号", help="The person's id within the unit.")]


@app.command(epilog=example("seal units people add --unit UNIT_ID --id U1001 --name 李四 --department 审批科"))
def add(
    unit_id: UnitId,
    person_id: PersonId,
    name: Annotated[str, typer.Option(help="姓名.")],
    department: Annotated[str | None, typer.Option(help="处室.")] = None,
    as_json: AsJson = False,
) -> None:
    """人员登记, by the unit; who is there already gets the name and department as they are now."""
    command = RegisterPerson(unit_id=unit_id, person_id=person_id, name=name, department=department)
    with session() as at:
        person = at.service.machines.register_person(at.caller, command)
    print_fields(_plain(person), as_json=as_json)


@app.command("list", epilog=example("seal units people list --unit UNIT_ID"))
def list_(unit_id: UnitId, limit: Limit = FIRST_PAGE, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """人员列表."""
    command = ListPeople(unit_id=unit_id, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        page = at.service.machines.list_people(at.caller, command)
    print_page(page, _plain, ("id", "name", "department", "registered_at"), as_json=as_json)


@app.command(epilog=example("seal units people remove --unit UNIT_ID --id U1001 --yes"))
def remove(unit_id: UnitId, person_id: PersonId, yes: Yes = False, as_json: AsJson = False) -> None:
    """人员注销: no system may name the person any more."""
    with session() as at:
        unless_confirmed(yes, f"remove {person_id} from the unit's persons")
        person = at.service.machines.remove_person(at.caller, RemovePerson(unit_id=unit_id, person_id=person_id))
    print_fields(_plain(person), as_json=as_json)


def _plain(one: OpenedPerson) -> Plain:
    return {
        "unit_id": one.unit_id,
        "id": one.id,
        "name": one.name,
        "department": one.department,
        "registered_at": time(one.registered_at),
        "removed_at": time_or_none(one.removed_at),
    }
