"""The client credentials of whoever is at the command line: from the environment, else from a file of the home."""

from __future__ import annotations

import json
import os
from pathlib import Path

from seal_service.cli.files import read_small, waiting_file
from seal_service.domain.errors import Unauthenticated
from seal_service.usecases.authenticate import ClientSecret

FILE_NAME = "credentials.json"
ID_VARIABLE = "SEAL_CLIENT_ID"
SECRET_VARIABLE = "SEAL_CLIENT_SECRET"  # noqa: S105 - the variable's name
SECOND_ID_VARIABLE = "SEAL_SECOND_CLIENT_ID"
SECOND_SECRET_VARIABLE = "SEAL_SECOND_CLIENT_SECRET"  # noqa: S105 - the variable's name


def from_environment(id_variable: str = ID_VARIABLE, secret_variable: str = SECRET_VARIABLE) -> ClientSecret | None:
    """The credentials of the environment, or None; Unauthenticated when one half is missing."""
    client_id, secret = os.environ.get(id_variable), os.environ.get(secret_variable)
    if not client_id and not secret:
        return None
    if not client_id or not secret:
        raise Unauthenticated(f"{id_variable} and {secret_variable} are set together or not at all")
    return ClientSecret(client_id=client_id, client_secret=secret)


def two_people() -> tuple[ClientSecret, ...]:
    """The credentials of an act that takes two people, as far as the environment has them."""
    found = (from_environment(), from_environment(SECOND_ID_VARIABLE, SECOND_SECRET_VARIABLE))
    return tuple(one for one in found if one is not None)


def stored(home: Path) -> ClientSecret | None:
    """The credentials that `seal login` stored, or None; Unauthenticated when the file is not what it stored."""
    path = home / FILE_NAME
    if not path.exists():
        return None
    try:
        read = json.loads(read_small(path, 4096))
        return ClientSecret(client_id=str(read["client_id"]), client_secret=str(read["client_secret"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Unauthenticated(f"{path} is damaged") from error


def present(home: Path) -> ClientSecret:
    """The credentials to act with; Unauthenticated when there are none."""
    found = from_environment() or stored(home)
    if found is None:
        raise Unauthenticated("Nobody is logged in")
    return found


def store(home: Path, credentials: ClientSecret) -> Path:
    """Keep the credentials, readable by their owner alone; the file's path."""
    path = home / FILE_NAME
    text = json.dumps({"client_id": credentials.client_id, "client_secret": credentials.client_secret})
    with waiting_file(path, mode=0o600) as file:
        file.write(text.encode())
    return path


def forget(home: Path) -> bool:
    """Remove the stored credentials; whether there were any."""
    path = home / FILE_NAME
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed
