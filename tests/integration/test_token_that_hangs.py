"""密钥进程 while a token does not answer: nothing takes effect too late, nobody else waits, all is logged out of."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from seal_service.domain.algorithms import Suite
from seal_service.pki.file_keys import FileKeyStore, LockedKey
from seal_service.pki.key_process import ActivatedKeys
from seal_service.pki.pkcs11_module import loaded
from seal_service.pki.pkcs11_token import KeeperToken
from seal_service.pki.prepared_tokens import PreparedTokens
from seal_service.pki.seal_token_keys import SealTokenKeyStore
from tests.integration.test_keeper_tokens import SECRET, Kept
from tests.pki_instance import SystemEntropy, key_hierarchy
from tests.softhsm import TRANSPORT_PIN, softhsm_module, softhsm_seal_settings


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    beginning = str(softhsm_seal_settings(tmp_path, 1)["pkcs11_seal_tokens"])
    store = SealTokenKeyStore(PreparedTokens(softhsm_module(), beginning, None, lambda: TRANSPORT_PIN))
    key = store.create("seal-1", Suite.ECDSA_P256)
    store.protect("seal-1", SECRET)
    return Kept(store, key)


@contextmanager
def hanging() -> Iterator[None]:
    """The module, in something that does not end."""
    began, end = threading.Event(), threading.Event()
    module = loaded(softhsm_module())

    def hang() -> None:
        began.set()
        end.wait()

    thread = threading.Thread(target=lambda: module.alone("it", hang))
    thread.start()
    began.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()


class Activating:
    """An activation under way, in a thread of its own; it has begun when this is made."""

    def __init__(self, kept: Kept) -> None:
        self._begun = threading.Event()
        self._answers: list[dict[str, Any]] = []

        def ticks() -> float:
            self._begun.set()
            return kept.now

        kept.active = ActivatedKeys(lambda: kept.now, softhsm_module(), ticks)
        self._thread = threading.Thread(target=lambda: self._answers.append(kept.activate()))
        self._thread.start()
        assert self._begun.wait(10)

    @property
    def answer(self) -> dict[str, Any]:
        self._thread.join()
        return self._answers[0]


def test_an_activation_takes_no_effect_once_nobody_waits_for_it(kept: Kept) -> None:
    with hanging():
        activating = Activating(kept)
        kept.now += 8
    assert activating.answer == {"error": "late"}
    assert kept.sign() == {"error": "not_activated"}
    assert kept.is_logged_out()


def test_a_lock_also_ends_an_activation_that_is_under_way(kept: Kept) -> None:
    with hanging():
        activating = Activating(kept)
        kept.active.answer({"do": "end", "reference": "seal-1"})
    assert activating.answer == {"error": "late"}
    assert kept.sign() == {"error": "not_activated"}
    assert kept.is_logged_out()
    assert kept.activate() == {}, "one that comes after it is none of those"


def test_what_is_under_way_too_long_asks_no_token_any_more(kept: Kept) -> None:
    """Which would cost one of its tries."""
    kept.active = ActivatedKeys(lambda: kept.now, softhsm_module(), ticks=lambda: kept.now + 8)
    assert kept.activate("wrong secret number one") == {"error": "late"}


def test_nobody_waits_for_a_token_that_cannot_be_logged_out_of(kept: Kept) -> None:
    kept.activate()
    with hanging():
        began = time.monotonic()
        assert kept.active.answer({"do": "end", "reference": "seal-1"}) == {"was": True}
        assert kept.active.answer({"do": "condition"})["activated"] == 0
        kept.active.drop_ended()
        assert kept.sign() == {"error": "not_activated"}
        assert time.monotonic() - began < 5
    assert kept.is_logged_out()


def test_a_logout_that_failed_is_tried_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.activate()
    monkeypatch.setattr("seal_service.pki.pkcs11_module._WAIT_SECONDS", 0.05)
    monkeypatch.setattr("seal_service.pki.keeper_tokens._PAUSE_SECONDS", 0.05)
    with hanging():
        kept.active.answer({"do": "end", "reference": "seal-1"})
        time.sleep(0.3)
    monkeypatch.undo()
    assert kept.is_logged_out()


def test_a_late_logout_leaves_the_login_that_came_after_it(kept: Kept) -> None:
    before, after = (KeeperToken(softhsm_module(), kept.key.label, lambda: SECRET) for _ in range(2))
    before.log_in()
    after.log_in()
    before.log_out()
    assert kept.is_logged_in
    after.log_out()
    assert not kept.is_logged_in


def test_a_late_activation_of_a_key_in_a_file_takes_no_effect_either(kept: Kept, tmp_path: Path) -> None:
    files = FileKeyStore(key_hierarchy(tmp_path / "keys"), SystemEntropy())
    files.create("seal-2", Suite.ECDSA_P256)
    files.protect("seal-2", SECRET)
    locked = files.open("seal-2")
    assert isinstance(locked, LockedKey)
    ticks = iter([1.0, 9.0])  # while argon2id works
    active = ActivatedKeys(lambda: kept.now, ticks=lambda: next(ticks))
    opened_by = {"secret": SECRET, "wrapped": base64.b64encode(locked.wrapped).decode()}
    asked = {"do": "activate", "reference": "seal-2", "until": 2000.0, "uses": None, "by": 7.0}
    assert active.answer({**asked, **opened_by}) == {"error": "late"}
    assert active.answer({"do": "status", "reference": "seal-2"}) == {}
