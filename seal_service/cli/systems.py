"""seal systems: 接入系统 that apply seals, and their credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import read_small
from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_json, print_page, print_rows
from seal_service.cli.session import session
from seal_service.domain.errors import InvalidInput
from seal_service.domain.machine import CredentialKind
from seal_service.domain.paging import PageRequest
from seal_service.formats import machine_representation as representation
from seal_service.usecases.change_system import ChangeSystem, DecideSystemChange
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.read_systems import ListSystems
from seal_service.usecases.register_system import DecideSystem, RegisterSystem, TieAccount
from seal_service.usecases.system_credentials import AddCredential, RevokeCredential

app = noun("接入系统: application systems, registered by their units and approved by the office.")
credentials = noun("系统凭据: keys, certificates and secrets of a system; the next stands beside the one before.")
app.add_typer(credentials, name="credentials")

SystemId = Annotated[str, typer.Argument(metavar="ID", help="The system's id.")]
LARGEST_FILE = 16 * 1024


@app.command(
    epilog=example(
        "seal systems register --name 政务服务平台 --address https://service.example/ --network 政务外网 \\",
        "    --department 信息科 --from 10.20.30.0/28 --contact 样某 --phone 000-0000",
    )
)
def register(
    name: Annotated[str, typer.Option(help="接入系统名称.")],
    address: Annotated[str, typer.Option(help="访问地址.")],
    network: Annotated[str, typer.Option(help="网络环境.")],
    department: Annotated[str, typer.Option(help="接入部门.")],
    source: Annotated[list[str], typer.Option("--from", metavar="NETWORK", help="接入系统IP: repeat for more.")],
    contact: Annotated[str, typer.Option(help="技术联系人; kept encrypted.")],
    phone: Annotated[str, typer.Option(help="联系电话; kept encrypted.")],
    as_json: AsJson = False,
) -> None:
    """接入申请, by the system's own unit; it waits for the office's decision."""
    command = RegisterSystem(
        name=name,
        address=address,
        network_environment=network,
        department=department,
        source_networks=tuple(source),
        technical_contact=contact,
        technical_phone=phone,
    )
    with session() as at:
        system = at.service.machines.register(at.caller, command)
    print_fields(representation.system(system), as_json=as_json)


@app.command("list", epilog=example("seal systems list"))
def list_(limit: Limit = FIRST_PAGE, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """接入系统列表, oldest first."""
    with session() as at:
        page = at.service.machines.list_systems(at.caller, ListSystems(page=PageRequest(limit=limit, cursor=cursor)))
    print_page(page, representation.system, ("id", "name", "state", "source_networks", "account_id"), as_json=as_json)


@app.command(epilog=example("seal systems show ID"))
def show(system_id: SystemId, as_json: AsJson = False) -> None:
    """One system, with whom to call."""
    with session() as at:
        read = at.service.machines.read_system(at.caller, ReadById(id=system_id))
    shown = representation.system(read.system) | {"contacts": representation.contacts(read.contacts)}
    if read.contacts_asked_for is not None:
        shown |= {"contacts_asked_for": representation.contacts(read.contacts_asked_for)}
    print_fields(shown, as_json=as_json)


@app.command(epilog=example("seal systems decide ID --approve", "seal systems decide ID --reject --reason 地址不符"))
def decide(
    system_id: SystemId,
    approve: Annotated[bool, typer.Option("--approve/--reject", help="主管部门意见.")],
    reason: Annotated[str | None, typer.Option(help="Why; needed for a rejection.")] = None,
    as_json: AsJson = False,
) -> None:
    """主管部门意见, by the office."""
    with session() as at:
        command = DecideSystem(system_id=system_id, approve=approve, reason=reason)
        system = at.service.machines.decide(at.caller, command)
    print_fields(representation.system(system), as_json=as_json)


@app.command(
    epilog=example(
        "seal systems change ID --from 10.20.31.0/28 --from 10.20.32.5", "seal systems change ID --phone 000-0001"
    )
)
def change(
    system_id: SystemId,
    address: Annotated[str | None, typer.Option(help="访问地址.")] = None,
    network: Annotated[str | None, typer.Option(help="网络环境.")] = None,
    department: Annotated[str | None, typer.Option(help="接入部门.")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="NETWORK", help="接入系统IP: all of them; repeat for more."),
    ] = None,
    contact: Annotated[str | None, typer.Option(help="技术联系人; kept encrypted.")] = None,
    phone: Annotated[str | None, typer.Option(help="联系电话; kept encrypted.")] = None,
    as_json: AsJson = False,
) -> None:
    """接入变更申请, by the system's own unit: what is left out stays, all of it until the office approves."""
    command = ChangeSystem(
        system_id=system_id,
        address=address,
        network_environment=network,
        department=department,
        source_networks=tuple(source) if source else None,
        technical_contact=contact,
        technical_phone=phone,
    )
    with session() as at:
        system = at.service.machines.change(at.caller, command)
    print_fields(representation.system(system), as_json=as_json)


