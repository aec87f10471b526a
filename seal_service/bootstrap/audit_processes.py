"""日志审计 by several processes: the rows of a large log are compared on every processor that this one may use."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar

from seal_service.domain.errors import Unavailable
from seal_service.log.page_check import PagesHere, compare_page, pages_of
from seal_service.log.tiles import is_log_file
from seal_service.ports.log_checking import ComparedPage, RowCheck, TreeScan
from seal_service.storage.engine import open_database
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.storage.tree_scan import SqlTreeScans

FEWEST = 50_000
"""Places for which processes are worth their start, about a second."""
_AHEAD = 2
"""Pages that are asked of each process at once."""
_MOST_HELD = 256
"""Pages that are compared and wait for one before them: the memory that an audit needs is theirs."""


@dataclass(frozen=True)
class PagesByProcesses:
    """The port ComparePages: this process compares too, and does from the first moment. The others read states of their
    own, of places that are in the audit's and never change but by a hand that the audit is to find.
    """

    address: str = field(repr=False)
    """Of the database."""
    files: Path
    """Where the published files are."""
    here: PagesHere
    """For logs that are not worth it."""
    fewest: int = FEWEST
    processors: Callable[[], int] = lambda: len(os.sched_getaffinity(0))

    def __call__(self, scan: TreeScan, places: range, published: int) -> Iterator[ComparedPage]:
        """Up to the first place that is not there."""
        others = self.processors() - 1
        if others < 1 or len(places) < self.fewest:
            yield from self.here(scan, places, published)
            return
        gc.freeze()  # as in the others
        # Not forked: a connection to the database must not be in two processes.
        opening = (self.address, self.files, self.here.check)
        pool = ProcessPoolExecutor(others, get_context("spawn"), _Process.open, opening)
        held: deque[tuple[range, Future[ComparedPage]]] = deque()
        pages = pages_of(places, self.here.page)
        try:
            while True:
                asked = sum(not one.done() for _, one in held)
                for page in islice(pages, others * _AHEAD - asked):
                    held.append((page, pool.submit(_Process.compare, page, published)))
                if not held:
                    return
                if not held[0][1].done() and len(held) < _MOST_HELD and (own := next(pages, None)) is not None:
                    held.append((own, self._here(scan, own, published)))
                    continue
                page, future = held.popleft()
                compared = future.result()
                yield compared
                if compared.end < page.stop:
                    return
        except BrokenProcessPool as error:
            raise Unavailable("A process that compared entries has ended; audit from the last place told") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _here(self, scan: TreeScan, page: range, published: int) -> Future[ComparedPage]:
        done: Future[ComparedPage] = Future()
        done.set_result(next(self.here(scan, page, published)))
        return done


class _Process:
    """What such a process has."""

    scans: ClassVar[SqlTreeScans]
    files: ClassVar[DirectoryLogFiles]
    check: ClassVar[RowCheck]

    @classmethod
    def open(cls, address: str, files: Path, check: RowCheck) -> None:
        """Once, at its start."""
        cls.scans = SqlTreeScans(open_database(address, connections=1))
        cls.files = DirectoryLogFiles(files, is_log_file)
        cls.check = check
        gc.freeze()  # what is loaded is not looked through again and again for the sake of a million rows

    @classmethod
    def compare(cls, places: range, published: int) -> ComparedPage:
        """A page."""
        with cls.scans.open() as scan:
            rows = scan.rows(places.start, len(places))
        return compare_page(rows, places, published, cls.check, cls.files.read)
