"""主密钥轮换: at every moment, and after a death at every step, everything opens; in the end with the new key alone."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import Conflict, InstanceNotReady, IntegrityFailed
from seal_service.pki.master_key import MasterKey
from tests.key_directory import (
    DOCUMENTS,
    KEYS,
    Contents,
    Process,
    as_version_0_1_0,
    first_form,
    founded,
    master_lines,
)

ROOT = Path(__file__).parents[2]
NEW = "12" * 32


def wrapped_under(home: Path) -> set[str]:
    """Ids of the master keys that wrap something in the key directory."""
    directory = home / "keys"
    return {path.read_bytes()[1:9].hex() for path in (*directory.glob("[!m]*.key"), directory / "keyring")}


def require_finished(home: Path, contents: Contents, old: str) -> None:
    """The new master key alone opens everything, the old one nothing."""
    (new,) = master_lines(home)
    assert new != old
    contents.require(Process(home))
    contents.require(Process(home, environment=new))
    assert wrapped_under(home) == {MasterKey(bytes.fromhex(new)).id.hex()}
    with pytest.raises(InstanceNotReady):
        Process(home, environment=old)
    names = sorted(path.name for path in (home / "keys").iterdir())
    assert names == [".lock", ".rotation", *sorted([*(f"{one}.key" for one in KEYS), "keyring", "master.key"])]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (home / "keys").iterdir()} == {0o600}


def test_a_rotation_wraps_everything_under_a_new_master_key(tmp_path: Path) -> None:
    contents = founded(tmp_path)
    (old,) = master_lines(tmp_path)
    plan = Process(tmp_path).rotation.plan()
    assert (plan.key_files, plan.key_files_to_wrap, plan.kept_files) == (3, 0, 3)
    assert (plan.from_environment, plan.others) == (False, ())
    assert master_lines(tmp_path) == [old]
    done = Process(tmp_path).rotation.rotate()
    assert (done.key_files, done.kept_files, done.kept_files_damaged, done.data_key) == (3, 3, 0, 2)
    assert done.retired == (plan.active,)
    require_finished(tmp_path, contents, old)
    assert {path.read_bytes()[:5].hex() for path in (tmp_path / "blobs").glob("??/??/*")} == {"0200000002"}
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []
    assert [path.name for path in sorted((tmp_path / "blobs").glob("??/??/*"))] == sorted(contents.digests)


def test_what_holds_the_old_keys_goes_on_without_restart(tmp_path: Path) -> None:
    """Other processes: one that has opened keys, one that has opened none, one that only encrypts."""
    contents = founded(tmp_path)
    busy, idle, writing = (Process(tmp_path) for _ in range(3))
    contents.require(busy)
    for _ in range(2):
        Process(tmp_path).rotation.rotate()
        contents.require(busy)
        contents.require(idle)
    assert writing.vault.encrypt(b"", b"")[:5] == b"\x02\x00\x00\x00\x03"
    made = writing.keys.create("seal-9", Suite.ECDSA_P256)
    assert idle.keys.open("seal-9").public_key_info == made.public_key_info
    assert len(wrapped_under(tmp_path)) == 1


class Died(BaseException):
    """The process is dead: nothing that it does any more has an effect."""


class Mortal:
    """The file system's boundary, which a process crosses only so many times before it dies.

    With `power` lost, a rename that no fsync of its directory followed did not happen.
    """

    CALLS = ("open", "fsync", "replace", "link", "unlink")

    def __init__(self, lives: int, *, power: bool, patch: pytest.MonkeyPatch) -> None:
        self.lives, self.power = lives, power
        self.unsynced: list[tuple[str, bytes]] = []
        self.real: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in self.CALLS}
        for name in self.CALLS:
            patch.setattr(os, name, self._mortal(name))

    def _mortal(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.lives -= 1
            if self.lives < 0:
                raise Died
            if name == "replace":
                target = str(given[1])
                before = Path(target).read_bytes()
                self.real[name](*given, **named)
                self.unsynced.append((target, before))
                return None
            done = self.real[name](*given, **named)
            if name == "fsync" and stat.S_ISDIR(os.fstat(given[0]).st_mode):
                synced = os.readlink(f"/proc/self/fd/{given[0]}")
                self.unsynced = [one for one in self.unsynced if os.path.dirname(one[0]) != synced]
            return done

        return call

    def lose_power(self) -> None:
        for target, before in reversed(self.unsynced if self.power else []):
            Path(target).write_bytes(before)


def rotate_with(lives: int, home: Path, *, power: bool) -> bool:
    """Whether a rotation of a process with so many lives came to its end."""
    process = Process(home)
    with pytest.MonkeyPatch.context() as patch:
        mortal = Mortal(lives, power=power, patch=patch)
        try:
            process.rotation.rotate()
        except Died:
            ended = False
        else:
            ended = True
    if not ended:
        mortal.lose_power()
    return ended


@pytest.mark.parametrize("version", ["now", "0.1.0"])
@pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])
def test_a_death_at_any_step_loses_nothing_and_the_next_call_finishes(
    tmp_path: Path, version: str, power: bool
) -> None:
    whole = tmp_path / "whole"
    contents = founded(whole) if version == "now" else made_by_version_0_1_0(whole)
    (old,) = master_lines(whole)
    lives, unfinished, ended = 0, 0, False
    while not ended:
        home = tmp_path / f"life-{lives}"
        shutil.copytree(whole, home)
        survivor = Process(home)
        ended = rotate_with(lives, home, power=power)
        contents.require(Process(home))
        contents.require(survivor)
        assert old in master_lines(home) or ended or len(wrapped_under(home)) == 1
        if not ended:
            unfinished += len(master_lines(home)) == 2
            Process(home).rotation.rotate()
            contents.require(survivor)
        require_finished(home, contents, old)
        shutil.rmtree(home)
        lives += 1
    assert lives > 40
    assert unfinished > 20


def made_by_version_0_1_0(home: Path) -> Contents:
    keys = home / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "master.key").write_text("34" * 32 + "\n")
    (keys / "master.key").chmod(0o600)
    marker = keys / "first.key"
    marker.write_bytes(first_form("34" * 32, bytes(100), b"key/first"))
    contents = Contents.made(Process(home))
    marker.unlink()
    as_version_0_1_0(home)
    contents.require(Process(home))
    return contents


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.key_directory import Process
process = Process(Path({home!r}))
real, count = os.replace, 0
def replace(*given):
    global count
    count += 1
    if count == {at}:
        print("dying", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)
os.replace = replace
process.rotation.rotate()
"""


