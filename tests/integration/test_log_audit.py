"""日志审计 finds every fault that is put into a database or into published files, and none where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seal_service.domain.errors import InvalidInput
from seal_service.domain.invariants import Checked
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.tiles import WIDTH, Tile, bundle
from seal_service.ports.records import StoredCheckpoint
from seal_service.storage.unit_of_work import SqlRecords
from tests.audited_log import PUBLISHED, AuditedLog, audited_log
from tests.published_log import checkpoint_of, merkle, publish
from tests.storage_samples import NOW


@pytest.fixture(params=["sqlite", "postgresql"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AuditedLog]:
    with audited_log(request.param, tmp_path) as made:
        yield made


def flip(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def found(checked: Checked) -> set[str]:
    return {f"{one.invariant.value} {one.subject}".strip() for one in checked.findings}


def test_a_sound_log_has_no_findings_from_wherever_the_audit_goes_on(log: AuditedLog) -> None:
    reached: list[int] = []
    whole = log.audit(sound=reached.append)
    assert whole.clean, whole.findings
    assert dict(whole.checked) == {"entries": 600, "tree": 600, "published": PUBLISHED, "roots": 4}
    for first in (256, 512):
        rest = log.audit(first)
        assert rest.clean, rest.findings
        assert rest.checked["entries"] == 600 - first
    for wrong in (1, 768):
        with pytest.raises(InvalidInput):
            log.audit(wrong)
    files = log.fsck()
    assert files.clean, files.findings
    assert files.checked["entries"] == PUBLISHED


FILES = {
    "an entry of a bundle": ("tile/entries/001", {"published tile/entries/001"}, {"published tile/0/001"}),
    "a hash of a tile": ("tile/0/000", {"published tile/0/000"}, {"published tile/0/000"}),
    "a hash of a partial tile": ("tile/0/002.p/18", {"published tile/0/002.p/18"}, {"published tile/0/002.p/18"}),
    "a hash of an upper tile": ("tile/1/000.p/2", {"published tile/1/000.p/2"}, {"published tile/1/000.p/2"}),
    "the checkpoint": ("checkpoint", {"checkpoint"}, {"checkpoint"}),
}


def test_a_flipped_bit_in_any_published_file_is_found_by_both(log: AuditedLog) -> None:
    for name, (path, by_audit, by_fsck) in FILES.items():
        before = log.file(path).read_bytes()
        flip(log.file(path), at=-20)
        assert by_audit <= found(log.audit()), name
        assert by_fsck <= found(log.fsck()), name
        log.file(path).unlink()
        assert not log.audit().clean, name
        assert not log.fsck().clean, name
        log.file(path).write_bytes(before)
    assert log.audit().clean


def test_a_partial_tile_that_was_filled_since_is_none_too_few(log: AuditedLog) -> None:
    publish(log.directory / "more", log.key, log.entries + [b"{}"] * 200)
    for path in ("tile/entries/002", "tile/0/002"):
        log.file(f"{path}.p/18").unlink()
        (log.directory / "more" / path).rename(log.file(path))
    assert log.audit().clean
    flip(log.file("tile/0/002"), at=5)
    assert found(log.audit()) == {"published tile/0/002.p/18"}


@pytest.mark.parametrize("change", ["swapped", "doubled", "dropped"])
def test_another_log_under_the_same_key_is_found(log: AuditedLog, change: str) -> None:
    entries = log.entries[:PUBLISHED]
    if change == "swapped":
        entries[3], entries[4] = entries[4], entries[3]
    elif change == "doubled":
        entries[4] = entries[3]
    else:
        del entries[3]
    publish(log.directory / "log", log.key, entries)
    assert "checkpoint" in {one.invariant for one in log.audit().findings}
    assert {one.invariant for one in log.fsck().findings} >= {"checkpoint"}, "the guard knows another root"


TAMPERED = {
    "a column": ("UPDATE sign_log SET result = 'failure' WHERE entry_id = 'e7'", {"projection e7"}),
    "the time": ("UPDATE sign_log SET at = at + 1000 WHERE entry_id = 'e7'", {"projection e7"}),
    "both hashes": (
        "UPDATE sign_log SET canon = {bytes} WHERE entry_id = 'e7'",
        {"leaf e7", "published tile/entries/000"},
    ),
    "a leaf": (
        "UPDATE log_leaf SET leaf_hash = {bytes} WHERE entry_id = 'e7'",
        {"leaf e7", "tree", "checkpoint 530", "published tile/0/000"},
    ),
    "a lost entry": ("DELETE FROM sign_log WHERE entry_id = 'e7'", {"placed e7"}),
    "a lost place": ("DELETE FROM log_leaf WHERE entry_id = 'e7'", {"placed e7", "placed e8", "tree"}),
    "the end": ("DELETE FROM log_leaf WHERE idx >= 590", {"placed e590", "tree"}),
    "a count": ("UPDATE log_stat SET count = count + 1 WHERE account_id = 'a1'", {"statistics grant.made success"}),
    "the head": ("UPDATE log_head SET size = 1, hashes = {bytes}", {"tree", "checkpoint 530"}),
    "a stored checkpoint": ("UPDATE log_checkpoint SET root = {bytes} WHERE size = 5", {"checkpoint 5"}),
    "no place": (
        "INSERT INTO sign_log (entry_id, kind, result, at, canon, leaf_hash) VALUES "
        "('new', 'x', 'x', 0, {bytes}, {bytes})",
        {"placed new"},
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_changed_in_the_database_is_found(log: AuditedLog, name: str) -> None:
    sql, expected = TAMPERED[name]
    value = f"x'{'61' * 32}'" if log.database.writer.dialect.name == "sqlite" else "'\\x" + "61" * 32 + "'"
    log.tamper(sql.replace("{bytes}", value))
    assert expected <= found(log.audit())


def test_a_database_that_is_older_than_its_guard_is_found(log: AuditedLog) -> None:
    held = log.guard().read()
    log.guard().advance(held, checkpoint_of(log.key, [*log.entries, b"more"]))
    assert found(log.audit()) == {"checkpoint 601"}
    assert found(log.fsck()) == {"checkpoint 601"}


def guarded_ahead(log: AuditedLog, root: bytes | None = None) -> None:
    """All entries are signed and known to the guard; published is the tree before."""
    content = checkpoint_of(log.key, log.entries)
    root = root or merkle([leaf_hash(one) for one in log.entries])
    with SqlRecords(log.database).write() as transaction:
        signed = StoredCheckpoint(size=len(log.entries), root=root, note=content, at=NOW)
        transaction.tree.insert_checkpoint(signed)
        transaction.commit()
    log.guard().advance(log.guard().read(), content)


def files_written(log: AuditedLog) -> None:
    """Those of the tree of all entries, beside those of the published one."""
    publish(log.directory / "more", log.key, log.entries)
    for path in (log.directory / "more" / "tile").rglob("*"):
        if path.is_file():
            place = log.file(path.relative_to(log.directory / "more").as_posix())
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())


def test_a_publication_under_way_is_no_finding(log: AuditedLog) -> None:
    files_written(log)
    guarded_ahead(log)
    found_now = log.fsck()
    assert found_now.findings == ()
    assert dict(found_now.checked) == {"entries": 600, "published": PUBLISHED, "under_way": 70, "roots": 2}
    flip(log.file(Tile(0, 2, 88).path))
    assert found(log.fsck()) == {"published tile/0/002.p/88"}


def test_a_tail_that_was_cut_is_no_publication_under_way(log: AuditedLog) -> None:
    guarded_ahead(log)
    assert any(one.startswith("published tile/") for one in found(log.fsck())), "its files are not there"


def test_a_guard_of_another_tree_than_was_signed_is_no_publication_under_way(log: AuditedLog) -> None:
    files_written(log)
    guarded_ahead(log, root=bytes(32))
    assert found(log.fsck()) == {"checkpoint 600"}


def test_a_bundle_that_filled_since_the_checkpoint_was_read_begins_as_the_partial_one_did(log: AuditedLog) -> None:
    first, width = PUBLISHED // WIDTH * WIDTH, PUBLISHED % WIDTH
    partial = log.file(Tile(None, first // WIDTH, width).path)
    partial.unlink()
    later = [b"later"] * (WIDTH - width)
    log.file(Tile(None, first // WIDTH).path).write_bytes(bundle([*log.entries[first:PUBLISHED], *later]))
    assert log.fsck().findings == ()


def test_a_lost_guard_is_found(log: AuditedLog) -> None:
    for one in (log.directory / "guard").iterdir():
        one.unlink()
    assert found(log.audit()) == {"checkpoint"}


def test_sound_places_are_told_only_up_to_the_first_finding(log: AuditedLog) -> None:
    log.tamper("UPDATE sign_log SET result = 'failure' WHERE entry_id = 'e7'")
    reached: list[int] = []
    log.audit(sound=reached.append)
    assert reached == []
