"""seal log export: 日志导出, a file with its signed manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import waiting_file
from seal_service.cli.log_filter import (
    Account,
    Digest,
    Kind,
    Operator,
    ResultOption,
    Scenario,
    Seal,
    Since,
    Unit,
    Until,
    Use,
)
from seal_service.cli.options import AsJson, example, moment
from seal_service.cli.output import counting, print_fields
from seal_service.cli.session import session
from seal_service.domain.export import ExportFormat
from seal_service.ports.reading import LogFilter
from seal_service.usecases.export_log import ExportLog
from seal_service.usecases.fetch_manifest import FetchManifest

EXAMPLE = example(
    "seal log export --format jsonl -o exports",
    "seal log export --format csv -o exports --seal 99990000000001 --from 2026-01-01T00:00:00+08:00",
)


def export(
    form: Annotated[ExportFormat, typer.Option("--format", help="csv for spreadsheets, jsonl for programs.")],
    directory: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the two files go.")],
    seal: Seal = None,
    unit: Unit = None,
    account: Account = None,
    operator: Operator = None,
    scenario: Scenario = None,
    sha256: Digest = None,
    use: Use = None,
    kind: Kind = None,
    result: ResultOption = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """日志导出, oldest first: the file, and beside it its manifest, signed by the log's key. The log knows of it."""
    chosen = LogFilter(
        seal_code=seal,
        unit_id=unit,
        account_id=account,
        scenario=scenario,
        document_sha256=sha256,
        use_id=use,
        kind=kind,
        result=result,
        at_from=moment(since, "from"),
        at_until=moment(until, "until"),
    )
    directory.mkdir(parents=True, exist_ok=True)
    with session() as at, counting() as count:
        exported = at.service.desk.export_log(at.caller, ExportLog(format=form, chosen=chosen, operator_id=operator))
        target = directory / exported.file_name
        manifest = target.with_name(f"{target.name}.manifest")
        digest, everything = hashlib.sha256(), exported.upto_size if chosen == LogFilter() and not operator else 0
        with waiting_file(target) as file, waiting_file(manifest) as beside:
            file.write_each(_counted(exported.pieces, digest.update, lambda done: count("entries", done, everything)))
            beside.write(at.service.desk.fetch_manifest(at.caller, FetchManifest(sha256=digest.hexdigest())))
    told = {"file": str(target), "manifest": str(manifest), "sha256": digest.hexdigest()}
    print_fields({**told, "upto_size": exported.upto_size}, as_json=as_json)


def _counted(pieces: Iterable[bytes], digest: Callable[[bytes], None], tell: Callable[[int], None]) -> Iterator[bytes]:
    lines = 0
    for piece in pieces:
        digest(piece)
        lines += piece.count(b"\n")
        tell(lines)
        yield piece