@pytest.mark.parametrize("at", [1, 2, 4, 7])
def test_a_killed_process_leaves_no_lock_and_nothing_undone(tmp_path: Path, at: int) -> None:
    contents = founded(tmp_path)
    (old,) = master_lines(tmp_path)
    program = KILLED.format(root=str(ROOT), home=str(tmp_path), at=at)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    contents.require(Process(tmp_path))
    Process(tmp_path).rotation.rotate()
    contents.require(Process(tmp_path))
    require_finished(tmp_path, contents, old)


def test_two_rotations_do_not_run_at_once(tmp_path: Path) -> None:
    founded(tmp_path)
    process = Process(tmp_path)
    with process.hierarchy.rotating(), pytest.raises(Conflict, match="being rotated"):
        Process(tmp_path).rotation.rotate()
    with process.hierarchy.rotating(), pytest.raises(Conflict):
        Process(tmp_path).tokens.rotate()
    process.rotation.rotate()


def test_a_key_that_does_not_open_stops_the_rotation_before_it_begins(tmp_path: Path) -> None:
    contents = founded(tmp_path)
    lines = master_lines(tmp_path)
    strange = tmp_path / "keys" / "strange.key"
    for content in (
        b"",
        b"no key of this service, but as long as one would be",
        (tmp_path / "keys" / "seal-1.key").read_bytes(),
    ):
        strange.write_bytes(content)
        with pytest.raises(IntegrityFailed, match=r"strange\.key.*no key was retired"):
            Process(tmp_path).rotation.rotate()
        assert master_lines(tmp_path) == lines
    strange.unlink()
    Process(tmp_path).rotation.rotate()
    require_finished(tmp_path, contents, lines[0])


def test_a_damaged_kept_file_stays_as_it_is_and_is_counted(tmp_path: Path) -> None:
    contents = founded(tmp_path)
    path = next((tmp_path / "blobs").glob(f"??/??/{contents.digests[0]}"))
    path.write_bytes(path.read_bytes()[:-1])
    damaged = path.read_bytes()
    done = Process(tmp_path).rotation.rotate()
    assert (done.kept_files, done.kept_files_damaged) == (2, 1)
    assert path.read_bytes() == damaged


