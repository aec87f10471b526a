"""seal log recover: 日志恢复, what a restored database lacks comes back from the published log."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import AsJson, Yes, example
from seal_service.cli.output import counting, print_fields, print_json, print_rows
from seal_service.cli.session import instance
from seal_service.domain.access import Caller, Role
from seal_service.usecases.recover_log import RecoverLog

MACHINE = Caller(account_id=None, name="seal log recover", roles=frozenset({Role.SYSTEM_OPERATOR}))
"""Whoever can write the instance's files and read its master key, as for a restore."""

EXAMPLE = example("seal log recover", "seal log recover --yes --json")


def recover(
    key_lost: Annotated[
        str | None,
        typer.Option("--key-lost", metavar="VKEY", help="A key of the log that is in no backup, as it was given out."),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """日志恢复: after an old backup was restored, take the entries that it lacks from the published log.

    Run on the machine, before `seal serve`. Without --yes everything is compared and nothing changed (1).
    Personal fields of these entries are lost. Seals that were acted on since the backup are stopped; what has to be
    done again is listed. A key that signed what is missing and is gone is named by --key-lost, here and then to
    `seal log rotate-key`.
    """
    with instance() as service, counting() as told:
        found = service.transparency.recover(MACHINE, RecoverLog(confirmed=yes, told=told, lost_key=key_lost))
    fields: dict[str, object] = {
        "done": found.done,
        "before": found.before,
        "size": found.size,
        "entries": found.size - found.before,
        "personal_fields": "lost",
    }
    stopped: list[dict[str, object]] = [{"seal_code": code, "state": state.value} for code, state in found.stopped]
    rows: list[dict[str, object]] = [
        {
            "place": one.place,
            "kind": one.kind.value,
            "seal_code": one.seal_code,
            "unit_id": one.unit_id,
            "entry_id": one.entry_id,
            "done": one.done,
        }
        for one in found.open
    ]
    if found.done:
        fields["uses_after_backup"] = found.uses
    if as_json:
        print_json({**fields, "stopped": stopped, "acts": rows})
    else:
        print_fields(fields, as_json=False)
        if stopped:
            print_rows(stopped, ("seal_code", "state"))
        if rows:
            print_rows(rows, ("place", "kind", "seal_code", "unit_id", "entry_id", "done"))
    if not yes:
        raise typer.Exit(1)
