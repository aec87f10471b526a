"""seal conveyances: 导入应用系统, a seal's data and a handle for one business system (article 20)."""

from __future__ import annotations

import base64
import ssl
from typing import Annotated

import typer

from seal_service.cli.options import AsJson, SealCodeOption, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_json, print_rows
from seal_service.cli.session import session
from seal_service.formats import custody_representation, representation
from seal_service.usecases.convey_seal import ConveyedSeal, ConveySeal, ListConveyances, WithdrawConveyance

app = noun("导入应用系统: to which business systems a seal's data were given; its key stays.")

_OF_MACHINES = ("conveyance", "impression", "picture", "certificate")
"""Too long for a terminal."""


@app.command(
    epilog=example("seal conveyances give --seal 99990000000001 --to ACCOUNT_ID --yes --json > seal-data.json")
)
def give(
    seal: SealCodeOption,
    to: Annotated[str, typer.Option("--to", metavar="ACCOUNT_ID", help="The business system.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """导入, by the seal's unit: its data, with --json all of them, and a handle that is shown this once."""
    unless_confirmed(yes, f"convey {seal} to {to}, which from then on shows its handle with every use, for good")
    with session() as at:
        conveyed = at.service.custody.convey_seal(at.caller, ConveySeal(seal_code=seal, system_id=to))
    fields = _fields(conveyed)
    if as_json:
        print_json(fields)
        return
    shown = {name: value for name, value in fields.items() if name not in _OF_MACHINES}
    print_fields({"id": conveyed.conveyance.id, "system_id": conveyed.conveyance.system_id, **shown}, as_json=False)


@app.command("list", epilog=example("seal conveyances list --seal 99990000000001"))
def list_(seal: SealCodeOption, as_json: AsJson = False) -> None:
    """导入记录 of a seal, oldest first."""
    with session() as at:
        found = at.service.custody.list_conveyances(at.caller, ListConveyances(seal_code=seal))
    rows = [custody_representation.conveyance(one) for one in found]
    if as_json:
        print_json({"items": rows})
        return
    print_rows(rows, ("id", "system_id", "conveyed_at", "withdrawn_at"))


@app.command(epilog=example("seal conveyances withdraw ID --seal 99990000000001 --yes"))
def withdraw(
    conveyance_id: Annotated[str, typer.Argument(metavar="ID", help="As `seal conveyances list` shows it.")],
    seal: SealCodeOption,
    yes: Yes = False,
) -> None:
    """撤回导入: its handle stands no more, and uses under way do not survive it."""
    unless_confirmed(yes, f"withdraw the conveyance {conveyance_id} of {seal}; the system needs a new one")
    command = WithdrawConveyance(seal_code=seal, conveyance_id=conveyance_id)
    with session() as at:
        at.service.custody.withdraw_conveyance(at.caller, command)
    print("Withdrawn.")


def _fields(conveyed: ConveyedSeal) -> representation.Plain:
    """印章数据 and the handle."""
    seal, credential = conveyed.seal, conveyed.credential
    return {
        "conveyance": custody_representation.conveyance(conveyed.conveyance),
        "handle": conveyed.handle,
        "code": seal.code,
        "name": seal.name,
        "seal_type": seal.seal_type.value,
        "impression": representation.impression(seal.impression),
        "picture": base64.b64encode(conveyed.impression).decode(),
        "certificate": ssl.DER_cert_to_PEM_cert(credential.certificate),
        "valid_from": representation.time(credential.not_before),
        "valid_until": representation.time(credential.not_after),
    }
