"""Options that many commands share, and how their text becomes values."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from seal_service.domain.errors import InvalidTime
from seal_service.domain.paging import DEFAULT_LIMIT

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, in the shape of the HTTP interface.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="At most so many.")]
Cursor = Annotated[str | None, typer.Option(help="Go on after the page that gave this cursor.")]
SealCodeOption = Annotated[str, typer.Option("--seal", metavar="CODE", help="印章编码: 14 digits.")]
SealCodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="印章编码: 14 digits.")]

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this nothing is changed.")]

FIRST_PAGE = DEFAULT_LIMIT


def noun(help_text: str) -> typer.Typer:
    """The commands of one noun."""
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None)


def example(*lines: str) -> str:
    """The end of a command's help: lines that can be copied as they are."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def unless_confirmed(yes: bool, effect: str) -> None:
    """Say what a dangerous act would do and leave with 1, unless it was confirmed."""
    if not yes:
        print(f"This would {effect}. Nothing was changed; add --yes to do it.", file=sys.stderr)
        raise typer.Exit(1)


def moment(text: str | None, field: str) -> datetime | None:
    """A time of RFC 3339 with its offset, in UTC; InvalidTime without one."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidTime(f"--{field} takes a time like 2026-03-01T08:00:00Z", field=field) from error
    if parsed.tzinfo is None:
        raise InvalidTime(f"--{field} needs an offset: 2026-03-01T08:00:00Z or …+08:00", field=field)
    try:
        return parsed.astimezone(UTC)
    except OverflowError as error:
        raise InvalidTime(f"--{field} lies outside the years 1 to 9999 in UTC", field=field) from error
