"""溯源结果 as the command line shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from seal_service.cli.output import console
from seal_service.formats import representation
from seal_service.ports.records import LogRow
from seal_service.usecases.trace import Story, TracedUse


def story_as_plain(story: Story, now: datetime) -> representation.Plain:
    """The story as JSON has it."""
    return {
        "uses": [_traced(one, now) for one in story.uses],
        "further_entries": [representation.log_entry(row) for row in story.further_entries],
        "complete": story.complete,
        "upto_size": story.upto_size,
    }


def _traced(one: TracedUse, now: datetime) -> representation.Plain:
    return {
        "use": representation.use(one.use),
        "seal": representation.seal(one.seal, now),
        "unit": representation.unit(one.unit),
        "grant": representation.grant(one.grant),
        "approval": representation.approval(one.approval) if one.approval is not None else None,
        "seal_history": [representation.status_change(change) for change in one.seal_history],
        "entries": [representation.log_entry(row) for row in one.entries],
    }


def print_story(story: Story) -> None:
    """The story as a tree: use, seal, unit, grant, history, entries."""
    at = console()
    if not story.uses:
        at.print("No use of a seal stands behind this.")
    for one in story.uses:
        at.print(_tree(one))
    if story.further_entries:
        at.print("Further entries:", _entries(story.further_entries))
    if not story.complete:
        at.print("There are more uses than these.")
    at.print(f"The log had {story.upto_size} entries.")


def _tree(one: TracedUse) -> Tree:
    use, grant = one.use, one.grant
    ended = representation.time_or_none(use.ended_at) or representation.time(use.reserved_at)
    tree = Tree(escape(f"用印 use {use.id} · {use.state.value} · {ended} · {use.scenario}"))
    steps = (use.document_sha256, use.repaired_sha256, use.sealed_sha256 or use.failure or "")
    tree.add(escape(f"文件 document {' → '.join(step for step in steps if step is not None)}"))
    tree.add(escape(f"印章 seal {one.seal.code} {one.seal.name}"))
    tree.add(escape(f"单位 unit {one.unit.name} {one.unit.credit_code}"))
    told = f"{grant.id} · 责任人 {grant.responsible_person} · {grant.approval_number}"
    tree.add(escape(f"授权 grant {told}"))
    if one.approval is not None:
        approval = one.approval
        decided = f"{approval.requested_by} → {approval.decided_by} · {approval.state.value}"
        tree.add(escape(f"审批 approval {approval.id} · {approval.number} · {decided}"))
    history = tree.add("状态 status of the seal")
    for change in one.seal_history:
        history.add(f"{representation.time(change.at)} {change.state.value}")
    tree.add(_entries(one.entries))
    return tree


def _entries(rows: Sequence[LogRow]) -> Table:
    entries = Table("at", "kind", "result", "entry_id", "leaf_hash")
    for row in rows:
        at = representation.time(row.at)
        entries.add_row(at, row.kind.value, escape(row.result), escape(row.entry_id), row.leaf_hash.hex()[:16] + "…")
    return entries
