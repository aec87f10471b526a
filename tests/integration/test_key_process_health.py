"""密钥进程 in health: named where activation is in use, not ready when it does not answer, keys as a number alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from seal_service.bootstrap import build, key_process
from seal_service.domain.access import PUBLIC_CALLER, Caller
from seal_service.domain.errors import SealNotActivated
from seal_service.domain.readiness import Dependency
from seal_service.usecases.activate_seal import WhichActivation
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.read_metrics import ReadMetrics
from tests.integration.test_activation import KeptOffice, pid_of_key_process, wait_for_process

WATCHING: Caller = replace(PUBLIC_CALLER, address="127.0.0.1")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[KeptOffice]:
    """Nobody has activated anything; no key process runs yet."""
    made = KeptOffice(tmp_path / "var")
    yield made
    made.service.close()


def told(office: KeptOffice) -> Dependency | None:
    found = office.service.check_readiness(PUBLIC_CALLER, CheckReadiness())
    return next((one for one in found if one.name == "key_process"), None)


def test_a_key_process_that_does_not_run_is_warned_of_until_a_seal_is_taken_and_then_not_ready(
    office: KeptOffice,
) -> None:
    found = told(office)
    assert found is not None
    assert (found.ready, found.warning) == (True, True), "as `seal doctor` finds a new instance before it is served"
    office.take()
    found = told(office)
    assert found is not None
    assert (found.ready, found.age) == (False, None)
    assert found.mend is not None
    assert "`seal serve`" in found.mend
    with key_process(office.settings):
        wait_for_process(office)
        running = told(office)
        assert running is not None
        assert (running.ready, running.mend) == (True, None)


def test_the_number_of_activated_keys_is_told_and_which_they_are_is_not(office: KeptOffice) -> None:
    with key_process(office.settings):
        wait_for_process(office)
        office.take()
        numbers = [activated(office)]
        office.activate()
        numbers.append(activated(office))
        detail = getattr(told(office), "detail", "")
        assert "activated keys: 1" in detail
        credential = office.made.signing_credential()
        assert credential is not None
        assert office.made.code not in detail
        assert credential.key_reference not in detail
        office.service.custody.end_activation(office.seal_keeper, WhichActivation(seal_code=office.made.code))
        numbers.append(activated(office))
        assert numbers == [0, 1, 0]


def test_an_activation_that_ended_by_itself_is_not_counted(office: KeptOffice) -> None:
    with key_process(office.settings):
        wait_for_process(office)
        office.take()
        office.activate(uses=1)
        assert activated(office) == 1
        office.use("1")
        assert activated(office) == 0


def test_a_key_process_that_hangs_or_is_gone_is_not_ready_within_seconds(office: KeptOffice) -> None:
    with key_process(office.settings):
        wait_for_process(office)
        office.take()
        process = pid_of_key_process(office)
        os.kill(process, signal.SIGSTOP)
        try:
            began = time.monotonic()
            found = told(office)
            assert time.monotonic() - began < 8, "an answer that is waited for takes 10 s"
            assert found is not None
            assert not found.ready
        finally:
            os.kill(process, signal.SIGCONT)
    gone = told(office)
    assert gone is not None
    assert not gone.ready
    assert "seal_key_process_up 0.0" in metrics(office)
    assert "seal_keys_activated " not in metrics(office)


def test_a_use_does_not_wait_long_for_a_key_process_that_hangs(office: KeptOffice) -> None:
    """However many connections to it are kept: it is asked once, under the seal's lock."""
    with key_process(office.settings):
        wait_for_process(office)
        office.take()
        office.activate()
        with ThreadPoolExecutor(8) as pool:
            assert all(one and one.ready for one in pool.map(lambda _: told(office), range(32)))
        process = pid_of_key_process(office)
        os.kill(process, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(SealNotActivated, match="does not answer"):
                office.use("hangs")
            assert time.monotonic() - began < 8, "an answer that is waited for takes 10 s"
        finally:
            os.kill(process, signal.SIGCONT)
        assert office.use("answers").content is not None


def test_where_nobody_activates_anything_no_key_process_is_missed(tmp_path: Path) -> None:
    office = KeptOffice(tmp_path / "var", changes={"activation": "off"})
    assert told(office) is None
    office.take()  # from now on a seal is locked, whatever the setting says
    found = told(office)
    assert found is not None
    assert not found.ready
    office.service.close()


def activated(office: KeptOffice) -> int:
    """By the metric."""
    text = metrics(office)
    assert "seal_key_process_up 1.0" in text
    (line,) = [one for one in text.splitlines() if one.startswith("seal_keys_activated ")]
    return int(float(line.split()[1]))


def metrics(office: KeptOffice) -> str:
    """As a process that has not been asked lately answers."""
    fresh = build(office.settings, clock=office.clock)
    try:
        return fresh.read_metrics(WATCHING, ReadMetrics()).decode()
    finally:
        fresh.close()
