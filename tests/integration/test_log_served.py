"""The log of an instance that is served: published by itself, soon, and no seal is used when it is halted."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from seal_service.bootstrap import build
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import AlreadyRegistered, Conflict, LogDamaged, LogHalted
from seal_service.domain.operation import Profile
from seal_service.formats.checkpoint import SignedCheckpoint, open_checkpoint
from seal_service.formats.note import verifier_key
from seal_service.jobs.maintenance import MACHINE
from seal_service.storage.engine import open_database
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKey
from seal_service.usecases.sequence_log import SequenceLog
from tests.behind_the_triggers import change_behind_the_triggers
from tests.instance import RealOffice
from tests.postgresql import postgresql_settings
from tests.served import served

LATER = timedelta(seconds=2)
"""What a process saw is believed for one."""
SOON = 10.0
"""Seconds; a machine that runs other tests too is slow."""


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealOffice]:
    changes = {} if request.param == "sqlite" else postgresql_settings("published")
    made = RealOffice(tmp_path / "var", changes=changes)
    yield made
    made.service.close()


def published(office: RealOffice) -> SignedCheckpoint:
    key = verifier_key(office.service.transparency.read_key(PUBLIC_CALLER, ReadLogKey()))
    return open_checkpoint((office.home / "log" / "checkpoint").read_bytes(), key)


def reached(office: RealOffice, size: int) -> bool:
    return published(office).checkpoint.size >= size


def publish(office: RealOffice) -> int:
    office.service.transparency.sequence(MACHINE, SequenceLog())
    return office.service.transparency.publish(MACHINE, PublishCheckpoint()).size


def publication(office: RealOffice) -> tuple[bool, str]:
    found = office.service.check_readiness(PUBLIC_CALLER, CheckReadiness())
    return next((one.ready, one.detail) for one in found if one.name == "publication")


def require_going_on(office: RealOffice, size: int) -> None:
    """More is published than before, and a seal is used."""
    assert publish(office) > size
    office.clock.forward(LATER)
    assert office.use("taken").content is not None
    assert publication(office)[0]


def test_a_served_log_publishes_each_use_soon(office: RealOffice) -> None:
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    settings = {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for name in ("database_url", "database_owner_url")
        if (value := getattr(office.settings, name)) is not None
    }
    with served(office.home, 2, **settings) as server:
        server.until(lambda: (office.home / "log" / "checkpoint").exists(), "the first checkpoint")
        waited = []
        for number in range(5):
            before = published(office).checkpoint.size
            office.clock.moment = datetime.now(UTC)  # as the server's, which no test moves
            office.use(f"use-{number}")
            began = time.monotonic()
            # An intent and its end; the relay of filings may write more.
            server.until(partial(reached, office, before + 2), "the use's checkpoint")
            waited.append(time.monotonic() - began)
        print(f"commit to checkpoint: {sorted(waited)} s")
        assert sorted(waited)[2] < SOON, waited
        assert httpx.get(f"{server.url}/readyz", timeout=60).status_code == 200
        told = server.command("log", "publish", "--json")
        assert '"begun": true' in told.stdout, told.stderr
    assert office.service.transparency.read_key(PUBLIC_CALLER, ReadLogKey()).startswith("seal.example/log+")


def test_an_instance_restored_from_an_old_backup_seals_nothing(tmp_path: Path) -> None:
    """The database file is put back as it was; guard and published files are not."""
    office = RealOffice(tmp_path / "var")
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    publish(office)
    office.service.close()
    shutil.copytree(office.home, tmp_path / "backup")
    office.service = build(office.settings, clock=office.clock)
    assert office.use("released").content is not None
    publish(office)
    office.service.close()
    for one in office.home.glob("seal.db*"):
        one.unlink()
    shutil.copy(tmp_path / "backup" / "seal.db", office.home / "seal.db")
    office.service = build(office.settings, clock=office.clock)
    with pytest.raises(LogHalted, match="its guard knows"):
        office.use("another history")
    with pytest.raises(LogHalted):
        publish(office)
    ready, told = publication(office)
    assert not ready
    assert "old backup" in told
    office.service.close()


def test_an_instance_whose_guard_is_lost_seals_nothing_until_it_is_back(office: RealOffice, tmp_path: Path) -> None:
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    publish(office)
    assert office.use("before").content is not None
    guard = office.home / "log-guard"
    guard.rename(tmp_path / "away")
    office.clock.forward(LATER)
    with pytest.raises(LogHalted, match="guard is missing"):
        office.use("without")
    assert not publication(office)[0]
    (tmp_path / "away").rename(guard)
    office.clock.forward(LATER)
    assert office.use("back").content is not None
    guard.rename(tmp_path / "gone")
    begun = office.service.transparency.initialise(MACHINE, InitialiseLog(guard_lost=True))
    office.clock.forward(LATER)
    assert office.use("new guard").content is not None
    assert publish(office) > begun.size


def test_an_instance_whose_published_files_contradict_it_seals_nothing_until_they_are_put_right(
    office: RealOffice,
) -> None:
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    size = publish(office)
    office.use("before")
    office.service.transparency.sequence(MACHINE, SequenceLog())
    wrong = [office.home / "log" / "tile" / "0" / "000.p" / str(one) for one in range(size + 1, size + 20)]
    for one in wrong:
        one.write_bytes(b"not these hashes")
    with pytest.raises(LogDamaged, match="other bytes"):
        publish(office)
    office.clock.forward(LATER)
    with pytest.raises(LogHalted, match="other bytes"):
        office.use("refused")
    ready, told = publication(office)
    assert not ready
    assert "other bytes" in told
    for one in wrong:
        one.unlink()
    require_going_on(office, size)


def test_an_instance_in_whose_log_a_waiting_entry_was_changed_seals_nothing_until_it_is_put_right(
    office: RealOffice,
) -> None:
    """The receipt of a use promises its entry a place in the tree, and none gets one behind the changed entry."""
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    size = publish(office)
    office.use("waits")
    database = open_database(office.settings.database_address, office.settings.database_owner_address)
    owner = database.owner
    changed = "UPDATE sign_log SET canon = {} WHERE kind = 'seal.intent'"
    with owner.connect() as connection:
        read = "SELECT canon FROM sign_log WHERE kind = 'seal.intent'"
        (right,) = connection.exec_driver_sql(read).scalars()
    literal = "x'{}'" if owner.dialect.name == "sqlite" else "'\\x{}'"
    change_behind_the_triggers(owner, changed.format(literal.format(bytes([right[0] ^ 1, *right[1:]]).hex())))
    for _ in range(2):
        with pytest.raises(LogDamaged, match="nothing is sealed"):
            office.service.transparency.sequence(MACHINE, SequenceLog())
        office.clock.forward(LATER)
        with pytest.raises(LogHalted, match="are not those that were written"):
            office.use("refused")
    ready, told = publication(office)
    assert not ready
    assert "are not those that were written" in told
    change_behind_the_triggers(owner, changed.format(literal.format(right.hex())))
    require_going_on(office, size)
    database.close()


@pytest.mark.parametrize("unreadable", [False, True])
def test_a_guard_that_holds_no_checkpoint_is_set_aside_by_whoever_says_that_it_is_lost(
    tmp_path: Path, *, unreadable: bool
) -> None:
    office = RealOffice(tmp_path / "var")
    initialise, held = office.service.transparency.initialise, office.home / "log-guard" / "checkpoint"
    initialise(MACHINE, InitialiseLog())
    publish(office)
    with pytest.raises(AlreadyRegistered):
        initialise(MACHINE, InitialiseLog(guard_lost=True))
    right = held.read_bytes()
    held.unlink()
    if unreadable:
        held.mkdir()
    else:
        held.write_bytes(b"garbage")
    office.clock.forward(LATER)
    with pytest.raises(LogHalted):
        office.use("halted")
    with pytest.raises(Conflict if unreadable else LogHalted, match="guard-lost"):
        initialise(MACHINE, InitialiseLog())
    initialise(MACHINE, InitialiseLog(guard_lost=True))
    assert held.read_bytes() == right
    [aside] = held.parent.glob("checkpoint.lost-*/checkpoint")
    assert aside.is_dir() if unreadable else aside.read_bytes() == b"garbage"
    office.clock.forward(LATER)
    assert office.use("guarded again").content is not None
    publish(office)
    office.service.close()


def test_a_guard_whose_volume_hangs_halts_the_log_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Its file is a pipe that nobody writes: opening it does not come back."""
    office = RealOffice(tmp_path / "var")
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    publish(office)
    held = office.home / "log-guard" / "checkpoint"
    held.rename(tmp_path / "away")
    os.mkfifo(held)
    began = time.monotonic()
    for number in range(5):
        office.clock.forward(LATER)
        with pytest.raises(LogHalted, match="its volume hangs"):
            office.use(f"refused {number}")
    ready, told = publication(office)
    assert not ready
    assert "its volume hangs" in told
    assert time.monotonic() - began < SOON
    while any(one.name == "guard" for one in threading.enumerate()):  # it comes back
        with suppress(OSError):
            os.close(os.open(held, os.O_WRONLY | os.O_NONBLOCK))
        time.sleep(0.01)
    held.unlink()
    (tmp_path / "away").rename(held)
    office.clock.forward(LATER)
    assert office.use("taken").content is not None
    office.service.close()


def test_production_seals_nothing_before_the_log_was_initialised(tmp_path: Path) -> None:
    office = RealOffice(tmp_path / "var")
    assert office.use("trial").content is not None
    assert publication(office)[0]
    office.service.close()
    changes = {"profile": Profile.PRODUCTION, "allow_software_keys": True, "activation": "off"}
    office.settings = office.settings.model_copy(update=changes)
    office.service = build(office.settings, clock=office.clock)
    with pytest.raises(LogHalted, match="seal log init"):
        office.use("refused")
    assert not publication(office)[0]
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    office.clock.forward(LATER)
    assert office.use("taken").content is not None
    office.service.close()
