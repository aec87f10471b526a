"""seal custody: 印章保管与启用, and uses in two steps for seals on media (article 20)."""

from __future__ import annotations

import base64
import getpass
import hashlib
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import read_document, read_small, waiting_file
from seal_service.cli.options import (
    AsJson,
    SealCodeArgument,
    SealCodeOption,
    Yes,
    example,
    moment,
    noun,
    unless_confirmed,
)
from seal_service.cli.output import print_fields, working
from seal_service.cli.session import session
from seal_service.domain.errors import DocumentNotKept, InvalidInput
from seal_service.domain.placement import Placement
from seal_service.domain.use import SignatureLevel
from seal_service.formats import representation
from seal_service.usecases.activate_seal import ActivateSeal, ActivationState, TakeIntoCustody, WhichActivation
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.complete_prepared_use import CompletePreparedUse
from seal_service.usecases.prepare_use import PrepareUse
from seal_service.usecases.read_prepared_use import ReadPreparedUse

app = noun("印章保管与启用: who keeps a seal's key, and lets it be pressed.")

SecretFile = Annotated[
    Path | None,
    typer.Option("--secret-file", metavar="FILE", help="With the 激活口令; default: it is asked for."),
]
LONGEST_SECRET_FILE = 4096


def _secret(file: Path | None, *, twice: bool = False) -> str:
    if file is not None:
        return read_small(file, LONGEST_SECRET_FILE).decode("utf-8", "replace").rstrip("\r\n")
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given = getpass.getpass("激活口令: ")
    if twice and getpass.getpass("激活口令, once more: ") != given:
        raise InvalidInput("The two are not the same", field="secret")
    return given


def _state(state: ActivationState) -> representation.Plain:
    record, activation = state.record, state.activation
    return {
        "taken": record is not None,
        "taken_at": representation.time(record.taken_at) if record else None,
        "active": activation is not None,
        "until": representation.time(activation.until) if activation else None,
        "uses_left": activation.uses_left if activation else None,
        "blocked_until": representation.time(record.blocked_until) if record and record.blocked_until else None,
    }


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
    """停用: lock the seal's key again, at once."""
    with session() as at:
        at.service.custody.end_activation(at.caller, WhichActivation(seal_code=code))


@app.command(epilog=example("seal custody show 99990000000001"))
def show(code: SealCodeArgument, as_json: AsJson = False) -> None:
    """启用状态: whether the seal can be pressed, how long and how often."""
    with session() as at:
        state = at.service.custody.read_activation(at.caller, WhichActivation(seal_code=code))
    print_fields(_state(state), as_json=as_json)


@app.command(
    epilog=example("seal custody prepare notice.pdf --seal 99990000000001 --scenario permit -o to-be-signed.der")
)
def prepare(
    document: Annotated[Path, typer.Argument(metavar="IN", help="The PDF; it is not changed.")],
    seal: SealCodeOption,
    scenario: Annotated[str, typer.Option(help="用印场景 of the grant.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="What the medium is to sign, DER.")],
    level: Annotated[SignatureLevel, typer.Option(help="签名级别.")] = SignatureLevel.B_LT,
    page: Annotated[int, typer.Option(help="From 1; -1 is the last page.")] = -1,
    x: Annotated[float | None, typer.Option(metavar="MM", help="From the left edge of the page as shown.")] = None,
    y: Annotated[float | None, typer.Option(metavar="MM", help="From its upper edge, down.")] = None,
    key: Annotated[str | None, typer.Option(metavar="IDEMPOTENCY", help="Repeat a request with its key.")] = None,
    as_json: AsJson = False,
) -> None:
    """两步用印之一, for a seal on a medium: FILE is what its medium signs."""
    with session() as at, waiting_file(output) as file:
        asked = ApplySeal(
            seal_code=seal,
            document=read_document(document, at.service.document_bytes),
            scenario=scenario,
            idempotency_key=key or f"cli-{secrets.token_hex(16)}",
            placement=Placement(page=page, x_mm=x, y_mm=y),
            level=level,
        )
        use, prepared = at.service.custody.prepare_use(at.caller, PrepareUse(asked=asked))
        file.write(prepared.to_be_signed)
    told = {
        "id": use.id,
        "seal_code": use.seal_code,
        "state": use.state.value,
        "to_be_signed": base64.b64encode(prepared.to_be_signed).decode(),
        "digest_sha256": hashlib.sha256(prepared.to_be_signed).hexdigest(),
        "algorithm": prepared.suite.value,
        "certificate_serial": prepared.certificate_serial,
        "document_sha256": use.document_sha256,
        "expires_at": representation.time(prepared.expires_at),
        "attempts": prepared.attempts,
    }
    print_fields(told, as_json=as_json)


@app.command(epilog=example("seal custody complete ID --seal 99990000000001 --signature signature.der -o sealed.pdf"))
def complete(
    use_id: Annotated[str, typer.Argument(metavar="ID", help="From `seal custody prepare`.")],
    seal: SealCodeOption,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where the sealed document goes.")],
    signature: Annotated[Path | None, typer.Option(metavar="FILE", help="The signature value.")] = None,
    cms: Annotated[Path | None, typer.Option(metavar="FILE", help="A CMS with the signature, DER.")] = None,
    as_json: AsJson = False,
) -> None:
    """两步用印之二: the medium's signature in, the sealed document out."""
    command = CompletePreparedUse(
        seal_code=seal,
        use_id=use_id,
        signature=read_small(signature, 1 << 16) if signature else None,
        cms=read_small(cms, 1 << 17) if cms else None,
    )
    with session() as at, waiting_file(output) as file:
        with working("用印 completing the seal …"):
            applied = at.service.custody.complete_prepared_use(at.caller, command)
        if applied.pieces is None:
            raise DocumentNotKept
        file.write(*applied.pieces)
        receipt = representation.receipt(applied.use, at.service.origin, applied.lower_level_reason)
        print_fields({**receipt, "file": str(output), "replayed": applied.replayed}, as_json=as_json)


@app.command(epilog=example("seal custody cancel ID --seal 99990000000001"))
def cancel(use_id: Annotated[str, typer.Argument(metavar="ID")], seal: SealCodeOption) -> None:
    """放弃待签用印: its count goes back."""
    with session() as at:
        at.service.custody.cancel_prepared_use(at.caller, ReadPreparedUse(seal_code=seal, use_id=use_id))
