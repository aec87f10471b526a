"""seal login, logout: whose credentials the command line acts with."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from seal_service.cli import credentials
from seal_service.cli.options import AsJson, example
from seal_service.cli.output import print_fields
from seal_service.cli.session import caller_of, instance
from seal_service.domain.errors import Unauthenticated
from seal_service.usecases.authenticate import ClientSecret

LOGIN_EXAMPLE = example("seal login --client-id CLIENT_ID", "seal login --client-id CLIENT_ID < file-with-the-secret")
LOGOUT_EXAMPLE = example("seal logout")


def login(
    client_id: Annotated[
        str | None, typer.Option(envvar=credentials.ID_VARIABLE, help="The account's id; asked for when missing.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a client's id and secret and store them in SEAL_HOME, readable by their owner alone.

    The secret is read from SEAL_CLIENT_SECRET, asked for, or read as a line of standard input.
    """
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    identity = client_id or _ask("client id", hidden=False)
    secret = os.environ.get(credentials.SECRET_VARIABLE) or _ask("client secret", hidden=True)
    presented = ClientSecret(client_id=identity, client_secret=secret)
    with instance() as service:
        caller = caller_of(service, presented)
    path = credentials.store(settings.home, presented)
    roles = sorted(role.value for role in caller.roles)
    print_fields({"client_id": identity, "name": caller.name, "roles": roles, "stored": str(path)}, as_json=as_json)


def logout() -> None:
    """Remove the stored credentials."""
    from seal_service import bootstrap

    home = bootstrap.settings_from_environment().home
    print("Logged out." if credentials.forget(home) else "Nobody was logged in.")


def _ask(what: str, *, hidden: bool) -> str:
    if sys.stdin.isatty():
        answer = str(typer.prompt(what, hide_input=hidden, err=True))
    else:
        answer = sys.stdin.readline().strip()
    if not answer:
        raise Unauthenticated(f"No {what} was given")
    return answer
