"""Options by which entries of the log are chosen, the same for a query, statistics and an export."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.domain.events import EventKind, Result

Seal = Annotated[str | None, typer.Option("--seal", metavar="CODE", help="Only of this seal.")]
Unit = Annotated[str | None, typer.Option("--unit", metavar="ID", help="Only of this unit.")]
Account = Annotated[str | None, typer.Option("--account", metavar="ID", help="Only acts of this account or system.")]
Scenario = Annotated[str | None, typer.Option("--scenario", help="Only for this 用印场景.")]
Digest = Annotated[str | None, typer.Option("--sha256", metavar="HEX", help="Only of this document.")]
Kind = Annotated[EventKind | None, typer.Option("--kind", help="Only of this kind.")]
ResultOption = Annotated[Result | None, typer.Option("--result", help="Only with this result.")]
Since = Annotated[str | None, typer.Option("--from", metavar="TIME", help="From this time on.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before this time.")]
Operator = Annotated[str | None, typer.Option("--operator", metavar="ID", help="Only uses by this 签章人.")]
Use = Annotated[str | None, typer.Option("--use", metavar="ID", help="Only of this use.")]
