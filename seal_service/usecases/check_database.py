"""核对: whether everything that is kept still is what it was, and nothing contradicts anything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.backup import NamedBlob
from seal_service.domain.errors import SealServiceError
from seal_service.domain.invariants import Checked, Finding, Invariant
from seal_service.ports.backup import Told, untold
from seal_service.ports.checking import EntryCheck, Scan, Scans
from seal_service.ports.crypto import KeyStore
from seal_service.ports.records import Records
from seal_service.ports.system import BlobStore, Clock

MOST_OF_EACH = 20
"""Findings kept of each invariant; all are counted."""
_TOLD_EVERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDatabase:
    """核对 of the database by its own means; `deep`: also of every entry, use, document and key."""

    deep: bool = False
    told: Told = untold


@dataclass
class Findings:
    """Every breach counted, the first of each invariant kept."""

    kept: list[Finding] = field(default_factory=list)
    counts: Counter[Invariant] = field(default_factory=Counter)

    def add(self, found: Iterable[Finding], count: int | None = None) -> None:
        """Take up; `count`: of how many these are the first."""
        some = list(found)
        for one in some:
            self.counts[one.invariant] += 1
            if self.counts[one.invariant] <= MOST_OF_EACH:
                self.kept.append(one)
        if some and count is not None:
            self.counts[some[-1].invariant] += count - len(some)

    def checked(self, checked: Mapping[str, int]) -> Checked:
        """As the answer."""
        return Checked(checked=checked, findings=tuple(self.kept), counts=dict(self.counts))


@dataclass(frozen=True)
class CheckDatabaseUseCase:
    """核对. It changes nothing; the deep one reads one state of everything, in pages, at 70 to 150 µs an entry."""

    permission: ClassVar[Permission] = Permission.BACK_UP
    records: Records
    scans: Scans
    entries: EntryCheck
    blobs: BlobStore
    keys: KeyStore
    clock: Clock

    def __call__(self, _caller: Caller, command: CheckDatabase) -> Checked:
        """What was found."""
        found = Findings()
        command.told("asking the database", 0, 0)
        found.add(self.scans.own_faults(MOST_OF_EACH))
        checked: dict[str, int] = {}
        if command.deep:
            with self.scans.open() as scan:
                checked["log_entries"] = self._check_entries(scan, found, command.told)
                self._check_rows(scan, found, command.told)
                checked["documents"] = self._check_blobs(scan, found, command.told)
                checked["keys"] = self._check_keys(scan, found, command.told)
        return found.checked(checked)

    def _check_entries(self, scan: Scan, found: Findings, told: Told) -> int:
        size, number = scan.log_size(), 0
        for number, entry in enumerate(scan.entries(), 1):
            found.add(self.entries.faults(entry))
            if number % _TOLD_EVERY == 0:
                told("checking log entries", number, size)
        return number

    def _check_rows(self, scan: Scan, found: Findings, told: Told) -> None:
        told("checking uses and seals against the log", 0, 0)
        for count, some in scan.contradictions(MOST_OF_EACH):
            found.add(some, count)

    def _check_blobs(self, scan: Scan, found: Findings, told: Told) -> int:
        number, absent = 0, []
        with scan.blobs() as named:
            for number, blob in enumerate(named, 1):
                told("opening documents", number, 0)
                try:
                    if self.blobs.get(blob.digest) is None:
                        absent.append(blob)
                except SealServiceError as error:
                    found.add([Finding(invariant=Invariant.DOCUMENT, subject=blob.digest, detail=error.message)])
        found.add(self._missing(absent))
        return number

    def _missing(self, absent: list[NamedBlob]) -> list[Finding]:
        """Those that are not there and still should be: asked at the end, when removals under way are committed."""
        with self.records.write() as transaction:
            missing = [one for one in absent if not one.removable or transaction.uses.holds(one.digest)]
        told = "it is named and is not there"
        return [Finding(invariant=Invariant.DOCUMENT, subject=one.digest, detail=told) for one in missing]

    def _check_keys(self, scan: Scan, found: Findings, told: Told) -> int:
        number = 0
        for number, key in enumerate(scan.keys(self.clock.now()), 1):
            told("opening keys", number, 0)
            try:
                self.keys.open(key.reference)
            except SealServiceError as error:
                subject = f"{key.reference} ({key.owner})"
                found.add([Finding(invariant=Invariant.KEY, subject=subject, detail=error.message)])
        return number
