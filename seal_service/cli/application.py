"""The `seal` command: every noun and verb in one tree, of which a call loads what it names."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

import seal_service
from seal_service.cli.failures import Door

if TYPE_CHECKING:
    from seal_service.cli.serve import Maintained

HELP = """电子印章服务: the electronic seal service of a city.

Exit codes: 0 done, 1 the answer is no, 2 what was given is wrong. An instance lives in SEAL_HOME (default ./var).
"""

COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("machine", "init", "INIT_EXAMPLE"),
    "serve": ("serve", "serving", "EXAMPLE"),
    "demo": ("demo", "demo", "EXAMPLE"),
    "doctor": ("doctor", "doctor", "EXAMPLE"),
    "check-config": ("check_config", "check_config", "EXAMPLE"),
    "login": ("login", "login", "LOGIN_EXAMPLE"),
    "logout": ("login", "logout", "LOGOUT_EXAMPLE"),
    "apply": ("apply", "apply", "EXAMPLE"),
    "verify": ("verify", "verify", "EXAMPLE"),
    "reconcile": ("machine", "reconcile", "RECONCILE_EXAMPLE"),
    "expiring": ("expiring", "expiring", "EXAMPLE"),
}
"""Verb → its module, the function there and its example."""

GROUPS: dict[str, str] = {
    "accounts": "accounts",
    "password": "password",
    "factor": "factor",
    "control": "control",
    "retention": "retention",
    "units": "units",
    "systems": "systems",
    "applications": "applications",
    "seals": "seals",
    "certificates": "certificates",
    "grants": "grants",
    "scenarios": "scenarios",
    "approvals": "approvals",
    "custody": "custody",
    "media": "media",
    "conveyances": "conveyances",
    "uses": "uses",
    "filing": "filing",
    "log": "log",
    "witness": "witness",
    "keys": "keys",
    "pki": "pki",
    "trust": "trust",
    "db": "database",
    "notifications": "notifications",
    "status-list": "status_list",
}
"""Noun → the module of its verbs."""


def program(maintained: Maintained, arguments: Sequence[str] = ()) -> typer.Typer:
    """The command; `maintained` runs beside the server.

    Where the arguments begin with a verb or noun of ours the others are not loaded, which would take longer than many
    a command: only help and mistakes need them all.
    """
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
    named = arguments[0] if arguments else ""
    known = named in COMMANDS or named in GROUPS
    for name, (module, function, example) in COMMANDS.items():
        if not known or name == named:
            found = _loaded(module)
            called = getattr(found, function)
            app.command(name, epilog=getattr(found, example))(called(maintained) if name == "serve" else called)
    for name, module in GROUPS.items():
        if not known or name == named:
            app.add_typer(_loaded(module).app, name=name)
    return app


def _loaded(module: str) -> ModuleType:
    return import_module(f"seal_service.cli.{module}")


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
