"""seal factor: 第二因素 of the person who is signed in."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from seal_service.cli import asking
from seal_service.cli.options import AsJson, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields
from seal_service.cli.session import session
from seal_service.domain.second_factor import FactorKind, SecondFactor
from seal_service.usecases.second_factors import ConfirmFactor, EnrolFactor, ListFactors, RemoveFactor

app = noun("第二因素: what is proven beside the password.")


@app.command("enrol-totp", epilog=example("seal factor enrol-totp"))
def enrol_totp(as_json: AsJson = False) -> None:
    """动态口令登记: show a key for an authenticator application, then take its first code.

    The code is read from SEAL_CODE, asked for, or read as a line of standard input.
    """
    with session() as at:
        made = at.service.people.enrol_factor(at.caller, EnrolFactor(kind=FactorKind.TOTP))
        print(made.address, flush=True)
        code = asking.asked("code", asking.CODE, hidden=False)
        factor = at.service.people.confirm_factor(at.caller, ConfirmFactor(factor_id=made.factor.id, code=code))
    print_fields(_fields(factor), as_json=as_json)


@app.command("list", epilog=example("seal factor list --json"))
def list_(as_json: AsJson = False) -> None:
    """第二因素列表: one's own."""
    with session() as at:
        found = [_fields(one) for one in at.service.people.list_factors(at.caller, ListFactors())]
    if as_json:
        print(json.dumps({"items": found}, ensure_ascii=False))
        return
    for one in found:
        print(f"{one['id']}  {one['kind']}  {one['confirmed_at']}")


@app.command(epilog=example("seal factor remove ID --yes"))
def remove(
    factor_id: Annotated[str, typer.Argument(metavar="ID", help="As `seal factor list` shows it.")],
    yes: Yes = False,
) -> None:
    """第二因素移除: where one is required the last one stays."""
    unless_confirmed(yes, f"remove the second factor {factor_id}")
    with session() as at:
        at.service.people.remove_factor(at.caller, RemoveFactor(factor_id=factor_id))
    print("Removed.")


def _fields(factor: SecondFactor) -> dict[str, str | None]:
    return {
        "id": factor.id,
        "kind": factor.kind.value,
        "certificate_sha256": factor.certificate_sha256,
        "enrolled_at": factor.enrolled_at.isoformat(),
        "confirmed_at": None if factor.confirmed_at is None else factor.confirmed_at.isoformat(),
    }
