"""seal uses: 用印记录, and the sealed documents that are still held."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import waiting_file
from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, SealCodeOption, example, noun
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.formats.receipt_representation import receipt
from seal_service.usecases.read_use import ListUses, ReadUse

app = noun("用印记录: uses of a seal and what they gave.")

UseId = Annotated[str, typer.Argument(metavar="ID", help="The use's id, from its receipt.")]


@app.command("list", epilog=example("seal uses list --seal 99990000000001"))
def list_(seal: SealCodeOption, limit: Limit = FIRST_PAGE, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """用印记录 of a seal, newest first."""
    command = ListUses(seal_code=seal, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        page = at.service.list_uses(at.caller, command)
    columns = ("id", "scenario", "state", "level_reached", "reserved_at", "failure")
    print_page(page, representation.use, columns, as_json=as_json)


@app.command(epilog=example("seal uses show ID --seal 99990000000001"))
def show(use_id: UseId, seal: SealCodeOption, as_json: AsJson = False) -> None:
    """One use."""
    with session() as at:
        use = at.service.read_use(at.caller, ReadUse(seal_code=seal, use_id=use_id))
    print_fields(representation.use(use), as_json=as_json)


@app.command("receipt", epilog=example("seal uses receipt ID --seal 99990000000001 -o receipt.note"))
def receipt_(
    use_id: UseId,
    seal: SealCodeOption,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where the signed note goes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """签章回执 of a use, signed by the log's key. 1 when there is none (yet)."""
    with session() as at:
        use, signed = at.service.transparency.read_receipt(at.caller, ReadUse(seal_code=seal, use_id=use_id))
        if output is not None and signed is not None:
            with waiting_file(output) as file:
                file.write(signed.content)
        print_fields(receipt(use, at.service.origin, None, signed), as_json=as_json)
    if signed is None:
        raise typer.Exit(1)


@app.command(epilog=example("seal uses fetch ID --seal 99990000000001 -o sealed.pdf"))
def fetch(
    use_id: UseId,
    seal: SealCodeOption,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the document goes.")],
    as_json: AsJson = False,
) -> None:
    """取回盖章文件 while it is held for whoever applied the seal."""
    with session() as at, waiting_file(output) as file:
        use, content = at.service.fetch_document(at.caller, ReadUse(seal_code=seal, use_id=use_id))
        file.write(content)
    print_fields({**representation.use(use), "file": str(output)}, as_json=as_json)


@app.command(epilog=example("seal uses acknowledge ID --seal 99990000000001"))
def acknowledge(use_id: UseId, seal: SealCodeOption) -> None:
    """确认收到: the document is here, so the service need not hold it any longer."""
    with session() as at:
        at.service.acknowledge_document(at.caller, ReadUse(seal_code=seal, use_id=use_id))
