"""What is no whole, unchanged backup of this instance is not restored, and nothing is overwritten."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.bootstrap import build, is_initialised
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.backup import Backup
from seal_service.domain.errors import (
    AlreadyRegistered,
    BackupRefused,
    Conflict,
    PermissionDenied,
    Unauthenticated,
)
from seal_service.domain.use import SignatureLevel
from seal_service.usecases.back_up import BackUp
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.read_log import QueryLog
from tests.backups import ENGINES, examine, office_on, place, restore
from tests.instance import RealOffice, blank_pdf


@dataclass
class Made:
    """An instance, and a backup of it with its keys."""

    office: RealOffice
    directory: Path
    backup: Backup

    @property
    def path(self) -> Path:
        return self.directory / self.backup.name

    @property
    def is_file(self) -> bool:
        """Whether the database is an SQLite file."""
        return self.office.settings.database_url is None


@pytest.fixture(scope="module", params=ENGINES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    root = tmp_path_factory.mktemp("refusals")
    office = office_on(request.param, root)
    for number in range(3):
        office.use(f"use-{number}", blank_pdf(mark=str(number)), SignatureLevel.B_B)
    directory = root / "backups"
    directory.mkdir()
    yield Made(office, directory, office.service.back_up(office.operator, BackUp(directory=directory, with_keys=True)))
    office.service.close()


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    """The backup, copied, so that a test may damage it."""
    return Path(shutil.copytree(made.path, tmp_path / made.backup.name))


def refused(settings: Settings, backup: Path, match: str | None = None) -> None:
    """The restore is refused and leaves nothing."""
    before = sorted(str(one) for one in settings.home.parent.rglob("*"))
    with pytest.raises(BackupRefused, match=match):
        examine(settings, backup)
    with pytest.raises(BackupRefused, match=match):
        restore(settings, backup)
    assert sorted(str(one) for one in settings.home.parent.rglob("*")) == before


def test_a_backup_with_one_flipped_byte_in_any_file_is_refused(made: Made, copy: Path, tmp_path: Path) -> None:
    settings = place(made.office, tmp_path / "place")
    files = [one for one in sorted(copy.rglob("*")) if one.is_file()]
    assert {"SHA256SUMS", "database", "manifest.json", "manifest.seal"} < {one.name for one in files}
    for file in files:
        whole = file.read_bytes()
        for position in {0, len(whole) // 2, len(whole) - 1}:
            changed = bytearray(whole)
            changed[position] ^= 1
            file.write_bytes(changed)
            with pytest.raises(BackupRefused):
                examine(settings, copy)
        file.write_bytes(whole)
    examine(settings, copy)
    assert not settings.home.exists()


def test_a_backup_without_one_of_its_files_is_refused(made: Made, copy: Path, tmp_path: Path) -> None:
    settings = place(made.office, tmp_path / "place")
    for file in [one for one in sorted(copy.rglob("*")) if one.is_file()]:
        whole = file.read_bytes()
        file.unlink()
        refused(settings, copy)
        file.write_bytes(whole)


def _added(copy: Path) -> None:
    (copy / "keys" / "another.key").write_bytes(b"key")


def _linked(copy: Path) -> None:
    shutil.move(copy / "database", copy.parent / "elsewhere")
    (copy / "database").symlink_to(copy.parent / "elsewhere")


def _exchanged(copy: Path) -> None:
    one, other, *_ = [one for one in sorted(copy.rglob("blobs/*/*/*")) if one.is_file()]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def _cut_off(copy: Path) -> None:
    whole = (copy / "database").read_bytes()
    (copy / "database").write_bytes(whole[:-20])


def _listed_anew(copy: Path) -> None:
    """Somebody who knows no key changes a file and all digests that he can."""

    (copy / "database").write_bytes(b"\0\0\0\0")
    lines = (copy / "SHA256SUMS").read_text().splitlines(keepends=True)
    digest = hashlib.sha256(b"\0\0\0\0").hexdigest()
    text = "".join(f"{digest}  database\n" if line.endswith("  database\n") else line for line in lines)
    (copy / "SHA256SUMS").write_text(text)
    manifest = json.loads((copy / "manifest.json").read_bytes())
    manifest["files"]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("damage", [_added, _linked, _exchanged, _cut_off, _listed_anew])
def test_a_changed_backup_is_refused(made: Made, copy: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    damage(copy)
    refused(place(made.office, tmp_path / "place"), copy)


def test_another_master_key_opens_no_backup(made: Made, tmp_path: Path) -> None:
    settings = place(made.office, tmp_path / "place")
    (settings.key_directory / "master.key").write_text("ab" * 32)
    refused(settings, made.path, "master key")
    (settings.key_directory / "master.key").unlink()
    with pytest.raises(BackupRefused, match=r"master.key"):
        examine(settings, made.path)


def test_what_is_no_backup_is_refused(made: Made, tmp_path: Path) -> None:
    settings = place(made.office, tmp_path / "place")
    refused(settings, tmp_path / "nowhere", "is no backup")
    refused(settings, made.directory, "is no backup")


def test_a_backup_does_not_show_what_the_database_holds(made: Made) -> None:
    """A unit's name and a grant's responsible person stand in the database as they are, in the backup nowhere."""
    office = made.office
    if made.is_file:
        assert office.holder.name.encode() in (office.home / "seal.db").read_bytes()
    for file in made.path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert office.holder.name.encode() not in content
            assert "样某".encode() not in content
            assert office.made.code.encode() not in content
    modes = {one.stat().st_mode & 0o777 for one in made.path.rglob("*") if one.is_file()}
    assert modes == {0o600}


def test_a_backup_holds_neither_the_master_key_nor_a_pin(made: Made) -> None:
    keys = made.office.settings.key_directory
    (keys / "pin").write_text("1234")
    names = {one.name for one in (made.path / "keys").iterdir()}
    assert names
    assert names == {one.name for one in keys.glob("[!.]*")} - {"master.key", "pin"}
    master = (keys / "master.key").read_bytes().strip()
    for file in made.path.rglob("*"):
        assert not file.is_file() or master not in file.read_bytes()


def test_nothing_that_is_there_is_overwritten(made: Made, tmp_path: Path) -> None:
    settings = place(made.office, tmp_path / "place")
    settings.home.mkdir()
    (settings.home / "notes.txt").write_text("mine")
    refused(settings, made.path, "notes.txt")
    (settings.home / "notes.txt").unlink()
    (settings.home / "seal.db").write_bytes(b"")
    refused(settings, made.path, "already")
    (settings.home / "seal.db").unlink()
    name = next(one.name for one in (made.path / "keys").iterdir())
    (settings.key_directory / name).write_bytes(b"another")
    refused(settings, made.path, "another key file")


def test_an_instance_is_not_restored_over_itself(made: Made) -> None:
    office = made.office
    before = office.service.query_log(office.auditor, QueryLog()).upto_size
    with pytest.raises(BackupRefused, match="already"):
        restore(made.office.settings, made.path)
    assert office.service.query_log(office.auditor, QueryLog()).upto_size == before


def test_a_backup_of_another_log_is_refused(made: Made, tmp_path: Path) -> None:
    settings = place(made.office, tmp_path / "place").model_copy(update={"origin": "other.example/log"})
    refused(settings, made.path, "SEAL_ORIGIN")


def test_a_backup_without_keys_needs_them_where_it_is_restored(made: Made, tmp_path: Path) -> None:
    made.office.clock.forward(timedelta(seconds=2))
    backup = made.office.service.back_up(made.office.operator, BackUp(directory=made.directory))
    assert not (made.directory / backup.name / "keys").exists()
    settings = place(made.office, tmp_path / "place")
    refused(settings, made.directory / backup.name, "keyring and key files")
    shutil.copy(made.office.settings.key_directory / "keyring", settings.key_directory)
    refused(settings, made.directory / backup.name, "keys are not in this backup")
    for file in made.office.settings.key_directory.glob("[!m]*.key"):
        shutil.copy(file, settings.key_directory)
    restore(settings, made.directory / backup.name, made.office.people)
    service = build(settings)
    assert service.check_readiness(PUBLIC_CALLER, CheckReadiness())
    service.close()


def test_a_place_for_backups_lies_outside_the_instance(made: Made, tmp_path: Path) -> None:
    office = made.office
    for directory in (office.home, office.home / "keys", tmp_path / "nowhere"):
        with pytest.raises(BackupRefused):
            office.service.back_up(office.operator, BackUp(directory=directory))


def test_only_an_operator_backs_up(made: Made, tmp_path: Path) -> None:
    for caller in (made.office.maker, made.office.system, made.office.auditor):
        with pytest.raises(PermissionDenied):
            made.office.service.back_up(caller, BackUp(directory=tmp_path))
    with pytest.raises(Unauthenticated):
        made.office.service.back_up(PUBLIC_CALLER, BackUp(directory=tmp_path))


def test_a_second_backup_in_the_same_second_or_at_the_same_time_is_refused(made: Made, tmp_path: Path) -> None:
    office = made.office
    office.service.back_up(office.operator, BackUp(directory=tmp_path))
    with pytest.raises(AlreadyRegistered):
        office.service.back_up(office.operator, BackUp(directory=tmp_path))
    if not made.is_file:
        return  # dumps of a server do not stand in one another's way
    other = tmp_path / "other"
    other.mkdir()
    met: list[type[Exception]] = []

    def meanwhile(_what: str, _done: int, _of: int) -> None:
        if not met:
            try:
                office.service.back_up(office.operator, BackUp(directory=other))
            except Conflict as conflict:
                met.append(type(conflict))

    again = tmp_path / "again"
    again.mkdir()
    office.service.back_up(office.operator, BackUp(directory=again, told=meanwhile))
    assert met == [Conflict]
    assert list(other.iterdir()) == []
    assert len(list(again.iterdir())) == 1


def test_a_backup_that_fails_leaves_nothing(made: Made, tmp_path: Path) -> None:
    def broken(what: str, _done: int, _of: int) -> None:
        if what == "copying documents":
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        made.office.service.back_up(made.office.operator, BackUp(directory=tmp_path, told=broken))
    assert list(tmp_path.iterdir()) == []
    assert list(made.office.home.rglob(".backup/*")) == []
    assert is_initialised(made.office.settings)
