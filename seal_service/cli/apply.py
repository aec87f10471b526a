"""seal apply: 用印, a seal on a document."""

from __future__ import annotations

import secrets
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import use_options
from seal_service.cli.awaited_proof import awaited_proof
from seal_service.cli.failures import NEGATIVE_ANSWER
from seal_service.cli.files import read_document, waiting_file
from seal_service.cli.options import AsJson, SealCodeOption, example
from seal_service.cli.output import print_fields, working
from seal_service.cli.session import session
from seal_service.domain.errors import DocumentNotKept, InvalidInput, SealServiceError
from seal_service.domain.placement import Placement
from seal_service.domain.use import SignatureLevel, operator_of
from seal_service.formats.receipt_representation import receipt
from seal_service.usecases.apply_seal import ApplySeal

EXAMPLE = example(
    "seal apply notice.pdf -o sealed.pdf --seal 99990000000001 --scenario permit.approval \\",
    "    --page 1 --x 120 --y 200 --operator-id U1001 --operator-name 张三",
    "seal apply notice.pdf -o sealed.pdf --seal 99990000000001 --scenario permit.approval \\",
    "    --proof sealed.tlog-proof --wait-published 10",
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
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Wait for the log's proof of the seal, and write it there.")
    ] = None,
    wait_published: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=3600,
            help="Wait so long for the proof, which the receipt then has; with --proof by default "
            "SEAL_LOG_WAIT_SECONDS.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """用印: apply a seal to a PDF and print the receipt. OUT is written only when the seal is on it and logged.

    1 with a receipt: the seal is on OUT, but the proof that was waited for did not come in time.
    """
    if output.exists() and output.samefile(document):
        raise InvalidInput("IN and OUT are the same file: the original is kept", field="output")
    if proof is not None and proof.resolve() in (output.resolve(), document.resolve()):
        raise InvalidInput("The proof takes a file of its own", field="proof")
    with ExitStack() as opened:
        at, file = opened.enter_context(session()), opened.enter_context(waiting_file(output))
        proof_file = None if proof is None else opened.enter_context(waiting_file(proof))
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
        awaited, failure = None, None
        if proof_file is not None or wait_published is not None:
            seconds = at.service.transparency.wait_seconds if wait_published is None else wait_published
            try:
                with working("收录 waiting for the proof …"):
                    awaited = awaited_proof(at, applied.use, seconds)
                if proof_file is not None:
                    proof_file.write(awaited)
            except (SealServiceError, OSError) as error:  # the seal is on the document all the same
                failure = error
        told = receipt(applied.use, at.service.origin, applied.lower_level_reason, applied.receipt, awaited)
        print_fields({**told, "file": str(output), "replayed": applied.replayed}, as_json=as_json)
    if failure is not None:
        later = f"`seal log proof {applied.use.terminal_entry_id} -o FILE`"
        print(f"seal: the seal is on {output}, its proof is not written: {failure}. Later: {later}", file=sys.stderr)
        raise typer.Exit(NEGATIVE_ANSWER)
