"""日志佐证: what the service's own log tells of a use, by its entries and by the tree that it published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from seal_service.domain.errors import InvalidInput, LogDamaged, LogIncomplete, NoteRefused, Unavailable
from seal_service.domain.logged import EntryFacts, Inclusion, LoggedUse, ProvenUses
from seal_service.formats.checkpoint import read_checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import read_note
from seal_service.log.entry_facts import entry_facts
from seal_service.log.proofs import read_proof
from seal_service.log.proven_uses import proven_uses, trusted_logs
from seal_service.ports.records import LogRow, Transaction
from seal_service.ports.system import Clock
from seal_service.ports.transparency import NoteSigner, PublishedLog

_LEAST_FAR = (
    Inclusion.CONTRADICTED,
    Inclusion.UNANSWERED,
    Inclusion.OVERDUE,
    Inclusion.UNPUBLISHED,
    Inclusion.AWAITED,
    Inclusion.PUBLISHED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLog:
    """The port LogEvidence. Safe for threads."""

    origin: str
    published: PublishedLog
    signer: NoteSigner
    """By whose public keys published checkpoints are checked."""
    clock: Clock
    merge: timedelta
    """Within which an entry is published, as receipts promise."""
    signed: dict[bytes, int] = field(default_factory=dict, compare=False, repr=False)
    """The checkpoint that was opened last, with its size: most seals are asked under the same."""

    def of_intent(self, transaction: Transaction, leaf_hash: bytes) -> LoggedUse | None:
        """By the use's row, which only says where to look: what counts are the entries' own bytes.

        A use whose row a restore lost is found among the entries that came back.
        """
        use = transaction.uses.by_intent(leaf_hash)
        named = (use.intent.entry_id, use.terminal_entry_id) if use else transaction.log.recovered(leaf_hash)
        row = None if named is None else transaction.log.find(named[0])
        intent = None if row is None else self._facts(row)
        if named is None or row is None or intent is None or intent.leaf_hash != leaf_hash.hex():
            return None
        ended = None if named[1] is None else transaction.log.find(named[1])
        end = None if ended is None else self._facts(ended)
        found = [self._inclusion(transaction, one) for one in (row, ended) if one is not None]
        inclusion, _ = min(found, key=lambda one: _LEAST_FAR.index(one[0]))
        return LoggedUse(intent=intent, end=end, inclusion=inclusion, tree_size=max(size for _, size in found))

    def by_proofs(self, proofs: Sequence[bytes], log_keys: Sequence[str]) -> ProvenUses:
        """What proof files show to whoever believes these log keys; without any, this log's own."""
        if log_keys:
            return proven_uses(proofs, trusted_logs(log_keys))
        trusted = trusted_logs(self.signer.verifier_keys)
        return proven_uses(proofs, replace(trusted, given=False, also=self._require_own))

    def _require_own(self, checkpoint: bytes) -> None:
        """NoteRefused for a tree that this log never had, whoever signed it: a key that ended may be in other hands."""
        tree = read_checkpoint(read_note(checkpoint).text)
        try:
            root = self.published.root(tree.size)
        except (LogIncomplete, LogDamaged, Unavailable) as error:
            raise NoteRefused(f"The log cannot be compared with the proof's tree: {error.message}") from error
        if root is None:
            raise NoteRefused(f"The published log does not reach the proof's tree of {tree.size} entries")
        if root != tree.root:
            raise NoteRefused(f"The proof's tree of {tree.size} entries is none of this log's")

    def _facts(self, row: LogRow) -> EntryFacts | None:
        try:
            return entry_facts(row.canon, self.origin)
        except InvalidInput:
            return None

    def _inclusion(self, transaction: Transaction, row: LogRow) -> tuple[Inclusion, int]:
        """How far an entry is in the tree, and the published tree's size; the bytes are hashed again, and
        `published` has checked the path that it gives."""
        leaf = leaf_hash(row.canon)
        try:
            index = transaction.tree.index_of(row.entry_id)
            proof = None if index is None else self.published.inclusion(leaf, index, None)
            if proof is not None:
                return Inclusion.PUBLISHED, self._signed_size(read_proof(proof).checkpoint)
            tree = self.published.tree()
        except (LogIncomplete, Unavailable):
            return Inclusion.UNANSWERED, 0
        except (LogDamaged, InvalidInput):
            return Inclusion.CONTRADICTED, 0
        if tree is None and transaction.tree.latest_checkpoint() is not None:
            return Inclusion.UNANSWERED, 0  # the checkpoint's file is lost: it was there
        if tree is None:
            return Inclusion.UNPUBLISHED, 0
        return (Inclusion.AWAITED if self._is_young(row.at) else Inclusion.OVERDUE), tree.size

    def _is_young(self, at: datetime) -> bool:
        return self.clock.now() < at + self.merge

    def _signed_size(self, checkpoint: bytes) -> int:
        """The size of a checkpoint that the log's key of that size signed; NoteRefused."""
        size = self.signed.get(checkpoint)
        if size is None:
            size = self.signer.open(checkpoint).size
            self.signed.clear()
            self.signed[checkpoint] = size
        return size
