"""保管与启用 where something goes wrong in between: repeated after a lost answer, counted, outside transactions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seal_service.bootstrap import key_process
from seal_service.bootstrap.rooms import Rooms, open_rooms
from seal_service.domain.errors import ActivationBlocked, Conflict, KeyNotFound, TokenPinLocked
from seal_service.domain.events import EventKind
from seal_service.pki.activated_keys import KeyProcessClient, SealKeyActivation
from seal_service.ports.reading import LogFilter
from seal_service.ports.records import Records
from seal_service.usecases.activate_seal import (
    ActivateSeal,
    ActivateSealUseCase,
    TakeIntoCustody,
    TakeIntoCustodyUseCase,
)
from seal_service.usecases.destroy_key import DestroyKey, DestroyKeyUseCase
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.renew_seal import RenewSeal
from tests.integration.test_activation import SECRET, KeptOffice, pid_of_key_process, wait_for_process
from tests.integration.test_activation_in_an_hsm import kept_office, keys_of, reference_of
from tests.integration.test_keeper_tokens import answering
from tests.pki_instance import SystemEntropy


@pytest.fixture(params=["in a file", "in a token"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeptOffice]:
    if request.param == "in a token":
        with kept_office(tmp_path, 2) as made:
            yield made
        return
    made = KeptOffice(tmp_path / "var")
    with key_process(made.settings):
        wait_for_process(made)
        yield made
    made.service.close()


@pytest.fixture
def rooms(office: KeptOffice) -> Iterator[Rooms]:
    """Another process's."""
    made = open_rooms(office.settings, office.clock, SystemEntropy())
    yield made
    made.database.close()


@pytest.fixture
def process(office: KeptOffice) -> Iterator[KeyProcessClient]:
    made = KeyProcessClient(office.settings.run_directory)
    yield made
    made.close()


def test_a_taking_whose_answer_was_lost_is_repeated(
    office: KeptOffice, rooms: Rooms, process: KeyProcessClient
) -> None:
    SealKeyActivation(rooms.files, rooms.seal_tokens, process).protect(reference_of(office), SECRET)
    other = TakeIntoCustody(seal_code=office.made.code, secret="another secret of mine")
    with pytest.raises(Conflict):
        office.service.custody.take_into_custody(office.seal_keeper, other)
    office.take()
    assert office.activate().activation is not None


class AskedOutside(SealKeyActivation):
    """Which looks for keys while others can write."""

    def __init__(self, records: Records, *parts: Any) -> None:
        super().__init__(*parts)
        self._records = records
        self.found: list[bool] = []

    def find(self, reference: str, *, anew: bool) -> None:
        with self._records.write():
            super().find(reference, anew=anew)
        self.found.append(anew)


def test_keys_are_looked_for_while_no_transaction_waits(
    office: KeptOffice, rooms: Rooms, process: KeyProcessClient
) -> None:
    keys = AskedOutside(rooms.records, rooms.files, rooms.seal_tokens, process)
    taking = TakeIntoCustodyUseCase(rooms.records, rooms.log, keys, office.clock)
    taking(office.seal_keeper, TakeIntoCustody(seal_code=office.made.code, secret=SECRET))
    assert keys.found == [True]
    with pytest.raises(Conflict, match="already"):
        taking(office.seal_keeper, TakeIntoCustody(seal_code=office.made.code, secret=SECRET))
    assert keys.found == [True], "and not for what is refused anyway"
    until = office.clock.now() + timedelta(hours=8)
    activating = ActivateSealUseCase(rooms.records, rooms.log, keys, office.clock)
    activating(office.seal_keeper, ActivateSeal(seal_code=office.made.code, secret=SECRET, until=until))
    assert keys.found == [True, False]


def test_a_token_that_has_locked_its_pin_is_counted_and_logged_as_a_wrong_secret(tmp_path: Path) -> None:
    """Here the key process itself says so, since SoftHSM never locks one."""
    office = KeptOffice(tmp_path / "var")
    office.take()
    with answering(office.settings.run_directory, {"error": "token_locked", "told": "locked its PIN"}):
        for _ in range(3):
            with pytest.raises(TokenPinLocked, match="locked its PIN"):
                office.activate()
        with pytest.raises(ActivationBlocked):
            office.activate()
        chosen = LogFilter(seal_code=office.made.code, kind=EventKind.SEAL_ACT_REFUSED)
        logged = office.service.query_log(office.auditor, QueryLog(chosen=chosen)).page.items
        assert sum(b"token_pin_locked: " in one.canon for one in logged) == 3
        office.service.close()


def destroyed(office: KeptOffice, reference: str) -> None:
    """As it is done when a second person has confirmed it."""
    rooms = open_rooms(office.settings, office.clock, SystemEntropy())
    try:
        destroy = DestroyKeyUseCase(rooms.records, rooms.log, rooms.keys, office.clock)
        destroy(office.operator, DestroyKey(reference=reference, confirmed=True))
    finally:
        rooms.database.close()


def test_a_key_that_no_keeper_took_is_destroyed_in_its_token(tmp_path: Path) -> None:
    with kept_office(tmp_path, 2) as office:
        before = reference_of(office)
        office.clock.moment = office.made.not_after - timedelta(days=80)
        office.made = office.service.renew_seal(office.keeper, RenewSeal(seal_code=office.made.code))
        office.take()
        office.clock.forward(timedelta(hours=2))
        destroyed(office, before)
        assert before not in keys_of(office)
        with pytest.raises(KeyNotFound):
            office.service.destroy_key(office.operator, DestroyKey(reference=before))


def test_a_key_that_its_keeper_took_is_not_logged_as_destroyed(tmp_path: Path) -> None:
    with kept_office(tmp_path, 2) as office:
        office.take()
        before = reference_of(office)
        office.clock.moment = office.made.not_after - timedelta(days=80)
        office.made = office.service.renew_seal(office.keeper, RenewSeal(seal_code=office.made.code))
        office.clock.forward(timedelta(hours=2))
        with pytest.raises(Conflict, match="under its keeper's secret"):
            destroyed(office, before)
        assert before in keys_of(office)
        chosen = LogFilter(kind=EventKind.KEY_DESTROYED)
        assert not office.service.query_log(office.auditor, QueryLog(chosen=chosen)).page.items


def test_nothing_of_the_service_reaches_the_key_process_and_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are read in any case of letters, so they are kept back in any."""
    for name in ("seal_secret", "Seal_Secret", "pgpassword", "MODULES_OWN"):
        monkeypatch.setenv(name, "value")
    with kept_office(tmp_path, 1) as office:
        environment = (Path("/proc") / str(pid_of_key_process(office)) / "environ").read_bytes().split(b"\0")
    names = {one.partition(b"=")[0].decode() for one in environment}
    assert "MODULES_OWN" in names
    assert not [name for name in names if name.upper().startswith(("SEAL_", "PG"))]
