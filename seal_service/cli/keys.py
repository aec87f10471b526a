"""seal keys: 密钥, the service's own and those of seals (article 9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from seal_service.cli import keys_master
from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_json, print_page, print_rows, working
from seal_service.cli.session import session
from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import AUTHORITY_RULES, PlannedCredential
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.destroy_key import DestroyKey
from seal_service.usecases.list_keys import ListedKey, ListKeys
from seal_service.usecases.rotate_authority_key import RotateAuthorityKey

app = noun("密钥: private keys, by reference.")


@app.command("list", epilog=example("seal keys list", "seal keys list --json"))
def list_(limit: Limit = FIRST_PAGE, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """密钥列表, by reference: where each is, what it is for, and until when."""
    with session() as at:
        page = at.service.list_keys(at.caller, ListKeys(page=PageRequest(limit=limit, cursor=cursor)))
    columns = ("reference", "role", "seal_code", "version", "place", "token", "suite", "since", "until", "state")
    print_page(page, _key, columns, as_json=as_json)


class Rotations(TyperGroup):
    """What can be rotated, by name; any other name is taken to the use case, which says why it is not."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command."""
        if args and self.get_command(ctx, args[0]) is None:
            return None, get_command(any_other), args
        return super().resolve_command(ctx, args)


rotation = typer.Typer(
    cls=Rotations,
    help="密钥轮换: a new key in the place of one of the service's own; what the old one signed verifies as before.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(rotation, name="rotate")
any_other = typer.Typer(rich_markup_mode=None)

SuiteOption = Annotated[Suite | None, typer.Option("--suite", help="算法套件; default: the instance's.")]


@rotation.command("root", epilog=example("seal keys rotate root", "seal keys rotate root --yes"))
def rotate_root(suite: SuiteOption = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """根证书: also certified by the root before it, for relying parties that have only that one."""
    _rotate(AuthorityRole.ROOT, suite, yes, as_json)
    if not as_json:
        print("Hand it to relying parties (`seal pki export root`), then rotate issuing and timestamp.")


@rotation.command("issuing", epilog=example("seal keys rotate issuing --yes"))
def rotate_issuing(suite: SuiteOption = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """签发证书, with a responder of its own: it certifies the seals that are made or renewed from then on."""
    _rotate(AuthorityRole.ISSUING, suite, yes, as_json)


@rotation.command("ocsp", epilog=example("seal keys rotate ocsp --yes"))
def rotate_ocsp(suite: SuiteOption = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """证书状态查询: a new responder for each issuing certificate whose time has not ended."""
    _rotate(AuthorityRole.OCSP, suite, yes, as_json)


@rotation.command("timestamp", epilog=example("seal keys rotate timestamp --yes"))
def rotate_timestamp(suite: SuiteOption = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """时间戳单元."""
    _rotate(AuthorityRole.TIMESTAMP, suite, yes, as_json)


@rotation.command("status", epilog=example("seal keys rotate status --yes"))
def rotate_status(suite: SuiteOption = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """状态公示: the key that signs the list of status; an instance of an older version has none before this."""
    _rotate(AuthorityRole.STATUS, suite, yes, as_json)


@rotation.command("report", epilog=example("seal keys rotate report --yes"))
def rotate_report(suite: SuiteOption = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """日志报告: the key that signs reports on the log; an instance of an older version has none before this."""
    _rotate(AuthorityRole.REPORT, suite, yes, as_json)


rotation.command("master", epilog=keys_master.ROTATE_MASTER_EXAMPLE)(keys_master.rotate_master)
rotation.command("tokens", epilog=keys_master.ROTATE_TOKENS_EXAMPLE)(keys_master.rotate_tokens)
making = noun("新密钥: a key that someone has to put in its place.")
making.command("master", epilog=keys_master.NEW_MASTER_EXAMPLE)(keys_master.new_master)
making.callback()(lambda: None)  # a group also while it has one command
app.add_typer(making, name="new")


@any_other.command()
def rotate_any_other(name: str, suite: SuiteOption = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Be refused with the reason."""
    _rotate(name, suite, yes, as_json)


def _rotate(role: str, suite: Suite | None, yes: bool, as_json: bool) -> None:
    command = RotateAuthorityKey(role=role, suite=suite)
    with session() as at:
        planned = at.service.rotate_authority_key(at.caller, command)
        told = "; ".join(_plan(one) for one in planned.planned)
        unless_confirmed(yes, f"make, each with a new {planned.suite.value} key: {told}")
        with working("密钥轮换 making keys and certificates …"):
            rows = [
                _made(one) for one in at.service.rotate_authority_key(at.caller, replace(command, confirmed=True)).made
            ]
    if as_json:
        print_json({"items": rows})
    else:
        print_rows(rows, ("role", "generation", "reference", "since", "until"))


@app.command(epilog=example("seal keys destroy KEY_REFERENCE", "seal keys destroy KEY_REFERENCE --yes"))
def destroy(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="As `seal keys list` shows it.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """密钥销毁, for good, of a key that nothing needs any more; certificates and log stay."""
    with session() as at:
        key = at.service.destroy_key(at.caller, DestroyKey(reference=reference))
        unless_confirmed(yes, f"destroy the key {reference} ({_told(key)}) for good")
        key = at.service.destroy_key(at.caller, DestroyKey(reference=reference, confirmed=True))
    print_fields(_key(key), as_json=as_json)


def _plan(planned: PlannedCredential) -> str:
    own = f"{planned.role.value} {planned.version}"
    issuer = AUTHORITY_RULES[planned.role].issuer
    if issuer is not None:
        return f"{own} under {issuer.value} {planned.issuer_version}"
    return own if planned.version == 1 else f"{own}, certified by itself and by the {planned.role.value} before it"


def _made(credential: AuthorityCredential) -> representation.Plain:
    return {
        "role": credential.role.value,
        "generation": credential.version,
        "reference": credential.key_reference,
        "since": representation.time(credential.not_before),
        "until": representation.time(credential.not_after),
    }


def _key(key: ListedKey) -> representation.Plain:
    return {
        "reference": key.reference,
        "role": key.role.value if key.role else None,
        "seal_code": key.seal_code,
        "version": key.version,
        "place": key.place.value,
        "token": key.token,
        "suite": key.suite.value if key.suite else None,
        "since": representation.time_or_none(key.since),
        "until": representation.time_or_none(key.until),
        "state": key.state.value,
    }


def _told(key: ListedKey) -> str:
    name = key.role.value if key.role else f"seal {key.seal_code}" if key.seal_code else "of nothing"
    version = "" if key.version is None else f" {key.version}"
    return f"{name}{version}, {key.state.value}, in {key.place.value}"
