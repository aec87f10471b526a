"""seal login, logout: whose credentials the command line acts with."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import credentials, session_token, ukey
from seal_service.cli.asking import asked
from seal_service.cli.options import AsJson, example
from seal_service.cli.output import print_fields
from seal_service.cli.session import caller_of, instance
from seal_service.cli.sign_in import caller_of_token, signed_in
from seal_service.domain.errors import InvalidInput, Unauthenticated
from seal_service.usecases.authenticate import ClientSecret
from seal_service.usecases.sessions import SignOut

LOGIN_EXAMPLE = example(
    "seal login --account ACCOUNT",
    "seal login --account ACCOUNT --ukey-module /usr/lib/vendor/libukey.so --ukey-token 张三",
    "seal login --client-id CLIENT_ID",
    "seal login --client-id CLIENT_ID < file-with-the-secret",
)
LOGOUT_EXAMPLE = example("seal logout", "seal logout --everywhere")


def login(
    client_id: Annotated[
        str | None, typer.Option(envvar=credentials.ID_VARIABLE, help="The account's id; asked for when missing.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Sign in as a person: the account's id or login name, with its password.")
    ] = None,
    ukey_module: ukey.Module = None,
    ukey_token: ukey.Token = None,
    ukey_key: ukey.KeyLabel = None,
    as_json: AsJson = False,
) -> None:
    """Sign in and store what comes of it in SEAL_HOME, readable by its owner alone.

    A person's password and code are read from SEAL_PASSWORD and SEAL_CODE, a client's secret from SEAL_CLIENT_SECRET;
    else they are asked for, or read as lines of standard input. Of a person only the session's token is stored.

    A UKey signs by its PKCS#11 module, its PIN read from SEAL_UKEY_PIN or asked for; where none is named, what it has
    to sign is shown, and the signature of its vendor's tool asked for.
    """
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    by = ukey.named(ukey_module, ukey_token, ukey_key)
    if account is not None:
        _sign_in(settings.home, account, by, as_json=as_json)
        return
    if by is not None:
        raise InvalidInput("People sign in with a UKey: name --account")
    identity = client_id or asked("client id", hidden=False)
    secret = asked("client secret", credentials.SECRET_VARIABLE)
    presented = ClientSecret(client_id=identity, client_secret=secret)
    with instance() as service:
        caller = caller_of(service, presented)
    path = credentials.store(settings.home, presented)
    session_token.forget(settings.home)
    roles = sorted(role.value for role in caller.roles)
    print_fields({"client_id": identity, "name": caller.name, "roles": roles, "stored": str(path)}, as_json=as_json)


def logout(
    everywhere: Annotated[bool, typer.Option("--everywhere", help="End every session of this person.")] = False,
) -> None:
    """End the person's session and remove what was stored."""
    from seal_service import bootstrap

    home = bootstrap.settings_from_environment().home
    token = session_token.stored(home)
    if token is not None:
        with instance() as service, suppress(Unauthenticated):  # ended already
            service.people.sign_out(caller_of_token(service, token), SignOut(everywhere=everywhere))
    found = [session_token.forget(home), credentials.forget(home)]
    print("Logged out." if any(found) else "Nobody was logged in.")


def _sign_in(home: Path, account: str, by: ukey.UKey | None, *, as_json: bool) -> None:
    with instance() as service:
        answer = signed_in(service, account, by)
        caller = caller_of_token(service, answer.token)
    path = session_token.store(home, answer.token)
    credentials.forget(home)
    fields = {
        "account_id": caller.identity,
        "name": caller.name,
        "roles": sorted(role.value for role in caller.roles),
        "must_first": None if caller.must_first is None else caller.must_first.value,
        "stored": str(path),
    }
    print_fields(fields, as_json=as_json)
