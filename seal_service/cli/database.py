"""seal db: the schema of the instance's database, its backup, restore and check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import credentials
from seal_service.cli.checked import print_checked
from seal_service.cli.options import AsJson, Yes, example, noun, unless_confirmed
from seal_service.cli.output import counting, print_fields, working
from seal_service.cli.session import instance, session
from seal_service.domain.access import Caller, Role
from seal_service.domain.backup import Backup
from seal_service.domain.errors import InstanceNotReady
from seal_service.formats import representation
from seal_service.usecases.back_up import BackUp
from seal_service.usecases.check_database import CheckDatabase

app = noun("数据库: the instance's database: schema, backup, restore, check. Run on the machine.")

MACHINE = Caller(account_id=None, name="seal db check", roles=frozenset({Role.SYSTEM_OPERATOR}))
"""Whoever can read the instance's files and its master key; it changes nothing."""


@app.command(epilog=example("seal db upgrade"))
def upgrade(as_json: AsJson = False) -> None:
    """Bring the database to this program's schema, in one transaction."""
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    if not bootstrap.is_initialised(settings):
        raise InstanceNotReady(f"There is no instance in {settings.home}")
    with working("upgrading the database …"):
        bootstrap.upgrade_database(settings)
    print_fields({"schema": "current"}, as_json=as_json)


@app.command(epilog=example("seal db check && echo ready", "seal db check --deep --json"))
def check(
    deep: Annotated[
        bool, typer.Option("--deep", help="Also every log entry, use, document and key: minutes for a million entries.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """核对: whether the database has exactly this program's schema and is sound: 0 when it is, 1 when not."""
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    if not bootstrap.is_initialised(settings):
        raise InstanceNotReady(f"There is no instance in {settings.home}")
    schema = bootstrap.schema_of_database(settings)
    if schema.state != "current":
        print_fields({"schema": schema.state.value, "detail": schema.sentence}, as_json=as_json)
        raise typer.Exit(1)
    with instance() as service, counting() as told:
        found = service.check_database(MACHINE, CheckDatabase(deep=deep, told=told))
    print_checked(found, {"schema": "current"}, as_json=as_json)


@app.command(epilog=example("seal db backup /srv/backups", "seal db backup /srv/backups --with-keys"))
def backup(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where the backup gets its own directory.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="With the wrapped private keys; never with the master key.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """备份 of database and documents, encrypted under the master key, while the service goes on. By an operator."""
    with session() as at, counting() as told:
        made = at.service.back_up(at.caller, BackUp(directory=directory, with_keys=with_keys, told=told))
    fields = {"backup": str((directory / made.name).resolve()), **_as_plain(made)}
    print_fields(fields, as_json=as_json)
    if made.manifest.missing:
        raise typer.Exit(1)


@app.command(epilog=example("SEAL_HOME=/srv/seal seal db restore /srv/backups/seal-backup-20260301T020000Z --yes"))
def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="A directory that `seal db backup` made.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """恢复 into an empty place: SEAL_HOME, SEAL_KEYS with the master key, SEAL_DATABASE_URL. Nothing is overwritten.

    It takes two people, a security administrator and another one or the operator, by their accounts in the backup:
    SEAL_CLIENT_ID and SEAL_CLIENT_SECRET, SEAL_SECOND_CLIENT_ID and SEAL_SECOND_CLIENT_SECRET.
    """
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    people = credentials.two_people() if yes else ()
    with counting() as told, bootstrap.restoring(settings, source, told, people=people) as restoring:
        found = restoring() if yes else restoring.examine()
    fields = {"home": str(settings.home.resolve()), "keys": str(settings.key_directory.resolve()), **_as_plain(found)}
    print_fields({"restored": yes, **fields}, as_json=as_json)
    unless_confirmed(yes, f"make an instance in {settings.home.resolve()} of this backup")
    if not as_json:
        print(f"\nWhat was done after {fields['made_at']} is not here: documents sealed since then are out, and their")
        print("log entries are missing. Seals reported lost since then can be applied again: report them again first.")


def _as_plain(one: Backup) -> representation.Plain:
    manifest = one.manifest
    return {
        "made_at": representation.time(manifest.made_at),
        "manifest_sha256": one.sha256,
        "origin": manifest.origin,
        "engine": manifest.database.engine,
        "schema_revision": manifest.database.schema_revision,
        "program": manifest.program,
        "log_size": manifest.database.log.size,
        "newest_entry_id": manifest.database.log.entry_id,
        "files": manifest.files.count,
        "bytes": manifest.files.bytes,
        "with_keys": manifest.with_keys,
        "keys": [one.reference for one in manifest.keys],
        "removed_meanwhile": manifest.removed_meanwhile,
        "missing": list(manifest.missing),
    }
