"""Options of a use, which one step and two steps have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seal_service.domain.use import SignatureLevel

Document = Annotated[Path, typer.Argument(metavar="IN", help="The PDF; it is not changed.")]
ScenarioOption = Annotated[str, typer.Option("--scenario", help="用印场景 of the grant.")]
Level = Annotated[SignatureLevel, typer.Option(help="签名级别.")]
AllowLowerLevel = Annotated[bool, typer.Option("--allow-lower-level", help="Take the level that can be reached.")]
AllowRepair = Annotated[
    bool, typer.Option("--allow-repair", help="修复: repair IN if it is damaged and not signed, and seal that.")
]
Page = Annotated[int, typer.Option(help="From 1; -1 is the last page.")]
X = Annotated[float | None, typer.Option(metavar="MM", help="From the left edge of the page as shown.")]
Y = Annotated[float | None, typer.Option(metavar="MM", help="From its upper edge, down.")]
OperatorId = Annotated[str | None, typer.Option(help="签章人标识 in the business system.")]
OperatorName = Annotated[str | None, typer.Option(help="签章人姓名.")]
OperatorDepartment = Annotated[str | None, typer.Option(help="签章人部门.")]
CaseNumber = Annotated[str | None, typer.Option(help="办件号.")]
Approval = Annotated[
    str | None, typer.Option(metavar="ID", help="用印审批 to take; default: the one for IN, where one is needed.")
]
Handle = Annotated[
    str | None, typer.Option(envvar="SEAL_HANDLE", help="授权句柄 of a system to which the seal was conveyed.")
]
Key = Annotated[
    str | None, typer.Option(metavar="IDEMPOTENCY", help="Repeat a request with its key; default: a new one.")
]
