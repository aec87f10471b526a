"""A log that the service made: entries by its signing log, places by its sequencer, files by its publisher."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from seal_service.formats.checkpoint import read_checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import read_note
from seal_service.log.merkle import root_of
from seal_service.log.proofs import read_proof
from seal_service.log.tiles import CHECKPOINT
from tests.interop.evidence import Consistency, Evidence, Inclusion
from tests.interop.mutations import Forger
from tests.interop.published import PublishedFiles
from tests.interop.used_office import UsedOffice

CHECKPOINTS = (20, 70, 100)
"""At how many hundredths of its entries the log publishes a checkpoint."""
PROVEN = 20
"""Entries of which the service gives out a proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLog:
    """The published files, what verifiers have in hand, and who could forge."""

    log: PublishedFiles
    forger: Forger
    evidence: Evidence
    seconds: dict[str, float] = field(default_factory=dict)
    """What took how long."""


@contextmanager
def made_log(entries: int, directory: Path) -> Iterator[MadeLog]:
    """A log of so many entries, on SQLite, until the context ends."""
    watch = Stopwatch()
    with watch.timed("founding an instance and sealing a document"):
        office = UsedOffice(directory / "instance")
    try:
        notes = []
        for share in CHECKPOINTS:
            with watch.timed("sequencing"):
                size = office.sequence()
            with watch.timed("appending"):
                office.append(entries * share // 100 - size)
            with watch.timed("sequencing"):
                office.sequence()
            with watch.timed("publishing"):
                office.publish()
            notes.append((office.published / CHECKPOINT).read_bytes())
        log = PublishedFiles(office.published)
        evidence = _evidence(office, notes[1], directory / "evidence")
        forger = Forger(sign=office.sign, first=notes[0])
        yield MadeLog(log=log, forger=forger, evidence=evidence, seconds=watch.seconds)
    finally:
        office.close()


class Stopwatch:
    """How long things took, by their names."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time until the context ends."""
        began = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began


def _evidence(office: UsedOffice, earlier: bytes, directory: Path) -> Evidence:
    """Proofs of entries evenly over the log and of trees of all kinds of sizes, as the service gives them out."""
    files = PublishedFiles(office.published)
    size, entries = files.checkpoint().size, files.entries()
    hashes = [leaf_hash(one) for one in entries]
    evidence = Evidence(
        directory=directory,
        key=office.verifier_key,
        earlier=earlier,
        issued=tuple(_inclusion(office, index, entries[index]) for index in range(0, size, max(1, size // PROVEN))),
        consistency=tuple(
            Consistency(
                old=old,
                size=size,
                path=tuple(office.proving.consistency(old, size) or ()),
                old_root=root_of(hashes[:old]),
                root=root_of(hashes),
            )
            for old in sorted({1, 2, 3, 255, 256, 257, size // 3, size // 2, size - 1, size})
        ),
    )
    evidence.write(hashes)
    return evidence


def _inclusion(office: UsedOffice, index: int, entry: bytes) -> Inclusion:
    file = office.proving.inclusion(leaf_hash(entry), index, entry)
    assert file is not None
    proof = read_proof(file)
    tree = read_checkpoint(read_note(proof.checkpoint).text)
    return Inclusion(
        index=proof.index,
        size=tree.size,
        path=proof.path,
        root=tree.root,
        entry=entry,
        checkpoint=proof.checkpoint,
        file=file,
    )
