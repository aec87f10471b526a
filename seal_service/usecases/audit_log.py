"""日志审计: the whole log compared with itself: database, tree, published files, checkpoints, guard, statistics."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import IntegrityFailed, InvalidInput, LogDamaged, LogHalted, NoteRefused
from seal_service.domain.invariants import Checked, Finding, Invariant
from seal_service.domain.publication import SignedTree
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.ports.backup import Told, untold
from seal_service.ports.log_checking import (
    BundlePaths,
    CompareGroup,
    ComparePages,
    CountedBy,
    NewTreeCheck,
    ReadBundle,
    SignedRoot,
    TreeCheck,
    TreeScan,
    TreeScans,
)
from seal_service.ports.transparency import Guard, LogFiles, NoteSigner
from seal_service.usecases.check_database import MOST_OF_EACH, Findings

GROUP = 256
"""Entries of a bundle."""
_PAGE = 16 * GROUP
CHECKPOINT = "checkpoint"


SignedRootOf = Callable[[int], bytes | None]
"""The root of the checkpoint of a size that the database says was signed; None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLog:
    """日志审计. `first`: entries before it were compared by an earlier audit; only their hashes are read again."""

    first: int = 0
    told: Told = untold
    sound_up_to: Callable[[int], None] = lambda _place: None
    """Told of places, multiples of 256, before which nothing was found: where an audit that is broken off goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFiles:
    """核对 of the published files by themselves, as a stranger does it."""

    told: Told = untold


@dataclass(frozen=True)
class PublishedFiles:
    """What was signed and published, read with the log's own keys."""

    files: LogFiles
    signer: NoteSigner
    guard: Guard

    def roots(self, found: Findings) -> tuple[int, list[SignedRoot]]:
        """The size that is published, and the roots that the published checkpoint and the guard hold."""
        roots = []
        content = self.files.read(CHECKPOINT)
        published = None if content is None else self._opened(content, "the published checkpoint", found)
        if published is not None:
            roots.append(_root(published, "the published checkpoint"))
        try:
            there = self.guard.is_there()
            guarded = self._opened(self.guard.read().content, "the guard", found) if there else None
            if published is not None and not there:
                found.add([Finding(invariant=Invariant.CHECKPOINT, subject="", detail="there is no guard")])
        except LogHalted as error:
            guarded = None
            found.add([Finding(invariant=Invariant.CHECKPOINT, subject="", detail=error.message)])
        if guarded is not None:
            roots.append(_root(guarded, "the guard"))
            if published is None and guarded.size:
                found.add([Finding(invariant=Invariant.PUBLISHED, subject=CHECKPOINT, detail="the file is not there")])
            if published is not None and guarded.size < published.size:
                detail = "what is published is ahead of the guard"
                found.add([Finding(invariant=Invariant.CHECKPOINT, subject=CHECKPOINT, detail=detail)])
        return (0 if published is None else published.size), roots

    def _opened(self, content: bytes, said_by: str, found: Findings) -> SignedTree | None:
        try:
            return self.signer.open(content)
        except (NoteRefused, LogDamaged, IntegrityFailed) as error:
            detail = f"{said_by}: {error.message}"
            found.add([Finding(invariant=Invariant.CHECKPOINT, subject="", detail=detail)])
            return None


@dataclass(frozen=True)
class AuditLogUseCase:
    """日志审计. It changes nothing and reads one state; what is published meanwhile is left to the next audit.

    Raises InvalidInput for a beginning that is no multiple of 256 or is not in the tree.
    """

    permission: ClassVar[Permission] = Permission.BACK_UP
    scans: TreeScans
    published: PublishedFiles
    new_check: NewTreeCheck
    pages: ComparePages
    compare: CompareGroup
    key_changes: Callable[[], tuple[Sequence[SignedRoot], Sequence[Finding]]] = lambda: ((), ())
    """Roots that the log's entries name, and what is wrong with these."""

    def __call__(self, _caller: Caller, command: AuditLog) -> Checked:
        """What was found."""
        found, checked = Findings(), Counter[str]()
        size, said = self.published.roots(found)
        named, unclosed = self.key_changes()
        found.add(unclosed)
        said += [one for one in named if one.size > command.first or not command.first]
        with self.scans.open() as scan:
            head = scan.head()
            if command.first % GROUP or not 0 <= command.first <= head.size:
                raise InvalidInput(f"An audit begins at a multiple of {GROUP} that is in the tree", field="from")
            roots = self._roots(scan, said, command.first, found, checked)
            check = self.new_check(size, self.published.files.read, _known(roots, head.size, found))
            self._pass_over(scan, check, command, found)
            counted = Counter(scan.counted(below=command.first))
            seen = self._compare(scan, check, found, counted, command, size)
            for _ in check.rest():
                pass  # that they are of an older state is found by reading them
            if check.head() != head or seen != head.size:
                detail = f"the head is at {head.size} and is not that of the {seen} places that there are"
                found.add([Finding(invariant=Invariant.TREE, subject="", detail=detail)])
            command.told("counting again", 0, 0)
            for count, some in scan.faults(MOST_OF_EACH):
                found.add(some, count)
            found.add(_counted_wrong(scan.statistics(), counted))
        return found.checked({"entries": seen - command.first, "tree": seen, "published": size, **checked})

    def _roots(
        self, scan: TreeScan, said: Sequence[SignedRoot], first: int, found: Findings, checked: Counter[str]
    ) -> Iterator[SignedRoot]:
        """By their sizes; the stored ones as they are needed, for there are as many as publications."""
        for one in heapq.merge(sorted(said), self._stored(scan, first, found), key=lambda one: one.size):
            checked["roots"] += 1
            yield one

    def _stored(self, scan: TreeScan, first: int, found: Findings) -> Iterator[SignedRoot]:
        for one in scan.checkpoints(above=first or -1):
            try:
                signed = self.published.signer.open(one.note)
                if (signed.size, signed.root) != (one.size, one.root):
                    raise NoteRefused("it is of another size or root")
            except (NoteRefused, LogDamaged, IntegrityFailed) as error:
                detail = f"the stored checkpoint: {error.message}"
                found.add([Finding(invariant=Invariant.CHECKPOINT, subject=str(one.size), detail=detail)])
            yield SignedRoot(one.size, one.root, "the stored checkpoint")

    def _pass_over(self, scan: TreeScan, check: TreeCheck, command: AuditLog, found: Findings) -> None:
        for begin in range(0, command.first, _PAGE):
            hashes = scan.leaf_hashes(begin, min(_PAGE, command.first - begin))
            for at in range(0, len(hashes), GROUP):
                group, _ = self.compare(begin + at, None, hashes[at : at + GROUP], 0, self.published.files.read)
                found.add(check.pass_over(group))
            command.told("reading earlier places", begin + len(hashes), command.first)

    def _compare(
        self,
        scan: TreeScan,
        check: TreeCheck,
        found: Findings,
        counted: Counter[CountedBy],
        command: AuditLog,
        published: int,
    ) -> int:
        seen, places = command.first, scan.places()
        for page in self.pages(scan, range(command.first, places), published):
            found.add(page.findings)
            for group in page.groups:
                found.add(check.add(group))
            counted.update(page.counted)
            seen = page.end
            command.told("comparing entries", seen, places)
            if not found.counts and seen % GROUP == 0:
                command.sound_up_to(seen)
        return seen


