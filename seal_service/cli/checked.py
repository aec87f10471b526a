"""核对, printed: what was compared and what was found, alike for the database, the log and its files."""

from __future__ import annotations

import typer

from seal_service.cli.output import print_fields, print_json, print_rows
from seal_service.domain.invariants import Checked


def print_checked(found: Checked, more: dict[str, object], *, as_json: bool) -> None:
    """Print it; exit code 1 when something was found."""
    fields = {**more, "clean": found.clean, **found.checked}
    rows: list[dict[str, object]] = [
        {"invariant": one.invariant.value, "subject": one.subject, "detail": one.detail} for one in found.findings
    ]
    counts = {one.value: count for one, count in found.counts.items()}
    if as_json:
        print_json({**fields, "counts": counts, "findings": rows})
    else:
        print_fields({**fields, **counts}, as_json=False)
        if rows:
            print_rows(rows, ("invariant", "subject", "detail"))
    if not found.clean:
        raise typer.Exit(1)
