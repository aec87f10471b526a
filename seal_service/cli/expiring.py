"""seal expiring: 到期提醒, what ends soon, whatever it is."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer

from seal_service.cli.options import AsJson, Cursor, Limit, example
from seal_service.cli.output import print_page
from seal_service.cli.session import session
from seal_service.domain.expiry import ExpiringKind
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.list_expiring import ListExpiring

EXAMPLE = example("seal expiring --days 90", "seal expiring --days 30 --kind grant --csv > grants.csv")
COLUMNS = ("kind", "id", "ends_at", "name", "unit_id", "seal_code", "what_to_do")


def expiring(
    days: Annotated[int, typer.Option(min=0, max=36_500, help="Within so many days.")] = 90,
    kind: Annotated[ExpiringKind | None, typer.Option(help="Only of this kind.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all of it as CSV.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """到期提醒: what ends first stands first."""
    command = ListExpiring(days=days, kind=kind, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        if not as_csv:
            page = at.service.life.list_expiring(at.caller, command)
            print_page(page, representation.expiring, COLUMNS, as_json=as_json)
            return
        writer = csv.DictWriter(sys.stdout, COLUMNS)
        writer.writeheader()
        while True:
            page = at.service.life.list_expiring(at.caller, command)
            for one in page.items:
                writer.writerow({name: value or "" for name, value in representation.expiring(one).items()})
            if page.next_cursor is None:
                return
            again = PageRequest(limit=limit, cursor=page.next_cursor)
            command = ListExpiring(days=days, kind=kind, page=again)
