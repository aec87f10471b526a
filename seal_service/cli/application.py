"""The `seal` command: every noun and verb in one tree."""

from __future__ import annotations

from typing import Annotated

import typer

import seal_service
from seal_service.cli import (
    accounts,
    applications,
    apply,
    approvals,
    certificates,
    check_config,
    control,
    conveyances,
    custody,
    database,
    demo,
    doctor,
    expiring,
    factor,
    filing,
    grants,
    keys,
    log,
    login,
    machine,
    media,
    notifications,
    password,
    pki,
    retention,
    scenarios,
    seals,
    serve,
    status_list,
    systems,
    trust,
    units,
    uses,
    verify,
)
from seal_service.cli.failures import Door

HELP = """电子印章服务: the electronic seal service of a city.

Exit codes: 0 done, 1 the answer is no, 2 what was given is wrong. An instance lives in SEAL_HOME (default ./var).
"""


def program(maintained: serve.Maintained) -> typer.Typer:
    """The whole command; `maintained` runs beside the server."""
    app = typer.Typer(
        name="seal",
        help=HELP,
        cls=Door,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_options)
    app.command(epilog=machine.INIT_EXAMPLE)(machine.init)
    app.command(epilog=serve.EXAMPLE)(serve.serving(maintained))
    app.command(epilog=demo.EXAMPLE)(demo.demo)
    app.command(epilog=doctor.EXAMPLE)(doctor.doctor)
    app.command("check-config", epilog=check_config.EXAMPLE)(check_config.check_config)
    app.command(epilog=login.LOGIN_EXAMPLE)(login.login)
    app.command(epilog=login.LOGOUT_EXAMPLE)(login.logout)
    app.command(epilog=apply.EXAMPLE)(apply.apply)
    app.command(epilog=verify.EXAMPLE)(verify.verify)
    app.command(epilog=machine.RECONCILE_EXAMPLE)(machine.reconcile)
    app.command(epilog=expiring.EXAMPLE)(expiring.expiring)
    for name, group in (
        ("accounts", accounts.app),
        ("password", password.app),
        ("factor", factor.app),
        ("control", control.app),
        ("retention", retention.app),
        ("units", units.app),
        ("systems", systems.app),
        ("applications", applications.app),
        ("seals", seals.app),
        ("certificates", certificates.app),
        ("grants", grants.app),
        ("scenarios", scenarios.app),
        ("approvals", approvals.app),
        ("custody", custody.app),
        ("media", media.app),
        ("conveyances", conveyances.app),
        ("uses", uses.app),
        ("filing", filing.app),
        ("log", log.app),
        ("keys", keys.app),
        ("pki", pki.app),
        ("trust", trust.app),
        ("db", database.app),
        ("notifications", notifications.app),
        ("status-list", status_list.app),
    ):
        app.add_typer(group, name=name)
    return app


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"{seal_service.__name__.replace('_', '-')} {version('seal-service')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    from seal_service import bootstrap

    _ = version
    bootstrap.log_as_command()
