"""seal custody: 印章保管与启用 of keys that the service keeps, and uses in two steps for the others (article 20)."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import prepared
from seal_service.cli.files import read_small
from seal_service.cli.options import AsJson, SealCodeArgument, Yes, example, moment, noun, unless_confirmed
from seal_service.cli.output import print_fields
from seal_service.cli.session import session
from seal_service.domain.errors import InvalidInput
from seal_service.formats import custody_representation, representation
from seal_service.usecases.activate_seal import ActivateSeal, ActivationState, TakeIntoCustody, WhichActivation

app = noun("印章保管与启用: who keeps a seal's key, and lets it be pressed.")

SecretFile = Annotated[
    Path | None,
    typer.Option("--secret-file", metavar="FILE", help="With the 激活口令; default: it is asked for."),
]
LONGEST_SECRET_FILE = 4096


def _secret(file: Path | None, *, twice: bool = False) -> str:
    if file is not None:
        try:
            return read_small(file, LONGEST_SECRET_FILE).decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:  # replacement characters would make one secret of many
            raise InvalidInput(f"{file} is no text in UTF-8", field="secret") from None
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given = getpass.getpass("激活口令: ")
    if twice and getpass.getpass("激活口令, once more: ") != given:
        raise InvalidInput("The two are not the same", field="secret")
    return given


def _state(state: ActivationState) -> representation.Plain:
    return custody_representation.activation(state.record, state.activation)


@app.command(epilog=example("seal custody take 99990000000001 --secret-file secret.txt --yes"))
def take(code: SealCodeArgument, secret_file: SecretFile = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """保管: wrap the seal's key under a secret that only the unit knows, for good."""
    unless_confirmed(yes, f"lock the key of {code} under a secret that the service keeps nowhere")
    command = TakeIntoCustody(seal_code=code, secret=_secret(secret_file, twice=True))
    with session() as at:
        print_fields(_state(at.service.custody.take_into_custody(at.caller, command)), as_json=as_json)


@app.command(epilog=example("seal custody activate 99990000000001 --until 2026-03-01T18:00:00+08:00 --uses 200"))
def activate(
    code: SealCodeArgument,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="RFC 3339; at most 31 days ahead.")] = None,
    uses: Annotated[int | None, typer.Option(min=1, help="So many signatures.")] = None,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """启用, in the key process of `seal serve`, for a time, a number of uses, or both."""
    command = ActivateSeal(seal_code=code, secret=_secret(secret_file), until=moment(until, "until"), uses=uses)
    with session() as at:
        print_fields(_state(at.service.custody.activate_seal(at.caller, command)), as_json=as_json)


@app.command(epilog=example("seal custody lock 99990000000001"))
def lock(code: SealCodeArgument) -> None:
    """停用: lock the seal's key again. Signatures that were begun before are still made, within 30 seconds."""
    with session() as at:
        at.service.custody.end_activation(at.caller, WhichActivation(seal_code=code))
    print("Locked.")


@app.command(epilog=example("seal custody show 99990000000001"))
def show(code: SealCodeArgument, as_json: AsJson = False) -> None:
    """启用状态: whether the seal can be pressed, how long and how often."""
    with session() as at:
        state = at.service.custody.read_activation(at.caller, WhichActivation(seal_code=code))
    print_fields(_state(state), as_json=as_json)


prepared.add_commands(app)