@app.command(
    epilog=example(
        "seal systems decide-change ID CHANGE_ID --approve",
        "seal systems decide-change ID CHANGE_ID --reject --reason 地址不符",
    )
)
def decide_change(
    system_id: SystemId,
    change_id: Annotated[str, typer.Argument(metavar="CHANGE_ID", help="The change's id: `seal systems show ID`.")],
    approve: Annotated[bool, typer.Option("--approve/--reject", help="主管部门意见.")],
    reason: Annotated[str | None, typer.Option(help="Why; needed for a rejection.")] = None,
    as_json: AsJson = False,
) -> None:
    """接入变更审批, by the office, never by who asked for it; approved, it holds at the system's next call."""
    with session() as at:
        command = DecideSystemChange(system_id=system_id, change_id=change_id, approve=approve, reason=reason)
        system = at.service.machines.decide_change(at.caller, command)
    print_fields(representation.system(system), as_json=as_json)


@app.command(epilog=example("seal systems tie ID --account ACCOUNT_ID"))
def tie(
    system_id: SystemId,
    account: Annotated[str, typer.Option(metavar="ACCOUNT_ID", help="Of the unit, with the role business_system.")],
    as_json: AsJson = False,
) -> None:
    """接入账户: the account by which an approved system logs in, from its registered addresses alone."""
    with session() as at:
        system = at.service.machines.tie_account(at.caller, TieAccount(system_id=system_id, account_id=account))
    print_fields(representation.system(system), as_json=as_json)


@credentials.command(
    epilog=example(
        "seal systems credentials add ID --key public.jwk",
        "seal systems credentials add ID --certificate client.pem --days 180",
        "seal systems credentials add ID --secret",
    )
)
def add(
    system_id: SystemId,
    key: Annotated[Path | None, typer.Option(help="File with a public key: JWK (RFC 7517).")] = None,
    certificate: Annotated[Path | None, typer.Option(help="File with a TLS client certificate: PEM or DER.")] = None,
    secret: Annotated[
        bool, typer.Option("--secret", help="A client secret, for pilots; it is told this once.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=730, help="Until it expires.")] = 365,
    as_json: AsJson = False,
) -> None:
    """新增凭据 beside those that are there; revoke the one before when the system has changed over."""
    if (key is not None) + (certificate is not None) + secret != 1:
        raise InvalidInput("Exactly one of --key, --certificate and --secret is given", field="kind")
    command = AddCredential(
        system_id=system_id,
        kind=CredentialKind.KEY if key else CredentialKind.CERTIFICATE if certificate else CredentialKind.CLIENT_SECRET,
        public_key=read_small(key, LARGEST_FILE).decode("utf-8", "replace") if key else None,
        certificate=read_small(certificate, LARGEST_FILE) if certificate else None,
        days=days,
    )
    with session() as at:
        added = at.service.machines.add_credential(at.caller, command)
    told = representation.credential(added.credential)
    print_fields(told | ({"client_secret": added.secret} if added.secret else {}), as_json=as_json)


@credentials.command("list", epilog=example("seal systems credentials list ID"))
def list_credentials(system_id: SystemId, as_json: AsJson = False) -> None:
    """系统凭据: when each expires and was used last."""
    with session() as at:
        found = at.service.machines.list_credentials(at.caller, ReadById(id=system_id))
    rows = [representation.credential(one) for one in found]
    if as_json:
        print_json({"items": rows})
    else:
        print_rows(rows, ("id", "kind", "thumbprint", "expires_at", "revoked_at", "last_used_at"))


@credentials.command(epilog=example("seal systems credentials revoke ID CREDENTIAL_ID --yes"))
def revoke(
    system_id: SystemId,
    credential_id: Annotated[str, typer.Argument(metavar="CREDENTIAL_ID", help="Which of the system's credentials.")],
    reason: Annotated[str | None, typer.Option(help="Why; it is logged.")] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """吊销凭据: it and the tokens given by it are worthless at once."""
    with session() as at:
        unless_confirmed(yes, f"revoke the credential {credential_id} of {system_id}")
        command = RevokeCredential(system_id=system_id, credential_id=credential_id, reason=reason)
        credential = at.service.machines.revoke_credential(at.caller, command)
    print_fields(representation.credential(credential), as_json=as_json)
