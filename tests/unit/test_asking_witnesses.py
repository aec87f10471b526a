"""A witness is judged by its word alone, never by what of ours is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seal_service.bootstrap.witnessing import witnesses_of
from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput, LogDamaged
from seal_service.domain.operation import Profile
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import SignatureType, VerifierKey
from seal_service.log.merkle import consistency_holds, root_of
from seal_service.log.tree_files import TiledTreeFiles
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.ports.transparency import Cosigned
from seal_service.testing import ChangeableClock, MemoryRecords
from seal_service.testing.transparency import MemoryLogFiles, MemoryLogKey
from seal_service.usecases.ask_witnesses import AskWitnesses
from tests.published_tree import publish

ENTRIES = [f"entry {number}".encode() for number in range(600)]
OLD, SIZE = 300, len(ENTRIES)


class ProvenWitness:
    """Asks for the path from the size that it knows."""

    name = "witness.example"

    def add_checkpoint(
        self, content: bytes, size: int, prove: Callable[[int], Sequence[bytes]], since: int | None
    ) -> Cosigned:
        path = prove(OLD)
        roots = (root_of(map(leaf_hash, ENTRIES[:one])) for one in (OLD, size))
        assert consistency_holds(OLD, size, path, *roots), "what is sent holds"
        return Cosigned(lines=(f"— {self.name} AAAA\n",), at=datetime(2026, 3, 1, tzinfo=UTC))


def asking(files: MemoryLogFiles) -> tuple[AskWitnesses, MemoryRecords]:
    records = MemoryRecords()
    return AskWitnesses(records, TiledTreeFiles(files), [ProvenWitness()], 1, ChangeableClock()), records


def published() -> MemoryLogFiles:
    files = MemoryLogFiles()
    publish(files, MemoryLogKey("log.example"), ENTRIES)
    return files


def test_a_witness_is_sent_a_path_that_holds() -> None:
    ask, _ = asking(published())
    assert ask(b"checkpoint", SIZE) == [f"— {ProvenWitness.name} AAAA\n"]


def test_a_path_that_a_damaged_tile_made_wrong_is_not_sent_and_not_the_witnesss_fault() -> None:
    files = published()
    tile = bytearray(files.kept["tile/0/001"])
    tile[32 * (400 - 256)] ^= 1
    files.kept["tile/0/001"] = bytes(tile)
    ask, records = asking(files)
    with pytest.raises(LogDamaged):
        ask(b"checkpoint", SIZE)
    with records.read() as transaction:
        assert list(transaction.observations.all()) == []


@pytest.mark.parametrize(
    ("address", "profile", "taken"),
    [
        ("http://witness.example", Profile.PRODUCTION, False),
        ("https://witness.example", Profile.PRODUCTION, True),
        ("http://127.0.0.1:8100", Profile.PRODUCTION, True),
        ("http://witness.example", Profile.DEVELOPMENT, True),
    ],
)
def test_in_production_nobody_on_the_way_speaks_for_a_witness(
    tmp_path: Path, address: str, profile: Profile, *, taken: bool
) -> None:
    key = VerifierKey(name="witness.example", type=SignatureType.COSIGNATURE, public_key=bytes(32))
    settings = Settings(
        home=tmp_path, keys=tmp_path / "keys", profile=profile, log_witnesses=(f"{key.text} {address}",)
    )
    if taken:
        assert [one.name for one in witnesses_of(settings, BoundedHttp(1, 1))] == ["witness.example"]
    else:
        with pytest.raises(InvalidInput, match="https"):
            witnesses_of(settings, BoundedHttp(1, 1))
