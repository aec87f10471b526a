"""seal log: 签章日志, its queries, statistics and traces (article 22)."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli import log_audit, log_export, log_publication, log_recovery, published_log
from seal_service.cli.files import read_document, waiting_file
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
from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, example, moment, noun
from seal_service.cli.output import print_fields, print_json, print_rows
from seal_service.cli.session import session
from seal_service.cli.story import print_story, story_as_plain
from seal_service.domain.errors import InvalidInput
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.ports.reading import LogFilter, StatisticsKey, StatisticsRow
from seal_service.usecases.read_log import CountLog, QueryLog, ReadEntry
from seal_service.usecases.trace import Trace

app = noun("签章日志: every act on every seal.")


@app.command(
    epilog=example(
        "seal log query --seal 99990000000001 --result refused",
        "seal log query --from 2026-03-01T00:00:00+08:00 --json",
    )
)
def query(
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
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """日志查询, newest first."""
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
    command = QueryLog(chosen=chosen, operator_id=operator, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        answer = at.service.query_log(at.caller, command)
    rows = [representation.log_entry(row) for row in answer.page.items]
    if as_json:
        print_json({"items": rows, "next_cursor": answer.page.next_cursor, "upto_size": answer.upto_size})
        return
    print_rows(rows, ("at", "kind", "result", "seal_code", "scenario", "account_id", "entry_id"))
    print(f"The log had {answer.upto_size} entries.")
    if answer.page.next_cursor is not None:
        print(f"more: --cursor {answer.page.next_cursor}")


@app.command(epilog=example("seal log entry ENTRY_ID --json"))
def entry(
    entry_id: Annotated[str, typer.Argument(metavar="ENTRY_ID", help="From a query, a receipt or a trace.")],
    as_json: AsJson = False,
) -> None:
    """日志条目, with the personal fields that an auditor may see."""
    with session() as at:
        answer = at.service.read_entry(at.caller, ReadEntry(entry_id=entry_id))
    kept = {"canonical": answer.row.canon.decode(), "personal": answer.private}
    print_fields({**representation.log_entry(answer.row), **kept}, as_json=as_json)


@app.command(epilog=example("seal log stats --by unit --by result", "seal log stats --by month --kind seal.completed"))
def stats(
    by: Annotated[list[StatisticsKey], typer.Option(help="统计维度; repeat it for several.")],
    seal: Seal = None,
    unit: Unit = None,
    account: Account = None,
    scenario: Scenario = None,
    kind: Kind = None,
    result: ResultOption = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """日志统计, most first, with names as they are now. Days and months are those of Asia/Shanghai."""
    chosen = LogFilter(
        seal_code=seal,
        unit_id=unit,
        account_id=account,
        scenario=scenario,
        kind=kind,
        result=result,
        at_from=moment(since, "from"),
        at_until=moment(until, "until"),
    )
    with session() as at:
        keys = tuple(dict.fromkeys(by))
        page = PageRequest(limit=limit, cursor=cursor)
        answer = at.service.count_log(at.caller, CountLog(keys=keys, chosen=chosen, page=page))
    columns = [key.value for key in keys]
    if as_json:
        counted = [representation.counted(columns, row) for row in answer.rows]
        print_json({"items": counted, "next_cursor": answer.next_cursor, "upto_size": answer.upto_size})
        return
    print_rows((_with_names(columns, row) for row in answer.rows), (*columns, "count"))
    print(f"The log had {answer.upto_size} entries.")
    if answer.next_cursor is not None:
        print(f"more: --cursor {answer.next_cursor}")


def _with_names(columns: list[str], row: StatisticsRow) -> dict[str, object]:
    """A row of the table: each value after what it is called."""
    of_row = zip(columns, row.key, row.names, strict=True)
    return {column: value if name is None else f"{name} {value}" for column, value, name in of_row} | {
        "count": row.count
    }


@app.command(
    epilog=example(
        "seal log trace sealed.pdf",
        "seal log trace --entry ENTRY_ID --json",
        "seal log trace --seal 99990000000001 --pdf report.pdf",
    )
)
def trace(
    document: Annotated[Path | None, typer.Argument(metavar="FILE", help="A document, sealed or not yet.")] = None,
    sha256: Annotated[str | None, typer.Option("--sha256", metavar="HEX", help="A document's digest.")] = None,
    use: Annotated[str | None, typer.Option("--use", metavar="ID", help="A use of a seal.")] = None,
    entry_id: Annotated[str | None, typer.Option("--entry", metavar="ID", help="A log entry.")] = None,
    index: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="A log entry, by its place in the tree.")
    ] = None,
    seal: Annotated[str | None, typer.Option("--seal", metavar="CODE", help="A seal.")] = None,
    grant: Annotated[str | None, typer.Option("--grant", metavar="ID", help="A 用印授权.")] = None,
    approval: Annotated[str | None, typer.Option("--approval", metavar="ID", help="A 用印审批.")] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write it as a signed report.")] = None,
    as_json: AsJson = False,
) -> None:
    """溯源: from a document, its digest, a use, a log entry, a seal, a grant or an approval to the whole story.

    1 when there is none.
    """
    if document is not None and sha256 is not None:
        raise InvalidInput("Name a FILE or --sha256, not both", field="sha256")
    with session() as at, nullcontext() if pdf is None else waiting_file(pdf) as report:
        if document is not None:
            sha256 = read_document(document, at.service.document_bytes).sha256_hex
        command = Trace(
            document_sha256=sha256,
            use_id=use,
            entry_id=entry_id,
            index=index,
            seal_code=seal,
            grant_id=grant,
            approval_id=approval,
        )
        if report is None:
            story = at.service.trace(at.caller, command)
        else:
            reported = at.service.desk.report_story(at.caller, command)
            report.write(reported.content)
            story = reported.story
        now = at.service.clock.now()
    if as_json:
        print_json(story_as_plain(story, now))
    else:
        print_story(story)
    if story.asked is None and not story.uses and not story.further_entries:
        raise typer.Exit(1)


app.command("init", epilog=log_publication.INIT_EXAMPLE)(log_publication.init)
app.command("publish", epilog=log_publication.PUBLISH_EXAMPLE)(log_publication.publish)
app.command("resume", epilog=log_publication.RESUME_EXAMPLE)(log_publication.resume)
app.command("key", epilog=log_publication.KEY_EXAMPLE)(log_publication.key)
app.command("rotate-key", epilog=log_publication.ROTATE_EXAMPLE)(log_publication.rotate_key)
app.command("checkpoint", epilog=published_log.CHECKPOINT_EXAMPLE)(published_log.checkpoint)
app.command("proof", epilog=published_log.PROOF_EXAMPLE)(published_log.proof)
app.command("check-receipt", epilog=published_log.CHECK_RECEIPT_EXAMPLE)(published_log.check_receipt)
app.command("export", epilog=log_export.EXAMPLE)(log_export.export)
app.command("audit", epilog=log_audit.AUDIT_EXAMPLE)(log_audit.audit)
app.command("recover", epilog=log_recovery.EXAMPLE)(log_recovery.recover)
app.command("fsck", epilog=log_audit.FSCK_EXAMPLE)(log_audit.fsck)
