"""seal db: the schema of the instance's database."""

from __future__ import annotations

import typer

from seal_service.cli.options import AsJson, example, noun
from seal_service.cli.output import print_fields, working
from seal_service.domain.errors import InstanceNotReady

app = noun("数据库: the schema of the instance's database. Run on the machine.")


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


@app.command(epilog=example("seal db check && echo ready"))
def check(as_json: AsJson = False) -> None:
    """Whether the database has exactly this program's schema: 0 when it has, 1 when not."""
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    if not bootstrap.is_initialised(settings):
        raise InstanceNotReady(f"There is no instance in {settings.home}")
    found = bootstrap.schema_of_database(settings)
    print_fields({"schema": found.state.value, "detail": found.sentence}, as_json=as_json)
    if found.state != "current":
        raise typer.Exit(1)
