"""日志审计: whether the entries of some places are what their hashes, their columns and the published files say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

from pydantic_core import from_json

from seal_service.domain.invariants import Finding, Invariant
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.merkle import root_of
from seal_service.log.tiles import LONGEST_ENTRY, WIDTH, Tile, bundle
from seal_service.ports.log_checking import (
    COUNTED,
    PROJECTED,
    ComparedGroup,
    ComparedPage,
    CountedBy,
    PlacedRow,
    ReadFile,
    RowCheck,
    TreeScan,
)

PAGE = 4 * WIDTH
_MILLISECOND = 1000
_SECOND = 1_000_000
_DAY = 24 * 3600 * _SECOND
_OFFSET = 8 * 3600 * _SECOND  # of Asia/Shanghai, as `domain.local_time` has it for moments that are no numbers
_said = itemgetter(*map(PROJECTED.index, COUNTED))


class PlacedRowCheck:
    """The port RowCheck for the log of an origin."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._second = -1
        self._told = ""

    def __call__(self, row: PlacedRow) -> Sequence[Finding]:
        """Where bytes, hashes and columns disagree."""
        place, entry_id, placed_hash, canon, written_hash, at, columns = row
        if canon is None:
            return [self._finding(Invariant.PLACED, row, f"it has place {place} and is not in the log")]
        hashed = leaf_hash(canon)
        if hashed != placed_hash or hashed != written_hash:
            return [self._finding(Invariant.LEAF, row, f"its bytes have another hash than its place {place}")]
        try:
            get = from_json(canon, allow_inf_nan=False, cache_strings="keys").get
        except (ValueError, AttributeError):
            return [self._finding(Invariant.LEAF, row, "its bytes are no JSON object")]
        same = tuple(map(get, PROJECTED)) == columns
        if same and get("id") == entry_id and get("at") == self._time(at) and get("log") == self._origin:
            return ()
        return [self._finding(Invariant.PROJECTION, row, "its columns are not what its bytes say")]

    def _time(self, at: int | None) -> str | None:
        if at is None or at % _MILLISECOND:
            return None
        second, rest = divmod(at, _SECOND)
        if second != self._second:  # most entries share theirs with the one before
            self._second, self._told = second, datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._told}.{rest // _MILLISECOND:03d}Z"

    def _finding(self, invariant: Invariant, row: PlacedRow, detail: str) -> Finding:
        return Finding(invariant=invariant, subject=row.entry_id, detail=detail)


def compare_group(
    begin: int, entries: Sequence[bytes] | None, hashes: Sequence[bytes], published: int, read: ReadFile
) -> tuple[ComparedGroup, Sequence[Finding]]:
    """A group of at most 256 places from `begin`, and where bundle and tile of the published size differ from it.

    `entries` None: the bundle is not compared.
    """
    found: list[Finding] = []
    width = min(WIDTH, published - begin)
    if 0 < width <= len(hashes):
        index = begin // WIDTH
        if entries is not None:
            found += differs(Tile(None, index, width), _bundle(entries[:width]), read)
        found += differs(Tile(0, index, width), b"".join(hashes[:width]), read)
    return ComparedGroup(tuple(hashes), root_of(hashes)), found


def compare_page(
    rows: Sequence[PlacedRow], places: range, published: int, check: RowCheck, read: ReadFile
) -> ComparedPage:
    """The rows of places that begin at a multiple of 256; what follows a place that is not there is not compared."""
    found: list[Finding] = []
    end = next((place for place, row in zip(places, rows, strict=False) if row.place != place), places[0] + len(rows))
    if end < places.stop:
        after = rows[end - places.start].entry_id if end - places.start < len(rows) else ""
        found.append(Finding(invariant=Invariant.PLACED, subject=after, detail=f"place {end} is not there"))
    rows = rows[: end - places.start]
    for row in rows:
        if faults := check(row):
            found += faults
    groups = []
    for at in range(0, len(rows), WIDTH):
        group = rows[at : at + WIDTH]
        entries = [row.canon for row in group if row.canon is not None]
        whole = entries if len(entries) == len(group) else None
        compared, faults = compare_group(places.start + at, whole, [one.leaf_hash for one in group], published, read)
        groups.append(compared)
        found += faults
    return ComparedPage(end, groups, found, counted(rows))


def counted(rows: Sequence[PlacedRow]) -> Mapping[CountedBy, int]:
    """Entries by what statistics count them by."""
    found = Counter(((at + _OFFSET) // _DAY, _said(columns)) for *_, at, columns in rows if at is not None)
    return {CountedBy(*by): count for by, count in found.items()}


def pages_of(places: range, width: int) -> Iterator[range]:
    """Places in pages of so many as are compared at once."""
    return (places[at : at + width] for at in range(0, len(places), width))


@dataclass(frozen=True)
class PagesHere:
    """The port ComparePages, one page after the other in this process."""

    check: RowCheck
    read: ReadFile
    page: int = PAGE
    """Places that are compared at once: a multiple of 256."""

    def __call__(self, scan: TreeScan, places: range, published: int) -> Iterator[ComparedPage]:
        """Up to the first place that is not there."""
        for page in pages_of(places, self.page):
            compared = compare_page(scan.rows(page.start, len(page)), page, published, self.check, self.read)
            yield compared
            if compared.end < page.stop:
                return


def _bundle(entries: Sequence[bytes]) -> bytes:
    """None that could be published has an entry that is too long for it; such bytes were put there otherwise."""
    return bundle(entries) if max(map(len, entries)) <= LONGEST_ENTRY else b""


def differs(tile: Tile, content: bytes, read: ReadFile) -> Iterator[Finding]:
    """Whether a published file is another; a partial one may have gone since, when it was filled: then the full one
    begins as it did."""
    found = read(tile.path)
    if found is None and tile.width < WIDTH:
        filled = read(tile.full().path)
        found = None if filled is None else filled[: len(content)]
    if found != content:
        detail = "the file is not there" if found is None else "the file is not what the tree says"
        yield Finding(invariant=Invariant.PUBLISHED, subject=tile.path, detail=detail)
