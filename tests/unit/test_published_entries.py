"""Entries come back from bundles as they were written, and what is no entry of this log does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seal_service.domain.errors import LogDamaged
from seal_service.domain.events import EventKind
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.published_entries import BundledEntries
from seal_service.log.tiles import is_log_file
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.testing.transparency import MemoryLogKey
from tests.published_log import ORIGIN, publish

AT = "2026-03-01T08:00:00.123Z"


def canon(number: int, **changes: object) -> bytes:
    leaf = {"id": f"e{number}", "kind": "seal.denied", "at": AT, "log": ORIGIN, "result": "refused", "seq": number}
    leaf |= {"seal_code": "99990000000001", "facts": {"grant_id": "g"}, "a": {"reason": "why"}, **changes}
    return json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()


def read(directory: Path) -> BundledEntries:
    return BundledEntries(DirectoryLogFiles(directory, is_log_file), ORIGIN)


@pytest.mark.parametrize(
    ("first", "size"), [(0, 600), (1, 600), (255, 512), (256, 512), (257, 300), (511, 600), (599, 600), (600, 600)]
)
def test_a_range_of_places_is_read_from_whatever_bundles_hold_it(tmp_path: Path, first: int, size: int) -> None:
    """Also from a full bundle, where the partial one of a smaller tree is gone."""
    entries = [canon(number) for number in range(600)]
    publish(tmp_path, MemoryLogKey(ORIGIN), entries)
    groups = list(read(tmp_path).groups(first, size))
    assert [one for group in groups for one in group] == entries[first:size]
    assert all(len(group) <= 256 for group in groups)


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path) -> None:
    publish(tmp_path, MemoryLogKey(ORIGIN), [canon(number) for number in range(300)])
    (tmp_path / "tile/entries/001.p/44").unlink()
    with pytest.raises(LogDamaged, match=r"001\.p/44 is missing"):
        list(read(tmp_path).groups(0, 300))


def test_columns_follow_from_the_bytes_and_nothing_personal_does(tmp_path: Path) -> None:
    written = canon(7, private={"operator_id": "0" * 64})
    entry = read(tmp_path).entry(written)
    row = entry.row
    assert (row.entry_id, row.kind, row.seq, row.result) == ("e7", EventKind.SEAL_DENIED, 7, "refused")
    assert (row.canon, row.leaf_hash) == (written, leaf_hash(written))
    assert (row.operator_ref, row.private, row.account_id) == (None, (), None)
    assert row.at.isoformat() == "2026-03-01T08:00:00.123000+00:00"
    assert (entry.facts, entry.reason) == ({"grant_id": "g"}, "why")


@pytest.mark.parametrize(
    "changes",
    [
        {"log": "another.example"},
        {"kind": "seal.teleported"},
        {"at": "2026-03-01T08:00:00Z"},
        {"at": "yesterday"},
        {"seal_code": 5},
        {"result": None},
        {"id": 1},
        {"seq": "7"},
        {"seq": True},
    ],
)
def test_what_is_no_entry_of_this_log_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(LogDamaged):
        read(tmp_path).entry(canon(1, **changes))
    with pytest.raises(LogDamaged):
        read(tmp_path).entry(canon(1) + b" ")
