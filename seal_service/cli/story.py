"""溯源结果 as the command line shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from seal_service.cli.output import console
from seal_service.domain.approval import UseApproval
from seal_service.domain.grant import Grant
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Seal
from seal_service.formats import representation
from seal_service.ports.records import LogRow
from seal_service.usecases.trace import Story, TracedSeal, TracedUse


def story_as_plain(story: Story, now: datetime) -> representation.Plain:
    """The story as JSON has it."""
    return {
        "asked": _asked(story.asked, now) if story.asked is not None else None,
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
        "decisions": [representation.log_entry(row) for row in one.decisions],
    }


def _asked(asked: TracedSeal, now: datetime) -> representation.Plain:
    return {
        "seal": representation.seal(asked.seal, now),
        "unit": representation.unit(asked.unit),
        "seal_history": [representation.status_change(change) for change in asked.seal_history],
        "grant": representation.grant(asked.grant) if asked.grant is not None else None,
        "approval": representation.approval(asked.approval) if asked.approval is not None else None,
    }


def print_story(story: Story) -> None:
    """The story as a tree: use, seal, unit, grant, history, entries."""
    at = console()
    if story.asked is not None:
        at.print(_tree_of_asked(story.asked))
    if not story.uses:
        at.print("No use of a seal stands behind this.")
    for one in story.uses:
        at.print(_tree(one))
    if story.further_entries:
        at.print("Further entries:", _entries(story.further_entries))
    if not story.complete:
        at.print("There are more uses or entries than these.")
    at.print(f"The log had {story.upto_size} entries.")


def _tree(one: TracedUse) -> Tree:
    use, grant = one.use, one.grant
    ended = representation.time_or_none(use.ended_at) or representation.time(use.reserved_at)
    tree = Tree(escape(f"用印 use {use.id} · {use.state.value} · {ended} · {use.scenario}"))
    steps = (use.document_sha256, use.repaired_sha256, use.sealed_sha256 or use.failure or "")
    tree.add(escape(f"文件 document {' → '.join(step for step in steps if step is not None)}"))
    _add_seal(tree, one.seal, one.unit)
    _add_authority(tree, grant, one.approval)
    _add_history(tree, one.seal_history)
    tree.add(_entries([*one.decisions, *one.entries]))
    return tree


def _tree_of_asked(asked: TracedSeal) -> Tree:
    tree = Tree(escape(f"溯源 {asked.seal.code}"))
    _add_seal(tree, asked.seal, asked.unit)
    _add_authority(tree, asked.grant, asked.approval)
    _add_history(tree, asked.seal_history)
    return tree


def _add_seal(tree: Tree, seal: Seal, unit: Unit) -> None:
    tree.add(escape(f"印章 seal {seal.code} {seal.name}"))
    tree.add(escape(f"单位 unit {unit.name} {unit.credit_code}"))


def _add_authority(tree: Tree, grant: Grant | None, approval: UseApproval | None) -> None:
    if grant is not None:
        told = f"{grant.id} · 责任人 {grant.responsible_person} · {grant.approval_number}"
        tree.add(escape(f"授权 grant {told}"))
    if approval is not None:
        decided = f"{approval.requested_by} → {approval.decided_by} · {approval.state.value}"
        tree.add(escape(f"审批 approval {approval.id} · {approval.number} · {decided}"))


def _add_history(tree: Tree, changes: Sequence[StatusChange]) -> None:
    history = tree.add("状态 status of the seal")
    for change in changes:
        history.add(f"{representation.time(change.at)} {change.state.value}")


def _entries(rows: Sequence[LogRow]) -> Table:
    entries = Table("at", "kind", "result", "entry_id", "leaf_hash")
    for row in rows:
        at = representation.time(row.at)
        entries.add_row(at, row.kind.value, escape(row.result), escape(row.entry_id), row.leaf_hash.hex()[:16] + "…")
    return entries
