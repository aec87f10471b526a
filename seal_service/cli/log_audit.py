"""seal log audit, fsck: 日志审计, the whole log compared with itself, and its published files by themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.checked import print_checked
from seal_service.cli.options import AsJson, example
from seal_service.cli.output import counting
from seal_service.cli.session import instance
from seal_service.domain.access import Caller, Role
from seal_service.domain.errors import InvalidInput
from seal_service.usecases.audit_log import AuditLog, CheckFiles

MACHINE = Caller(account_id=None, name="seal log audit", roles=frozenset({Role.SYSTEM_OPERATOR}))
"""Whoever can read the instance's files and its master key; it changes nothing."""
_GROUP = 256

AUDIT_EXAMPLE = example("seal log audit --state audit.json", "seal log audit --from 1000192 --json")
FSCK_EXAMPLE = example("seal log fsck && echo sound", "seal log fsck --json")


def audit(
    first: Annotated[
        int, typer.Option("--from", metavar="PLACE", help="Entries before this place were audited: a multiple of 256.")
    ] = 0,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it goes on when it was broken off; gone at the end.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """日志审计: database, tree, published files, checkpoints, guard, columns and statistics compared: 0 when all agree,
    1 when not."""
    begin = first if state is None else max(first, _kept(state))

    def sound_up_to(place: int) -> None:
        if state is not None:
            new = state.with_name(f"{state.name}.new")
            new.write_text(json.dumps({"sound_up_to": place}) + "\n")
            new.replace(state)

    with instance() as service, counting() as told:
        found = service.transparency.checks.audit(MACHINE, AuditLog(first=begin, told=told, sound_up_to=sound_up_to))
    if state is not None and found.clean:
        state.unlink(missing_ok=True)
    print_checked(found, {"from": begin}, as_json=as_json)


def fsck(as_json: AsJson = False) -> None:
    """文件核对: bundles of the published log hashed again, tiles, checkpoint and guard compared: 0 when all agree, 1
    when not."""
    with instance() as service, counting() as told:
        found = service.transparency.checks.files(MACHINE, CheckFiles(told=told))
    print_checked(found, {}, as_json=as_json)


def _kept(state: Path) -> int:
    try:
        place = json.loads(state.read_text())["sound_up_to"]
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{state} is no state of an audit: remove it to begin anew", field="state") from error
    if not isinstance(place, int) or place < 0 or place % _GROUP:
        raise InvalidInput(f"{state} is no state of an audit: remove it to begin anew", field="state")
    return place
