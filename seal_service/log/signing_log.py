"""签章日志 in the database: every act becomes an entry in the transaction that acts."""

from __future__ import annotations

from datetime import UTC

from seal_service.domain.errors import IntegrityFailed, InvalidInput
from seal_service.domain.events import Event, LoggedEntry
from seal_service.domain.identifiers import uuid7
from seal_service.formats import canonical
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.entry import commit, leaf, opened
from seal_service.ports.records import LogRow, Transaction
from seal_service.ports.system import Clock, Entropy, Vault


class DatabaseSigningLog:
    """签章日志 (article 22): the port SigningLog over the acting transaction. Stateless; safe for threads."""

    def __init__(self, origin: str, clock: Clock, entropy: Entropy, vault: Vault) -> None:
        self.origin = origin
        self._clock = clock
        self._entropy = entropy
        self._vault = vault

    def append(self, transaction: Transaction, event: Event) -> LoggedEntry:
        """Write the event's entry; durable exactly when the transaction is.

        Raises InvalidInput for facts outside the profile of the log, Conflict for a second end of an intent.
        """
        now = self._clock.now().astimezone(UTC)
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        entry_id = uuid7(at, self._entropy.token(10))
        private = dict(event.private)
        if event.operator_id is not None:
            private["operator_id"] = event.operator_id
        commitments = commit(entry_id, private, self._entropy, self._vault)
        seq = None if event.seal_code is None else transaction.log.next_seq(event.seal_code)
        canon = canonical.encode(
            leaf(event, entry_id=entry_id, at=at, seq=seq, origin=self.origin, commitments=commitments.values)
        )
        row = LogRow(
            entry_id=entry_id,
            kind=event.kind,
            at=at,
            seq=seq,
            result=event.result.value,
            canon=canon,
            leaf_hash=leaf_hash(canon),
            account_id=event.account_id,
            unit_id=event.unit_id,
            seal_code=event.seal_code,
            scenario=event.scenario,
            operator_ref=None if event.operator_id is None else self.operator_reference(event.operator_id),
            document_sha256=event.document_sha256,
            use_id=event.use_id,
            intent_id=event.intent_id,
            private=commitments.fields,
        )
        transaction.log.insert(row)
        return LoggedEntry(entry_id=entry_id, kind=event.kind, at=at, leaf_hash=row.leaf_hash)

    def operator_reference(self, operator_id: str) -> str:
        """The pseudonym under which an operator is found in the log."""
        return self._vault.pseudonym(operator_id, "operator")

    def private_fields(self, row: LogRow) -> dict[str, str]:
        """The personal fields of an entry that are still kept, each checked against its commitment.

        Raises IntegrityFailed when row and leaf disagree, and what the vault raises for a foreign ciphertext.
        """
        if leaf_hash(row.canon) != row.leaf_hash:
            raise IntegrityFailed(f"The bytes of entry {row.entry_id} do not have its leaf hash")
        try:
            entry = canonical.decode(row.canon)
        except InvalidInput as error:
            raise IntegrityFailed(f"The bytes of entry {row.entry_id} are not canonical") from error
        commitments = entry.get("private")
        if entry.get("id") != row.entry_id or not isinstance(commitments, dict | None):
            raise IntegrityFailed(f"The bytes of entry {row.entry_id} are those of another")
        known = commitments or {}
        return {field.name: opened(row.entry_id, field, known.get(field.name), self._vault) for field in row.private}
