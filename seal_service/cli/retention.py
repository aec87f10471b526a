"""seal retention: 保存期限, what is kept of sealed documents."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import AsJson, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields
from seal_service.cli.session import session
from seal_service.domain.operation import DocumentKeeping
from seal_service.domain.retention import retention_facts
from seal_service.usecases.change_retention import ChangeRetention, ReadRetention

app = noun("保存期限: whether sealed documents are kept, and for how long; changed by two people.")


@app.command(epilog=example("seal retention show"))
def show(as_json: AsJson = False) -> None:
    """What is in force, and what the settings say of an instance that begins with them."""
    with session() as at:
        view = at.service.read_retention(at.caller, ReadRetention())
    fields = {**retention_facts(view.in_force), "confirmed": view.confirmed}
    asked = {f"settings_{name}": value for name, value in retention_facts(view.settings).items()}
    print_fields({**fields, **asked}, as_json=as_json)


@app.command(epilog=example("seal retention change --documents kept --hold-hours 72 --yes"))
def change(
    documents: Annotated[DocumentKeeping, typer.Option(help="Whether sealed documents are kept.")],
    hold_hours: Annotated[int, typer.Option(min=1, max=72, help="How long a held one waits for its caller.")] = 72,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """保存期限变更: asks for it; a security administrator confirms. In force at the next start of each process."""
    with session() as at:
        command = ChangeRetention(documents=documents, hold_hours=hold_hours, only_examine=not yes)
        print_fields(retention_facts(at.service.change_retention(at.caller, command)), as_json=as_json)
    unless_confirmed(yes, "let sealed documents be kept so")
