"""What the command line prints: tables for people, one stable JSON for programs, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, track
from rich.table import Table

from seal_service.domain.paging import Page
from seal_service.formats.representation import Plain

Item = TypeVar("Item")

WIDTH_OF_FILES = 160
"""Columns when the output is not a terminal."""


def console() -> Console:
    """Standard output as it is now."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES, highlight=False)


def print_json(value: object) -> None:
    """One value, one line."""
    print(json.dumps(value, ensure_ascii=False))


def print_fields(fields: Mapping[str, object], *, as_json: bool) -> None:
    """One thing: its fields as two columns, or as JSON."""
    if as_json:
        print_json(fields)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields.items():
        table.add_row(escape(name), escape(cell(value)))
    console().print(table)


def print_page(page: Page[Item], rendering: Callable[[Item], Plain], columns: Sequence[str], *, as_json: bool) -> None:
    """A page of a list: the named columns as a table, or everything as JSON with `next_cursor`."""
    rows = [rendering(one) for one in page.items]
    if as_json:
        print_json({"items": rows, "next_cursor": page.next_cursor})
        return
    print_rows(rows, columns)
    if page.next_cursor is not None:
        console().print(f"more: --cursor {escape(page.next_cursor)}", soft_wrap=True)


def print_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> None:
    """A table of the named columns."""
    table = Table(*columns)
    for row in rows:
        table.add_row(*(escape(cell(row.get(name))) for name in columns))
    console().print(table)


def cell(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def tracked(items: Sequence[Item], description: str) -> Iterable[Item]:
    """The items, with a bar on standard error while they are worked on, if that is a terminal."""
    errors = Console(stderr=True)
    return track(items, description, console=errors, transient=True, disable=len(items) < 2 or not errors.is_terminal)


@contextmanager
def working(description: str) -> Iterator[None]:
    """A spinner on standard error while something takes its time, if that is a terminal."""
    errors = Console(stderr=True)
    if not errors.is_terminal:
        yield
        return
    with errors.status(description):
        yield


@contextmanager
def counting() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error for work that tells what it does, how much is done and of how much (0: not known)."""
    errors = Console(stderr=True)
    if not errors.is_terminal:
        yield lambda _what, _done, _of: None
        return
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, of: progress.update(task, description=what, completed=done, total=of or None)
