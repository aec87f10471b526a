"""Port to what the signing log tells of a seal on a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from seal_service.domain.logged import LoggedUse, ProvenUses
from seal_service.ports.records import Transaction


class LogEvidence(Protocol):
    """日志佐证 of this service's own log. Safe for threads."""

    def of_intent(self, transaction: Transaction, leaf_hash: bytes) -> LoggedUse | None:
        """The use whose intent has this leaf hash (32 bytes), as its entries tell of it; None when there is none.

        Entries whose bytes were changed are not there.
        """

    def by_proofs(self, proofs: Sequence[bytes], log_keys: Sequence[str]) -> ProvenUses:
        """What proof files show to whoever believes these log keys; without any, this service's own is believed.

        Raises NoteRefused for what is no log's key, InstanceNotReady when it would be its own and there is none.
        """
