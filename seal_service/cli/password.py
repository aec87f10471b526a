"""seal password: 口令: changed by its owner, or handed out anew by an administrator."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from seal_service.cli import asking
from seal_service.cli.options import AsJson, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields
from seal_service.cli.session import session
from seal_service.domain.errors import PasswordRefused
from seal_service.usecases.change_password import ChangePassword
from seal_service.usecases.reset_password import InitialPassword, ResetPassword

app = noun("口令: passwords of people.")


@app.command(epilog=example("seal password change", "printf '%s\\n' PRESENT NEW | seal password change"))
def change() -> None:
    """修改口令: one's own; 12 to 128 characters, not one of the last five, every 90 days.

    Both are read from SEAL_PASSWORD and SEAL_NEW_PASSWORD, asked for, or read as lines of standard input.
    """
    present = asking.asked("present password", asking.PASSWORD)
    new = asking.asked("new password", asking.NEW_PASSWORD)
    if sys.stdin.isatty() and asking.asked("new password again", asking.NEW_PASSWORD) != new:
        raise PasswordRefused((("again", "The new password was not given twice"),))
    with session() as at:
        at.service.people.change_password(at.caller, ChangePassword(present=present, new=new))
    print("Changed. Every other session has ended.")


@app.command(epilog=example("seal password reset ID --login-name zhang.san --yes"))
def reset(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="The person's account.")],
    login_name: Annotated[str | None, typer.Option(help="Another name to sign in with.")] = None,
    remove_second_factors: Annotated[
        bool, typer.Option("--remove-second-factors", help="The person lost them.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """重置口令: hand out a password that has to be changed at the first sign-in, within seven days."""
    unless_confirmed(yes, f"reset the password of {account_id} and end its sessions")
    command = ResetPassword(account_id=account_id, login_name=login_name, remove_second_factors=remove_second_factors)
    with session() as at:
        made = at.service.people.reset_password(at.caller, command)
    _show(made, as_json=as_json)


@app.command(epilog=example("seal password recover ID --remove-second-factors --yes"))
def recover(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="A security administrator's account.")],
    remove_second_factors: Annotated[
        bool, typer.Option("--remove-second-factors", help="The person lost them.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """恢复安全管理员: hand a security administrator a password, by the system operator and on this machine alone."""
    unless_confirmed(yes, f"reset the password of {account_id} and end its sessions")
    command = ResetPassword(account_id=account_id, remove_second_factors=remove_second_factors)
    with session() as at:
        made = at.service.people.recover_administrator(at.caller, command)
    _show(made, as_json=as_json)


def _show(made: InitialPassword, *, as_json: bool) -> None:
    fields = {
        "account_id": made.account_id,
        "login_name": made.login_name,
        "password": made.password,
        "expires_at": None if made.expires_at is None else made.expires_at.isoformat(),
    }
    print_fields(fields, as_json=as_json)
