"""What every part is handed: where it may write, how much it measures, where its figures go."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.databases import POSTGRESQL, SQLITE, Instances, has_postgresql
from benchmarks.figures import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """How much is measured."""

    rounds: tuple[int, int, int, int]
    """Of sealing: one page, a hundred pages, many objects, the large file."""
    large_bytes: int
    in_process_seconds: float
    http_warm_up_seconds: float
    http_seconds: float
    small_documents: int
    """Of which memory is to stay flat; the first and the last tenth are compared."""
    large_documents: int
    verification_rounds: int
    verification_warm_up: int
    signatures: tuple[int, int]
    starts: int
    processes: int
    """That work side by side, in process and as the server's."""
    levels: tuple[str, ...]
    grants: int
    """Of one seal, and with as many uses in the log, under which authorization is measured."""
    uses: int
    authorizations: int
    filings: int
    """That wait for the province, of so many seals; and as many when it answers slowly."""
    slow_filings: int
    filing_seals: int
    log_entries: int
    """Of the log that is sequenced and audited; a tenth of them on PostgreSQL."""
    published_entries: int
    """Whose way to a checkpoint is timed."""
    postgresql: bool


WHOLE = Amounts(
    rounds=(30, 15, 7, 5),
    large_bytes=50_000_000,
    in_process_seconds=6,
    http_warm_up_seconds=4,
    http_seconds=20,
    small_documents=10_000,
    large_documents=3,
    verification_rounds=9,
    verification_warm_up=2,
    signatures=(10, 20),
    starts=5,
    processes=2,
    levels=("B-B", "B-LT"),
    grants=10_000,
    uses=1_000_000,
    authorizations=300,
    filings=10_000,
    slow_filings=1_000,
    filing_seals=40,
    log_entries=1_000_000,
    published_entries=300,
    postgresql=True,
)
QUICK = Amounts(
    rounds=(1, 0, 0, 0),
    large_bytes=1_000_000,
    in_process_seconds=0.3,
    http_warm_up_seconds=0.2,
    http_seconds=0.5,
    small_documents=20,
    large_documents=1,
    verification_rounds=1,
    verification_warm_up=0,
    signatures=(1, 2),
    starts=1,
    processes=1,
    levels=("B-B",),
    grants=40,
    uses=100,
    authorizations=3,
    filings=10,
    slow_filings=4,
    filing_seals=2,
    log_entries=5_000,
    published_entries=5,
    postgresql=False,
)
"""Whether the instrument works; its figures mean nothing."""


@dataclass
class Session:
    """One run of the measurements."""

    directory: Path
    """On a disk, as an instance is: commits are to be durable."""
    instances: Instances
    amounts: Amounts = WHOLE
    figures: list[Figure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    rates: dict[tuple[str, str], float] = field(default_factory=dict)
    """Uses a second of all processes in process, by database and level, for what is compared with them."""
    sealing_rates: dict[tuple[str, str], float] = field(default_factory=dict)
    """The same of sealing alone, without authorization, database, self-check and keeping."""

    def add(
        self,
        part: str,
        name: str,
        value: float,
        unit: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Take a figure."""
        self.figures.append(Figure(part=part, name=name, value=value, unit=unit, at_least=at_least, at_most=at_most))

    def skip(self, what: str) -> None:
        """Say what is not measured, and why."""
        if what not in self.skipped:
            self.skipped.append(what)
            self.say(f"skipped: {what}")

    def databases(self) -> list[str]:
        """Those that are measured on; what is left out is said."""
        if not self.amounts.postgresql:
            self.skip("PostgreSQL, in a quick run")
        elif not has_postgresql():
            self.skip("PostgreSQL, which is not installed (Debian: apt-get install postgresql)")
        else:
            return [SQLITE, POSTGRESQL]
        return [SQLITE]

    def say(self, progress: str) -> None:
        """Tell a person who waits, with the seconds since the beginning."""
        sys.stderr.write(f"{time.monotonic() - self.began:5.0f} s  {progress}\n")
        sys.stderr.flush()
