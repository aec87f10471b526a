"""seal log: 签章日志, its queries, statistics and traces (article 22)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import read_document
from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, example, moment, noun
from seal_service.cli.output import print_fields, print_json, print_rows
from seal_service.cli.session import session
from seal_service.cli.story import print_story, story_as_plain
from seal_service.domain.errors import InvalidInput
from seal_service.domain.events import EventKind, Result
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.ports.reading import LogFilter, StatisticsKey
from seal_service.usecases.read_log import CountLog, QueryLog, ReadEntry
from seal_service.usecases.trace import Trace

app = noun("签章日志: every act on every seal.")

Seal = Annotated[str | None, typer.Option("--seal", metavar="CODE", help="Only of this seal.")]
Unit = Annotated[str | None, typer.Option("--unit", metavar="ID", help="Only of this unit.")]
Account = Annotated[str | None, typer.Option("--account", metavar="ID", help="Only acts of this account or system.")]
Scenario = Annotated[str | None, typer.Option("--scenario", help="Only for this 用印场景.")]
Digest = Annotated[str | None, typer.Option("--sha256", metavar="HEX", help="Only of this document.")]
Kind = Annotated[EventKind | None, typer.Option("--kind", help="Only of this kind.")]
ResultOption = Annotated[Result | None, typer.Option("--result", help="Only with this result.")]
Since = Annotated[str | None, typer.Option("--from", metavar="TIME", help="From this time on.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before this time.")]


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
    operator: Annotated[str | None, typer.Option(metavar="ID", help="Only uses by this 签章人.")] = None,
    scenario: Scenario = None,
    sha256: Digest = None,
    use: Annotated[str | None, typer.Option(metavar="ID", help="Only of this use.")] = None,
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


@app.command(epilog=example("seal log stats --by unit --by result", "seal log stats --by day --kind seal.completed"))
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
    as_json: AsJson = False,
) -> None:
    """日志统计, most first. Days are those of Asia/Shanghai."""
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
        answer = at.service.count_log(at.caller, CountLog(keys=tuple(by), chosen=chosen))
    names = [key.value for key in by]
    if as_json:
        counted = [{"key": dict(zip(names, row.key, strict=True)), "count": row.count} for row in answer.rows]
        print_json({"items": counted, "upto_size": answer.upto_size})
        return
    rows = ({**dict(zip(names, row.key, strict=True)), "count": row.count} for row in answer.rows)
    print_rows(rows, (*names, "count"))
    print(f"The log had {answer.upto_size} entries.")


@app.command(epilog=example("seal log trace sealed.pdf", "seal log trace --entry ENTRY_ID --json"))
def trace(
    document: Annotated[Path | None, typer.Argument(metavar="FILE", help="A document, sealed or not yet.")] = None,
    sha256: Annotated[str | None, typer.Option("--sha256", metavar="HEX", help="A document's digest.")] = None,
    use: Annotated[str | None, typer.Option("--use", metavar="ID", help="A use of a seal.")] = None,
    entry_id: Annotated[str | None, typer.Option("--entry", metavar="ID", help="A log entry.")] = None,
    as_json: AsJson = False,
) -> None:
    """溯源: from a document, its digest, a use or a log entry to the whole story. 1 when there is none."""
    if document is not None and sha256 is not None:
        raise InvalidInput("Name a FILE or --sha256, not both", field="sha256")
    with session() as at:
        if document is not None:
            sha256 = read_document(document, at.service.document_bytes).sha256_hex
        story = at.service.trace(at.caller, Trace(document_sha256=sha256, use_id=use, entry_id=entry_id))
        now = at.service.clock.now()
    if as_json:
        print_json(story_as_plain(story, now))
    else:
        print_story(story)
    if not story.uses and not story.further_entries:
        raise typer.Exit(1)