def test_a_master_key_of_the_environment_is_rotated_by_the_operator(tmp_path: Path) -> None:
    contents = founded(tmp_path)
    (old,) = master_lines(tmp_path)
    (tmp_path / "keys" / "master.key").unlink()
    alone = Process(tmp_path, environment=old)
    assert alone.rotation.plan().from_environment
    with pytest.raises(Conflict, match=r"seal keys new master.*new,old.*restart"):
        alone.rotation.rotate()
    both = Process(tmp_path, environment=f"{NEW},{old}")
    assert both.rotation.plan().key_files_to_wrap == 3
    done = both.rotation.rotate()
    assert (done.from_environment, done.key_files, done.data_key) == (True, 3, 2)
    again = both.rotation.rotate()
    assert (again.key_files, again.kept_files, again.data_key) == (0, 0, 2)
    contents.require(Process(tmp_path, environment=NEW))
    contents.require(both)
    assert not (tmp_path / "keys" / "master.key").exists()
    with pytest.raises(InstanceNotReady, match="add that key"):
        Process(tmp_path, environment=old)


def test_a_process_that_was_not_restarted_with_both_keys_loses_nothing(tmp_path: Path) -> None:
    """It says what to do and makes nothing that the retired key alone would open; what it has opened still signs."""
    contents = founded(tmp_path)
    (old,) = master_lines(tmp_path)
    forgotten = Process(tmp_path, environment=old)
    contents.require(forgotten)
    Process(tmp_path, environment=f"{NEW},{old}").rotation.rotate()
    for act in (
        lambda: forgotten.keys.create("seal-9", Suite.ECDSA_P256),
        lambda: forgotten.vault.encrypt(b"", b""),
        lambda: forgotten.blobs.put(b"another document"),
    ):
        with pytest.raises(InstanceNotReady, match=r"add that key after the first one, in master\.key or SEAL_MASTER"):
            act()
    assert forgotten.keys.open("seal-1").sign(b"message")
    assert forgotten.vault.decrypt(contents.private_field, b"field") == "张三".encode()
    contents.require(Process(tmp_path, environment=NEW))


def test_an_environment_of_version_0_1_0_is_rotated_too(tmp_path: Path) -> None:
    contents = made_by_version_0_1_0(tmp_path)
    (old,) = master_lines(tmp_path)
    (tmp_path / "keys" / "master.key").unlink()
    assert Process(tmp_path, environment=f"{NEW},{old}").rotation.rotate().data_key == 2
    contents.require(Process(tmp_path, environment=NEW))


def test_creators_wait_for_one_file_and_wrap_under_the_new_key(tmp_path: Path) -> None:
    """A key made while a rotation is at work is never under the key that will be retired."""
    contents = founded(tmp_path)
    rotating, creating = Process(tmp_path), Process(tmp_path)
    made: list[str] = []
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        """Before each step of the rotation another process makes a key."""
        if operation == fcntl.LOCK_EX and len(made) < 30:
            name = f"late-{len(made)}"
            made.append(name)
            creating.keys.create(name, Suite.ECDSA_P256)
        real(descriptor, operation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        rotating.rotation.rotate()
    assert len(made) > 5
    assert len(wrapped_under(tmp_path)) == 1
    fresh = Process(tmp_path)
    contents.require(fresh)
    for name in made:
        fresh.keys.open(name)


def test_what_is_deleted_while_it_is_replaced_stays_deleted(tmp_path: Path) -> None:
    contents = founded(tmp_path)
    rotating, deleting = Process(tmp_path), Process(tmp_path)
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX:
            deleting.keys.destroy("seal-2")
            if not rotating.rotation.plan().key_files_to_wrap:
                deleting.blobs.delete(contents.digests[0])
        real(descriptor, operation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        rotating.rotation.rotate()
    assert not (tmp_path / "keys" / "seal-2.key").exists()
    assert Process(tmp_path).blobs.get(contents.digests[0]) is None
    assert Process(tmp_path).blobs.get(contents.digests[1]) == DOCUMENTS[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
def test_what_root_rotates_stays_the_services(tmp_path: Path) -> None:
    founded(tmp_path)
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, 4711, 4712)
    Process(tmp_path).rotation.rotate()
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in (tmp_path, *tmp_path.rglob("*"))}
    assert owners == {(4711, 4712)}
