"""日志恢复: entries read back from the bundles of the published log, columns projected from their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from seal_service.domain.errors import InvalidInput, LogDamaged, LogIncomplete
from seal_service.domain.events import EventKind
from seal_service.formats import canonical
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.entry import utc
from seal_service.log.tiles import WIDTH, Tile, entries_of
from seal_service.ports.log_recovery import ReplayedEntry
from seal_service.ports.records import LogRow
from seal_service.ports.transparency import LogFiles


class BundledEntries:
    """The port PublishedEntries over C2SP bundles, for the log of an origin."""

    def __init__(self, files: LogFiles, origin: str) -> None:
        self._files = files
        self._origin = origin

    def groups(self, first: int, size: int) -> Iterator[Sequence[bytes]]:
        """Bundle by bundle."""
        for index in range(first // WIDTH, -(-size // WIDTH)):
            begin = index * WIDTH
            tile = Tile(None, index, min(WIDTH, size - begin))
            entries = self._bundle(tile)
            yield entries[max(0, first - begin) : tile.width]

    def entry(self, canon: bytes) -> ReplayedEntry:
        """Every column from the field of its name, as the audit compares them."""
        try:
            leaf = canonical.decode(canon)
            kind, at, seq = EventKind(str(leaf.get("kind"))), _moment(leaf.get("at")), leaf.get("seq")
        except (InvalidInput, ValueError) as error:
            raise LogDamaged(
                f"A bundle of the log has an entry that this program cannot read ({error}): take the version that "
                "wrote it, or a newer one"
            ) from error
        entry_id, result = leaf.get("id"), leaf.get("result")
        if leaf.get("log") != self._origin or not isinstance(entry_id, str) or not isinstance(result, str):
            raise LogDamaged("A bundle of the log has an entry of another log: put back SEAL_LOG_DIRECTORY")
        if seq is not None and (not isinstance(seq, int) or isinstance(seq, bool)):
            raise LogDamaged("A bundle of the log has an entry whose counter is no number")
        facts = leaf.get("facts")
        row = LogRow(
            entry_id=entry_id,
            kind=kind,
            at=at,
            seq=seq,
            result=result,
            canon=canon,
            leaf_hash=leaf_hash(canon),
            operator_ref=None,  # a pseudonym of what is personal
            account_id=_text(leaf, "account_id"),
            unit_id=_text(leaf, "unit_id"),
            seal_code=_text(leaf, "seal_code"),
            scenario=_text(leaf, "scenario"),
            document_sha256=_text(leaf, "document_sha256"),
            use_id=_text(leaf, "use_id"),
            intent_id=_text(leaf, "intent_id"),
        )
        return ReplayedEntry(row=row, facts=facts if isinstance(facts, dict) else {}, reason=_reason(leaf))

    def _bundle(self, tile: Tile) -> list[bytes]:
        content = self._files.read(tile.path)
        if content is not None:
            return entries_of(content, tile.width)
        full = self._files.read(tile.full().path)
        if full is None:
            raise LogIncomplete(f"The log's file {tile.path} is missing: put back SEAL_LOG_DIRECTORY")
        return entries_of(full, WIDTH)


def _moment(text: object) -> datetime:
    at = datetime.fromisoformat(str(text)).astimezone(UTC)
    if utc(at) != text:
        raise ValueError("its time is not one of the log")
    return at


def _text(leaf: Mapping[str, object], name: str) -> str | None:
    value = leaf.get(name)
    if value is not None and not isinstance(value, str):
        raise LogDamaged(f"A bundle of the log has an entry whose {name} is no text")
    return value


def _reason(leaf: Mapping[str, object]) -> str | None:
    record = leaf.get("a")
    reason = record.get("reason") if isinstance(record, dict) else None
    return reason if isinstance(reason, str) else None
