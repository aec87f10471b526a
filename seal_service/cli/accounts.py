"""seal accounts: 账户, managed by security administrators."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.access import Role
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.create_account import CreateAccount, DisableAccount
from seal_service.usecases.give_roles import GiveRoles
from seal_service.usecases.read_registers import ListAccounts, ReadById

app = noun("账户: accounts of systems and people.")

AccountId = Annotated[str, typer.Argument(metavar="ID", help="The account's id, which is its client id.")]


@app.command(epilog=example("seal accounts create --name 政务服务平台 --role business_system --unit UNIT_ID"))
def create(
    name: Annotated[str, typer.Option(help="Name of the system or person.")],
    role: Annotated[list[Role], typer.Option(help="Repeat it for several roles.")],
    unit: Annotated[
        str | None, typer.Option(metavar="ID", help="Its unit: needed for units and their systems.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """开户: make an account and show its client secret this once. Its roles wait for another one to confirm them."""
    with session() as at:
        made = at.service.create_account(at.caller, CreateAccount(name=name, roles=tuple(role), unit_id=unit))
    told = {"client_secret": made.secret, "request_id": made.request_id}
    print_fields({**representation.account(made.account), **told}, as_json=as_json)
    if not as_json:
        print(
            f"\nIt has no role yet: another security administrator says `seal control confirm {made.request_id} --yes`."
        )


@app.command(epilog=example("seal accounts give-roles ID --role seal_keeper --role applicant"))
def give_roles(
    account_id: AccountId,
    role: Annotated[list[Role], typer.Option(help="All the roles that it is to have; repeat it for several.")],
    as_json: AsJson = False,
) -> None:
    """授予角色: asks for it; another security administrator confirms."""
    with session() as at:
        given = at.service.give_roles(at.caller, GiveRoles(account_id=account_id, roles=tuple(role)))
    print_fields(representation.account(given), as_json=as_json)


@app.command("list", epilog=example("seal accounts list --json"))
def list_(limit: Limit = FIRST_PAGE, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """账户列表, newest first."""
    with session() as at:
        page = at.service.list_accounts(at.caller, ListAccounts(page=PageRequest(limit=limit, cursor=cursor)))
    print_page(page, representation.account, ("id", "name", "roles", "unit_id", "disabled_at"), as_json=as_json)


@app.command(epilog=example("seal accounts show ID"))
def show(account_id: AccountId, as_json: AsJson = False) -> None:
    """One account."""
    with session() as at:
        account = at.service.read_account(at.caller, ReadById(id=account_id))
    print_fields(representation.account(account), as_json=as_json)


@app.command(epilog=example("seal accounts disable ID --yes"))
def disable(account_id: AccountId, yes: Yes = False, as_json: AsJson = False) -> None:
    """销户: from now on its credentials and tokens are worthless."""
    with session() as at:
        account = at.service.read_account(at.caller, ReadById(id=account_id))
        unless_confirmed(yes, f"disable the account {account.name} for good")
        account = at.service.disable_account(at.caller, DisableAccount(account_id=account_id))
    print_fields(representation.account(account), as_json=as_json)
