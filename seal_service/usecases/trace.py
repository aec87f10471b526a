"""溯源 (article 22): from a document, its digest, a use, a seal, a grant, an approval or a log number to the story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.approval import UseApproval
from seal_service.domain.errors import InvalidInput, LogEntryNotFound, SealNotFound, UseNotFound
from seal_service.domain.events import EventKind
from seal_service.domain.grant import Grant
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.organization import Unit
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import Seal
from seal_service.domain.use import SealUse
from seal_service.formats import canonical
from seal_service.ports.reading import LogFilter, Queries
from seal_service.ports.records import LogRow, Records, Transaction

MOST_USES = 100
"""Uses that are followed; beyond them the story says that it is cut."""
MOST_ENTRIES = 1000
"""Entries of a seal outside its uses that are looked through, newest first; the story says when there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """溯源 from exactly one of: a document's SHA-256 (original or sealed), a use, a log entry, a seal, …"""

    document_sha256: str | None = None
    use_id: str | None = None
    entry_id: str | None = None
    index: int | None = None
    """日志树序号: the place of an entry in the tree."""
    seal_code: str | None = None
    grant_id: str | None = None
    approval_id: str | None = None

    @property
    def start(self) -> tuple[str, str]:
        """What is traced, and its value; InvalidInput unless exactly one is given."""
        named = [(one.name, getattr(self, one.name)) for one in fields(self)]
        given = [(name, str(value)) for name, value in named if value is not None]
        if len(given) != 1:
            raise InvalidInput("Trace from exactly one of document, use, log entry, seal, grant or approval")
        return given[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedUse:
    """One use with all that stands behind it."""

    use: SealUse
    seal: Seal
    unit: Unit
    grant: Grant
    approval: UseApproval | None
    """None: the scenario set it aside."""
    seal_history: tuple[StatusChange, ...]
    entries: tuple[LogRow, ...]
    decisions: tuple[LogRow, ...]
    """Entries of the grant and of the approval: made, asked for, decided, revoked, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedSeal:
    """The seal, grant or approval that was asked for, whether it was used or not."""

    seal: Seal
    unit: Unit
    seal_history: tuple[StatusChange, ...]
    grant: Grant | None
    approval: UseApproval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """溯源结果: every use on the document's way, earlier and later seals alike, oldest first."""

    asked: TracedSeal | None
    """What was traced, if it was a seal, a grant or an approval."""
    uses: tuple[TracedUse, ...]
    further_entries: tuple[LogRow, ...]
    """Entries that belong to no use: refusals for this document; the entry asked for; what was done to the seal, the
    grant or the approval asked for."""
    complete: bool
    """False when there are more uses, or more entries, than are followed."""
    upto_size: int
    """How many entries the log had."""


@dataclass(slots=True)
class _Found:
    uses: Sequence[SealUse] = ()
    further: Sequence[LogRow] = ()
    asked: TracedSeal | None = None
    cut: bool = False


@dataclass(frozen=True)
class TraceUseCase:
    """溯源. Raises InvalidInput (not exactly one start), or that there is no such thing; no use is an empty story."""

    permission: ClassVar[Permission] = Permission.TRACE
    records: Records
    queries: Queries

    def __call__(self, _caller: Caller, command: Trace) -> Story:
        """The story."""
        start, value = command.start
        size = self.queries.log_size()
        found = self._of_document(value) if start == "document_sha256" else self._found(start, value)
        follows = start in ("document_sha256", "use_id", "entry_id", "index")
        uses = self._followed(found.uses) if follows else found.uses
        newest = uses[-MOST_USES:]
        kept = uses[:MOST_USES] if follows else newest
        told = _Telling(self.queries, self.queries.log_of_uses([use.id for use in kept]))
        with self.records.read() as transaction:
            traced = tuple(told.of(transaction, use) for use in kept)
        return Story(
            asked=found.asked,
            uses=traced,
            further_entries=tuple(found.further),
            complete=len(uses) <= MOST_USES and not found.cut and not told.cut,
            upto_size=size,
        )

    def _of_document(self, sha256: str) -> _Found:
        refused = LogFilter(document_sha256=sha256, kind=EventKind.SEAL_DENIED)
        denials = self.queries.log(PageRequest(limit=MOST_USES), refused).items
        return _Found(uses=self.queries.uses_of_document(sha256, MOST_USES + 1), further=denials)

    def _found(self, start: str, value: str) -> _Found:
        with self.records.read() as transaction:
            match start:
                case "use_id":
                    use = transaction.uses.find(value)
                    if use is None:
                        raise UseNotFound
                    return _Found(uses=[use])
                case "entry_id":
                    return _of_entry(transaction, value)
                case "index":
                    return _of_entry(transaction, transaction.tree.entry_at(int(value)))
                case "grant_id":
                    grant = transaction.grants.lock(value)
                    asked = _asked(transaction, grant.seal_code, grant=grant)
                case "approval_id":
                    approval = transaction.approvals.lock(value)
                    asked = _asked(transaction, approval.seal_code, approval=approval)
                    taken = [one.use_id for one in transaction.approvals.documents(value) if one.use_id is not None]
                    uses = [use for one in taken if (use := transaction.uses.find(one)) is not None]
                case _:
                    asked = _asked(transaction, value)
        code = asked.seal.code
        entries = self.queries.log_of_seal(code, MOST_ENTRIES + 1)
        found = _Found(asked=asked, cut=len(entries) > MOST_ENTRIES, further=entries[-MOST_ENTRIES:])
        if start == "seal_code":
            found.uses = self.queries.uses(PageRequest(limit=MOST_USES + 1), seal_code=code).items[::-1]
        else:
            found.further = [row for row in found.further if _names(row, {start: value})]
            found.uses = (
                self.queries.uses_of_grant(value, MOST_USES + 1)
                if start == "grant_id"
                else sorted(uses, key=lambda use: use.reserved_at)
            )
        return found

    def _followed(self, start: Sequence[SealUse]) -> list[SealUse]:
        """The uses, those that made what they were applied to, and those applied to what they made."""
        found = {use.id: use for use in start}
        waiting = list(start)
        while waiting and len(found) <= MOST_USES:
            current = waiting.pop()
            for digest in (current.document_sha256, current.sealed_sha256):
                if digest is None:
                    continue
                for other in self.queries.uses_of_document(digest, MOST_USES + 1):
                    linked = digest in (other.sealed_sha256, current.sealed_sha256)
                    if linked and other.id not in found:
                        found[other.id] = other
                        waiting.append(other)
        return sorted(found.values(), key=lambda use: use.reserved_at)


@dataclass
class _Telling:
    """Tells of uses; what belongs to a seal is read once."""

    queries: Queries
    entries: Sequence[LogRow]
    cut: bool = False
    of_seals: dict[str, Sequence[LogRow]] = field(default_factory=dict)

    def of(self, transaction: Transaction, use: SealUse) -> TracedUse:
        """The use with all that stands behind it."""
        seal = transaction.seals.lock(use.seal_code)
        behind = {"grant_id": use.grant_id} | ({"approval_id": use.approval_id} if use.approval_id else {})
        return TracedUse(
            use=use,
            seal=seal,
            unit=transaction.units.get(seal.unit_id),
            grant=transaction.grants.lock(use.grant_id),
            approval=transaction.approvals.lock(use.approval_id) if use.approval_id is not None else None,
            seal_history=tuple(transaction.log.status_changes(seal.code)),
            entries=tuple(row for row in self.entries if row.use_id == use.id),
            decisions=tuple(row for row in self._of_seal(seal.code) if _names(row, behind)),
        )

    def _of_seal(self, code: str) -> Sequence[LogRow]:
        if code not in self.of_seals:
            found = self.queries.log_of_seal(code, MOST_ENTRIES + 1)
            self.cut = self.cut or len(found) > MOST_ENTRIES
            self.of_seals[code] = found[-MOST_ENTRIES:]
        return self.of_seals[code]


def _of_entry(transaction: Transaction, entry_id: str | None) -> _Found:
    row = transaction.log.find(entry_id) if entry_id is not None else None
    if row is None:
        raise LogEntryNotFound
    use = transaction.uses.find(row.use_id) if row.use_id is not None else None
    return _Found(uses=[use]) if use is not None else _Found(further=(row,))


def _asked(
    transaction: Transaction, code: str, *, grant: Grant | None = None, approval: UseApproval | None = None
) -> TracedSeal:
    seal = transaction.seals.find(code)
    if seal is None:
        raise SealNotFound(seal_code=code)
    return TracedSeal(
        seal=seal,
        unit=transaction.units.get(seal.unit_id),
        seal_history=tuple(transaction.log.status_changes(code)),
        grant=grant,
        approval=approval,
    )


def _names(row: LogRow, wanted: Mapping[str, str]) -> bool:
    """Whether an entry's facts name the grant or the approval."""
    facts = canonical.decode(row.canon).get("facts")
    return isinstance(facts, dict) and any(facts.get(name) == value for name, value in wanted.items())
