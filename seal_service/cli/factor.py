"""seal factor: 第二因素 of the person who is signed in."""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import asking, ukey
from seal_service.cli.files import read_small
from seal_service.cli.options import AsJson, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields
from seal_service.cli.session import session
from seal_service.domain.errors import InvalidInput, SealServiceError
from seal_service.domain.second_factor import FactorKind, SecondFactor
from seal_service.usecases.second_factors import ConfirmFactor, EnrolFactor, ListFactors, RemoveFactor

LARGEST_CERTIFICATE = 1 << 16

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


@app.command(
    "enrol-ukey",
    epilog=example(
        "seal factor enrol-ukey certificate.pem --ukey-module /usr/lib/vendor/libukey.so --ukey-token 张三",
        "seal factor enrol-ukey certificate.pem",
    ),
)
def enrol_ukey(
    certificate: Annotated[Path, typer.Argument(metavar="FILE", help="The UKey's certificate, PEM or DER.")],
    ukey_module: ukey.Module = None,
    ukey_token: ukey.Token = None,
    ukey_key: ukey.KeyLabel = None,
    as_json: AsJson = False,
) -> None:
    """智能密码钥匙登记: the UKey signs to show that it has the certificate's key, as `seal login` has it sign.

    Where no UKey is named, what it has to sign is shown, and the signature of its vendor's tool asked for.
    """
    by = ukey.named(ukey_module, ukey_token, ukey_key)
    command = EnrolFactor(kind=FactorKind.UKEY, certificate=_der(certificate))
    with session() as at:
        made = at.service.people.enrol_factor(at.caller, command)
        try:
            proof = ukey.signature(by, made.to_sign or b"")
            confirmed = ConfirmFactor(factor_id=made.factor.id, signature=proof)
            factor = at.service.people.confirm_factor(at.caller, confirmed)
        except BaseException:  # it would be in the way of the next attempt as long as it waits
            with suppress(SealServiceError):
                at.service.people.remove_factor(at.caller, RemoveFactor(factor_id=made.factor.id))
            raise
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


def _der(certificate: Path) -> bytes:
    content = read_small(certificate, LARGEST_CERTIFICATE)
    if content.startswith(b"0"):
        return content
    try:
        return ssl.PEM_cert_to_DER_cert(content.decode("ascii").strip())
    except ValueError:
        raise InvalidInput(f"{certificate} is no certificate, PEM or DER", field="certificate") from None


def _fields(factor: SecondFactor) -> dict[str, str | None]:
    return {
        "id": factor.id,
        "kind": factor.kind.value,
        "certificate_sha256": factor.certificate_sha256,
        "enrolled_at": factor.enrolled_at.isoformat(),
        "confirmed_at": None if factor.confirmed_at is None else factor.confirmed_at.isoformat(),
    }
