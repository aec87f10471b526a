"""日志核对: whether a stored entry is still what was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from seal_service.domain.errors import IntegrityFailed, InvalidInput
from seal_service.domain.events import TERMINAL_KINDS
from seal_service.domain.invariants import Finding, Invariant
from seal_service.formats import canonical
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.entry import opened, utc
from seal_service.ports.checking import StoredEntry
from seal_service.ports.system import Vault

_OPERATOR = "operator_id"


class StoredEntryCheck:
    """The port EntryCheck for entries of one log."""

    def __init__(self, origin: str, vault: Vault) -> None:
        self._origin = origin
        self._vault = vault

    def faults(self, entry: StoredEntry) -> Sequence[Finding]:
        """Where bytes, columns, personal fields or the named intent disagree."""
        if leaf_hash(entry.canon) != entry.leaf_hash:
            return [_finding(Invariant.LEAF, entry, "its bytes have another leaf hash")]
        try:
            leaf = canonical.decode(entry.canon)
        except InvalidInput as error:
            return [_finding(Invariant.LEAF, entry, f"its bytes are not canonical: {error.message}")]
        return [*self._columns(entry, leaf), *self._personal(entry, leaf), *_end(entry, leaf)]

    def _columns(self, entry: StoredEntry, leaf: Mapping[str, object]) -> Iterator[Finding]:
        for name, value in entry.columns.items():
            if leaf.get(name) != (utc(value) if isinstance(value, datetime) else value):
                yield _finding(Invariant.PROJECTION, entry, f"the column of {name} is not what its bytes say")
        if leaf.get("log") != self._origin:
            yield _finding(Invariant.PROJECTION, entry, "its bytes are those of another log")

    def _personal(self, entry: StoredEntry, leaf: Mapping[str, object]) -> Iterator[Finding]:
        committed = leaf.get("private")
        commitments = committed if isinstance(committed, dict) else {}
        values = {}
        for field in entry.private:
            try:
                values[field.name] = opened(entry.entry_id, field, commitments.get(field.name), self._vault)
            except IntegrityFailed:
                yield _finding(Invariant.PERSONAL, entry, f"{field.name} is not what the entry commits to")
        if _OPERATOR not in commitments:
            expected = None
        elif _OPERATOR in values:
            expected = self._vault.pseudonym(values[_OPERATOR], "operator")
        else:  # erased, or found wrong above: nothing to compare with
            return
        if entry.operator_ref != expected:
            yield _finding(Invariant.PROJECTION, entry, "the column of operator_ref is not its operator's pseudonym")


def _end(entry: StoredEntry, leaf: Mapping[str, object]) -> Iterator[Finding]:
    if leaf.get("kind") in TERMINAL_KINDS:
        named = leaf.get("intent_leaf_hash")
        if entry.intent_leaf_hash is None or named != entry.intent_leaf_hash.hex():
            yield _finding(Invariant.TERMINAL, entry, "it ends an intent that is not there, or that has other bytes")


def _finding(invariant: Invariant, entry: StoredEntry, detail: str) -> Finding:
    return Finding(invariant=invariant, subject=entry.entry_id, detail=detail)