@dataclass(frozen=True)
class CheckFilesUseCase:
    """核对 of the published files: bundles are hashed again, and tiles, checkpoint and guard compared with them."""

    permission: ClassVar[Permission] = Permission.BACK_UP
    published: PublishedFiles
    new_check: NewTreeCheck
    compare: CompareGroup
    bundles: BundlePaths
    entries_of: ReadBundle
    signed_root: SignedRootOf

    def __call__(self, _caller: Caller, command: CheckFiles) -> Checked:
        """What was found. At a bundle that is not there or cannot be read it ends: no hash after it can be known."""
        found, seen = Findings(), 0
        size, roots = self.published.roots(found)
        roots.sort()
        published = size
        for one in roots:
            if one.size > published and self.signed_root(one.size) == one.root:
                # A publication under way, or whose publisher died or waits for a witness: the files of that tree are
                # written before the guard moves, so they are compared up to there. Of a tail that was cut they are not.
                size = max(size, one.size)
            elif one.size > published:
                detail = f"{one.said_by} is of {one.size} entries, of which {published} are published"
                found.add([Finding(invariant=Invariant.CHECKPOINT, subject=str(one.size), detail=detail)])
        check = self.new_check(size, self.published.files.read, iter([one for one in roots if one.size <= size]))
        for path, width in self.bundles(size):
            entries = self._entries(path, width, found)
            if entries is None:
                break
            hashes = [leaf_hash(one) for one in entries]
            group, faults = self.compare(seen, None, hashes, size, self.published.files.read)
            found.add(faults)
            found.add(check.add(group))
            seen += len(entries)
            command.told("hashing bundles again", seen, size)
        counts = {"entries": seen, "published": published, "under_way": size - published, "roots": len(roots)}
        return found.checked(counts)

    def _entries(self, path: str, width: int, found: Findings) -> Sequence[bytes] | None:
        content = self.published.files.read(path)
        try:
            if content is None and width < GROUP:  # it filled since the checkpoint was read
                filled = self.published.files.read(path.partition(".p/")[0])
                if filled is not None:
                    return self.entries_of(filled, GROUP)[:width]
            if content is None:
                raise LogDamaged("the file is not there")
            return self.entries_of(content, width)
        except LogDamaged as error:
            found.add([Finding(invariant=Invariant.PUBLISHED, subject=path, detail=error.message)])
            return None


def _counted_wrong(kept: Mapping[CountedBy, int], counted: Counter[CountedBy]) -> Iterator[Finding]:
    """Statistics that a recount does not give."""
    for wrong in sorted({one for one in {*kept, *counted} if kept.get(one, 0) != counted[one]}, key=str):
        kind, result, seal_code, *_ = wrong.said
        detail = "the tree has another count of such entries"
        yield Finding(invariant=Invariant.STATISTICS, subject=f"{kind} {result} {seal_code or ''}", detail=detail)


def _known(roots: Iterator[SignedRoot], size: int, found: Findings) -> Iterator[SignedRoot]:
    """Those that the database has the tree of."""
    for one in roots:
        if one.size <= size:
            yield one
        else:
            detail = f"{one.said_by} is of {one.size} entries, the database has {size}: it is an older state"
            found.add([Finding(invariant=Invariant.CHECKPOINT, subject=str(one.size), detail=detail)])


def _root(signed: SignedTree, said_by: str) -> SignedRoot:
    return SignedRoot(signed.size, signed.root, said_by)
