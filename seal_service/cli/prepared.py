"""seal custody prepare, complete, cancel: 两步用印, for seals whose key its unit keeps on a medium (article 20)."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import use_options
from seal_service.cli.files import read_document, read_small, waiting_file
from seal_service.cli.options import AsJson, SealCodeOption, example
from seal_service.cli.output import print_fields, working
from seal_service.cli.session import session
from seal_service.domain.errors import DocumentNotKept
from seal_service.domain.placement import Placement
from seal_service.domain.use import SignatureLevel, operator_of
from seal_service.formats import custody_representation
from seal_service.formats.receipt_representation import receipt
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.complete_prepared_use import CompletePreparedUse
from seal_service.usecases.prepare_use import PrepareUse
from seal_service.usecases.read_prepared_use import ReadPreparedUse

PreparedId = Annotated[str, typer.Argument(metavar="ID", help="From `seal custody prepare`.")]


def add_commands(app: typer.Typer) -> None:
    """To custody's own."""
    code = "99990000000001"
    app.command(
        epilog=example(f"seal custody prepare notice.pdf --seal {code} --scenario permit.approval -o to-be-signed.der")
    )(prepare)
    app.command(epilog=example(f"seal custody complete ID --seal {code} --signature signature.der -o sealed.pdf"))(
        complete
    )
    app.command(epilog=example(f"seal custody cancel ID --seal {code}"))(cancel)


def prepare(
    document: use_options.Document,
    seal: SealCodeOption,
    scenario: use_options.ScenarioOption,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="What the medium is to sign, DER.")],
    level: use_options.Level = SignatureLevel.B_LT,
    allow_lower_level: use_options.AllowLowerLevel = False,
    allow_repair: use_options.AllowRepair = False,
    page: use_options.Page = -1,
    x: use_options.X = None,
    y: use_options.Y = None,
    operator_id: use_options.OperatorId = None,
    operator_name: use_options.OperatorName = None,
    operator_department: use_options.OperatorDepartment = None,
    case_number: use_options.CaseNumber = None,
    approval: use_options.Approval = None,
    handle: use_options.Handle = None,
    key: use_options.Key = None,
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
            allow_lower_level=allow_lower_level,
            allow_repair=allow_repair,
            operator=operator_of(operator_id, operator_name, operator_department),
            case_number=case_number,
            approval_id=approval,
            handle=handle,
        )
        use, prepared = at.service.custody.prepare_use(at.caller, PrepareUse(asked=asked))
        file.write(prepared.to_be_signed)
    print_fields(custody_representation.prepared_use(use, prepared), as_json=as_json)


def complete(
    use_id: PreparedId,
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
        try:
            file.write(*applied.pieces)
        except OSError:
            fetch = f"seal uses fetch {applied.use.id} --seal {seal} -o FILE"
            print(f"seal: the seal was applied, but OUT could not be written: `{fetch}`", file=sys.stderr)
            raise
        told = receipt(applied.use, at.service.origin, applied.lower_level_reason, applied.receipt)
        print_fields({**told, "file": str(output), "replayed": applied.replayed}, as_json=as_json)


def cancel(use_id: PreparedId, seal: SealCodeOption) -> None:
    """放弃待签用印: its count goes back."""
    with session() as at:
        at.service.custody.cancel_prepared_use(at.caller, ReadPreparedUse(seal_code=seal, use_id=use_id))
    print("Given up.")
