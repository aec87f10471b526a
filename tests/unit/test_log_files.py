"""The published log's files and its guard, on a real directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from seal_service.domain.errors import AlreadyRegistered, LogDamaged, LogHalted
from seal_service.log.tiles import CHECKPOINT, Tile, tile_at
from seal_service.storage import log_files
from seal_service.storage.lasting import sync_directory
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.storage.log_guard import DirectoryGuard


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def files(directory: Path) -> DirectoryLogFiles:
    return DirectoryLogFiles(directory, lambda path: path == CHECKPOINT or tile_at(path) is not None)


def test_a_file_is_made_once_and_stays_what_it_is(files: DirectoryLogFiles) -> None:
    files.create("tile/0/000", b"first")
    files.create("tile/0/000", b"first")
    with pytest.raises(LogDamaged, match="tile/0/000 is there with other bytes"):
        files.create("tile/0/000", b"other")
    assert files.read("tile/0/000") == b"first"
    assert files.read("tile/0/001") is None


def test_the_checkpoint_is_put_in_the_place_of_the_one_before(files: DirectoryLogFiles) -> None:
    files.publish(CHECKPOINT, b"one")
    files.publish(CHECKPOINT, b"two")
    assert files.read(CHECKPOINT) == b"two"


@pytest.mark.parametrize(
    "path", ["../checkpoint", "/etc/passwd", "tile/0/../../x", "tile/0/0", ".lock", "", "tile/entries/000.p/256"]
)
def test_no_path_but_a_log_s_is_ever_opened(files: DirectoryLogFiles, path: str) -> None:
    acts: list[Callable[[], object]] = [
        lambda: files.read(path),
        lambda: files.create(path, b"x"),
        lambda: files.publish(path, b"x"),
        lambda: files.remove_partials(path),
    ]
    for act in acts:
        with pytest.raises(ValueError, match="no file of a log"):
            act()


def test_entries_are_readable_by_their_owner_alone(files: DirectoryLogFiles, directory: Path) -> None:
    files.create("tile/entries/x001/234", b"entries")
    modes = {path.relative_to(directory).as_posix(): path.stat().st_mode & 0o777 for path in directory.rglob("*")}
    assert modes["tile/entries/x001/234"] == 0o600
    assert directory.stat().st_mode & 0o777 == modes["tile"] == modes["tile/entries/x001"] == 0o700


def test_partial_tiles_go_when_the_full_one_is_there(files: DirectoryLogFiles, directory: Path) -> None:
    for width in (3, 200):
        files.create(Tile(0, 0, width).path, bytes(width))
    files.create(Tile(0, 1, 7).path, b"another tile's")
    files.create(Tile(0, 0).path, b"full")
    files.remove_partials(Tile(0, 0).path)
    files.remove_partials(Tile(0, 0).path)
    files.remove_partials(Tile(5, 9).path)
    assert files.read(Tile(0, 0, 3).path) is files.read(Tile(0, 0, 200).path) is None
    assert files.read(Tile(0, 0).path) == b"full"
    assert files.read(Tile(0, 1, 7).path) == b"another tile's"


def test_a_directory_whose_maker_may_have_died_before_its_name_was_synced_is_synced_again(
    files: DirectoryLogFiles, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "tile" / "0").mkdir(parents=True)
    synced: list[Path] = []

    def noted(one: Path) -> None:
        sync_directory(one)
        synced.append(one)

    monkeypatch.setattr(log_files, "sync_directory", noted)
    files.create("tile/0/000", b"first")
    assert {directory.parent, directory, directory / "tile", directory / "tile" / "0"} <= set(synced)
    synced.clear()
    files.create("tile/0/001", b"second")
    assert synced == [directory / "tile" / "0"], "what is known to last costs nothing more"


def test_one_alone_publishes_and_finds_nothing_half_written(files: DirectoryLogFiles, directory: Path) -> None:
    with files.publishing() as alone, files.publishing() as second:
        assert (alone, second) == (True, False)
        files.publish(CHECKPOINT, b"x")
        (directory / ".incoming" / "left").write_bytes(b"by one that died")
    with files.publishing() as alone:
        assert alone
        assert list((directory / ".incoming").iterdir()) == []


def test_a_guard_is_made_by_its_own_act_alone(tmp_path: Path) -> None:
    guard = DirectoryGuard(tmp_path / "volume" / "guard")
    assert not guard.is_there()
    with pytest.raises(LogHalted, match="mount its volume or put it back"):
        guard.read()
    guard.create(b"first")
    with pytest.raises(AlreadyRegistered):
        guard.create(b"second")
    assert guard.is_there()
    assert guard.read().content == b"first"


def test_a_guard_moves_from_what_was_expected_alone(tmp_path: Path) -> None:
    guard = DirectoryGuard(tmp_path / "guard")
    guard.create(b"first")
    before = guard.read()
    guard.advance(before, b"second")
    with pytest.raises(LogHalted, match="another checkpoint"):
        guard.advance(before, b"a fork")
    assert guard.read().content == b"second"


def test_a_guard_that_is_lost_is_not_made_anew(tmp_path: Path) -> None:
    guard = DirectoryGuard(tmp_path / "guard")
    guard.create(b"first")
    before = guard.read()
    (tmp_path / "guard").rename(tmp_path / "elsewhere")
    with pytest.raises(LogHalted):
        guard.advance(before, b"second")
    assert not (tmp_path / "guard").exists()


def test_of_a_guard_without_its_checkpoint_nobody_says_that_it_never_was(tmp_path: Path) -> None:
    guard = DirectoryGuard(tmp_path / "guard")
    guard.create(b"first")
    (tmp_path / "guard" / "checkpoint").unlink()
    assert guard.is_there()
    with pytest.raises(LogHalted):
        guard.read()


def test_of_many_who_move_a_guard_at_once_one_does(tmp_path: Path) -> None:
    guard = DirectoryGuard(tmp_path / "guard")
    guard.create(b"first")
    before, start = guard.read(), Barrier(8)
    moved: list[int] = []

    def move(number: int) -> None:
        start.wait()
        try:
            DirectoryGuard(tmp_path / "guard").advance(before, b"by %d" % number)
        except LogHalted:
            return
        moved.append(number)

    threads = [Thread(target=move, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(moved) == 1
    assert guard.read().content == b"by %d" % moved[0]
