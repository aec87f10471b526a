"""seal apply: 用印, a seal on a document."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import use_options
from seal_service.cli.files import read_document, waiting_file
from seal_service.cli.options import AsJson, SealCodeOption, example
from seal_service.cli.output import print_fields, working
from seal_service.cli.session import session
from seal_service.domain.errors import DocumentNotKept, InvalidInput
from seal_service.domain.placement import Placement
from seal_service.domain.use import SignatureLevel, operator_of
from seal_service.formats import representation
from seal_service.usecases.apply_seal import ApplySeal

EXAMPLE = example(
    "seal apply notice.pdf -o sealed.pdf --seal 99990000000001 --scenario permit.approval \\",
    "    --page 1 --x 120 --y 200 --operator-id U1001 --operator-name 张三",
)


def apply(
    document: use_options.Document,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where the sealed document goes.")],
    seal: SealCodeOption,
    scenario: use_options.ScenarioOption,
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
    """用印: apply a seal to a PDF and print the receipt. OUT is written only when the seal is on it and logged."""
    if output.exists() and output.samefile(document):
        raise InvalidInput("IN and OUT are the same file: the original is kept", field="output")
    with session() as at, waiting_file(output) as file:
        command = ApplySeal(
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
        with working("用印 applying the seal …"):
            applied = at.service.apply_seal(at.caller, command)
        if applied.pieces is None:
            raise DocumentNotKept
        try:
            file.write(*applied.pieces)
        except OSError:
            fetch = f"seal uses fetch {applied.use.id} --seal {seal} -o FILE"
            print(f"seal: the seal was applied, but OUT could not be written: `{fetch}`", file=sys.stderr)
            raise
        receipt = representation.receipt(applied.use, at.service.origin, applied.lower_level_reason)
        print_fields({**receipt, "file": str(output), "replayed": applied.replayed}, as_json=as_json)
