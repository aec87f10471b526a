"""保管与启用 in an HSM: a key in a token of its own signs only as far as its unit's keeper lets it (article 20)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import load_der_x509_csr

from seal_service.bootstrap import build, key_process
from seal_service.bootstrap.rooms import open_rooms
from seal_service.domain.errors import (
    ActivationBlocked,
    ActivationSecretWrong,
    Conflict,
    InvalidInput,
    KeyNotFound,
    KeyProcessUnavailable,
    KeyStoreUnavailable,
    NoTokenFree,
    SealNotActivated,
)
from seal_service.domain.operation import KeyPlace
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Indication
from seal_service.ports.crypto import KeyFacts
from seal_service.usecases.activate_seal import ActivateSeal, TakeIntoCustody, WhichActivation
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.destroy_key import DestroyKey
from seal_service.usecases.list_keys import ListKeys
from seal_service.usecases.renew_seal import RenewSeal
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.withdraw_request import WithdrawRequest
from tests.integration.test_activation import SECRET, KeptOffice, pid_of_key_process, wait_for_process
from tests.pki_instance import SystemEntropy
from tests.softhsm import (
    TRANSPORT_PIN,
    USER_PIN,
    prepared_token,
    softhsm_module,
    softhsm_seal_settings,
    softhsm_settings,
)


@contextmanager
def kept_office(tmp_path: Path, tokens: int, **changes: object) -> Iterator[KeptOffice]:
    hsm = {**softhsm_settings(tmp_path), **softhsm_seal_settings(tmp_path, tokens)}
    made = KeptOffice(tmp_path / "var", changes={**hsm, "activation": "required", "certificate_days": 100, **changes})
    with key_process(made.settings):
        wait_for_process(made)
        yield made
    made.service.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[KeptOffice]:
    """Whose seals have tokens of their own, of which three are prepared, with the key process beside it."""
    with kept_office(tmp_path, 3) as made:
        yield made


def keys_of(office: KeptOffice) -> dict[str, KeyFacts]:
    rooms = open_rooms(office.settings, office.clock, SystemEntropy())
    try:
        return {one.reference: one for one in rooms.keys.held()}
    finally:
        rooms.database.close()


def reference_of(office: KeptOffice) -> str:
    credential = office.made.signing_credential()
    assert credential is not None
    return credential.key_reference


def test_a_seals_key_is_alone_in_a_token_and_the_services_own_are_not(office: KeptOffice) -> None:
    found = keys_of(office)
    seals = found.pop(reference_of(office))
    assert seals.place is KeyPlace.PARTITION
    assert seals.token is not None
    assert seals.token.startswith(str(office.settings.pkcs11_seal_tokens))
    assert {(one.place, one.token) for one in found.values()} == {(KeyPlace.PKCS11, None)}
    listed = {one.reference: one for one in office.service.list_keys(office.operator, ListKeys()).items}
    assert listed[seals.reference].token == seals.token


def test_a_seal_in_a_token_signs_only_between_activation_and_its_end(office: KeptOffice) -> None:
    with pytest.raises(SealNotActivated):
        office.use("1", level=SignatureLevel.B_B)
    office.take()
    with pytest.raises(SealNotActivated):
        office.use("2", level=SignatureLevel.B_B)
    assert office.activate().activation is not None
    content = office.use("3").content
    assert content is not None
    assert office.verify(content).indication is Indication.TOTAL_PASSED
    which = WhichActivation(seal_code=office.made.code)
    office.service.custody.end_activation(office.seal_keeper, which)
    with pytest.raises(SealNotActivated):
        office.use("4", level=SignatureLevel.B_B)
    again = TakeIntoCustody(seal_code=office.made.code, secret="another secret of mine")
    with pytest.raises(Conflict):
        office.service.custody.take_into_custody(office.seal_keeper, again)


def test_a_seal_in_a_token_is_locked_also_where_no_activation_is_required(tmp_path: Path) -> None:
    with kept_office(tmp_path, 1, activation="off") as office:
        with pytest.raises(SealNotActivated):
            office.use("1", level=SignatureLevel.B_B)
        office.take()
        office.activate()
        assert office.use("2", level=SignatureLevel.B_B).content is not None


THIEF = """
    import json, sys
    from pathlib import Path
    from seal_service.domain.errors import SealServiceError
    from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
    from seal_service.pki.pkcs11_token import BriefToken

    module, label, reference = sys.argv[1:4]
    found = {}
    for pin in sys.argv[4:]:
        try:
            signature = Pkcs11KeyStore(BriefToken(Path(module), label, lambda: pin)).open(reference).sign(b"stolen")
            found[pin] = "signed"
        except SealServiceError as error:
            found[pin] = type(error).__name__
    print(json.dumps(found))
"""


def stolen(office: KeptOffice, place: Path, *pins: str) -> dict[str, str]:
    """What a thief does elsewhere with a copy of the token directory and PINs."""
    shutil.copytree(office.home, place / "home", ignore=lambda *_: ["keys.sock"])
    usual = Path(os.environ["SOFTHSM2_CONF"]).read_text(encoding="utf-8")
    tokens = next(Path(line.partition("= ")[2]) for line in usual.splitlines() if line.startswith("directories."))
    shutil.copytree(tokens, place / "tokens")
    own = place / "softhsm2.conf"
    own.write_text(usual.replace(str(tokens), str(place / "tokens")), encoding="utf-8")
    reference = reference_of(office)
    label = str(keys_of(office)[reference].token)
    command = [sys.executable, "-c", textwrap.dedent(THIEF), str(softhsm_module()), label, reference, *pins]
    paths = os.pathsep.join(one for one in sys.path if one)
    environment = {**os.environ, "SOFTHSM2_CONF": str(own), "PYTHONPATH": paths}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_disk_master_key_tokens_and_the_services_pins_alone_cannot_seal(office: KeptOffice, tmp_path: Path) -> None:
    """What the keeper alone has is what is missing: the same copies with it sign."""
    before = stolen(office, tmp_path / "before", TRANSPORT_PIN)
    assert before == {TRANSPORT_PIN: "signed"}, "until its keeper takes it, the transport PIN is enough"
    office.take()
    office.activate()
    after = stolen(office, tmp_path / "after", TRANSPORT_PIN, USER_PIN, SECRET)
    assert after == {TRANSPORT_PIN: "TokenPinRefused", USER_PIN: "TokenPinRefused", SECRET: "signed"}
    for one in [*office.home.rglob("*"), *tmp_path.glob("*.pin"), *(tmp_path / "after" / "tokens").rglob("*")]:
        if one.is_file():
            assert SECRET.encode() not in one.read_bytes()
    copied = office.settings.model_copy(
        update={"home": tmp_path / "after" / "home", "keys": tmp_path / "after" / "home" / "keys", "activation": "off"}
    )
    fresh = build(copied, clock=office.clock)  # with master key, module, both PINs and no key process of ours
    with pytest.raises(SealNotActivated):
        fresh.apply_seal(office.system, office.request("stolen", level=SignatureLevel.B_B))
    fresh.close()


def test_n_activated_uses_give_exactly_n_signatures_in_every_worker_together(office: KeptOffice) -> None:
    office.take()
    office.activate(uses=5)
    other = build(office.settings, clock=office.clock)

    def use(number: int) -> AppliedSeal | None:
        service = (office.service, other)[number % 2]
        try:
            return service.apply_seal(office.system, office.request(f"key-{number}", level=SignatureLevel.B_B))
        except SealNotActivated:
            return None

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(use, range(10)))
    other.close()
    assert sum(one is not None for one in ended) == 5


def test_wrong_secrets_wait_longer_and_leave_what_is_activated(office: KeptOffice) -> None:
    office.take()
    with pytest.raises(ActivationSecretWrong) as wrong:
        office.activate(secret="wrong secret number one")
    assert wrong.value.details["failures"] == 1
    office.activate()
    for failures in (1, 2, 3):
        with pytest.raises(ActivationSecretWrong) as wrong:
            office.activate(secret="wrong secret number one")
        assert wrong.value.details["failures"] == failures
    with pytest.raises(ActivationBlocked):
        office.activate()
    assert office.use("1", level=SignatureLevel.B_B).content is not None
    office.clock.forward(timedelta(minutes=1))
    assert office.activate(uses=1).activation is not None
    assert office.use("2", level=SignatureLevel.B_B).content is not None
    with pytest.raises(SealNotActivated):
        office.use("3", level=SignatureLevel.B_B)


def test_an_activation_ends_with_its_time(office: KeptOffice) -> None:
    office.take()
    until = datetime.now(UTC) + timedelta(seconds=4)
    command = ActivateSeal(seal_code=office.made.code, secret=SECRET, until=until)
    office.service.custody.activate_seal(office.seal_keeper, command)
    assert office.use("1", level=SignatureLevel.B_B).content is not None
    while datetime.now(UTC) <= until:
        time.sleep(0.1)
    with pytest.raises(SealNotActivated):
        office.use("2", level=SignatureLevel.B_B)


def test_after_the_key_process_was_killed_its_keeper_activates_again(office: KeptOffice) -> None:
    office.take()
    office.activate()
    killed = pid_of_key_process(office)
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(SealNotActivated):
        office.use("1", level=SignatureLevel.B_B)
    until = time.monotonic() + 20
    while True:
        try:
            assert pid_of_key_process(office) != killed
            office.activate()
            break
        except (AssertionError, KeyProcessUnavailable):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert office.use("2", level=SignatureLevel.B_B).content is not None


def test_a_secret_that_the_token_does_not_take_changes_nothing(office: KeptOffice) -> None:
    """SoftHSM's PINs have 4 to 255 bytes; 200 characters of Chinese have 600."""
    for secret in ("章" * 200, TRANSPORT_PIN):
        with pytest.raises(InvalidInput) as refusal:
            office.service.custody.take_into_custody(
                office.seal_keeper, TakeIntoCustody(seal_code=office.made.code, secret=secret)
            )
        assert refusal.value.details["field"] == "secret"
        assert secret not in refusal.value.message
    state = office.service.custody.read_activation(office.seal_keeper, WhichActivation(seal_code=office.made.code))
    assert state.record is None
    office.take()
    assert office.activate().activation is not None


def test_a_renewed_seal_has_another_token_which_its_keeper_takes_anew(office: KeptOffice) -> None:
    office.take()
    office.activate()
    before = reference_of(office)
    old = keys_of(office)[before]
    office.clock.moment = office.made.not_after - timedelta(days=80)
    office.made = office.service.renew_seal(office.keeper, RenewSeal(seal_code=office.made.code))
    renewed = keys_of(office)[reference_of(office)]
    assert (renewed.place, renewed.token == old.token) == (KeyPlace.PARTITION, False)
    with pytest.raises(SealNotActivated):
        office.use("1", level=SignatureLevel.B_B)
    with pytest.raises(Conflict, match="custody"):
        office.activate()
    office.take()
    office.activate()
    assert office.use("2", level=SignatureLevel.B_B).content is not None

    # The service cannot destroy the key before: it says where that is done.
    with pytest.raises(Conflict, match=f"{old.token} of the HSM") as refusal:
        office.service.destroy_key(office.operator, DestroyKey(reference=before))
    assert refusal.value.details["token"] == old.token
    subprocess.run(
        ["softhsm2-util", "--delete-token", "--token", str(old.token)], check=True, capture_output=True, timeout=60
    )
    with pytest.raises(KeyNotFound):
        office.service.destroy_key(office.operator, DestroyKey(reference=before))


def test_where_no_token_is_free_no_seal_is_made_until_one_is_prepared(tmp_path: Path) -> None:
    with kept_office(tmp_path, 1) as office:
        with pytest.raises(NoTokenFree, match="prepare further ones"):
            office.seal(office.holder, office.keeper)
        prepared_token(f"{office.settings.pkcs11_seal_tokens}further")
        office.made = office.seal(office.holder, office.keeper)  # without a restart
        office.take()
        assert office.activate().activation is not None, "the key process finds a token that came after it"


def test_tokens_that_refuse_the_transport_pin_are_told_by_the_first(tmp_path: Path) -> None:
    with kept_office(tmp_path, 1) as office:
        for number in range(3):
            prepared_token(f"{office.settings.pkcs11_seal_tokens}other-{number}", "another-pin")
        said = set()
        for _ in range(3):
            with pytest.raises(KeyStoreUnavailable, match="SEAL_PKCS11_SEAL_PIN_FILE") as refusal:
                office.seal(office.holder, office.keeper)
            said.add(refusal.value.message)
        assert len(said) == 1, "the others are spared a wrong PIN"


def test_a_token_that_was_away_signs_again_without_another_activation(office: KeptOffice) -> None:
    office.take()
    office.activate()
    assert office.use("1", level=SignatureLevel.B_B).content is not None
    tokens = Path(os.environ["SOFTHSM2_CONF"]).parent / "tokens"
    away = tokens.with_name("away")
    tokens.rename(away)
    try:
        with pytest.raises(KeyStoreUnavailable):
            office.use("2", level=SignatureLevel.B_B)
    finally:
        away.rename(tokens)
    assert office.use("3", level=SignatureLevel.B_B).content is not None


def test_a_key_in_the_services_own_token_is_taken_by_no_keeper(tmp_path: Path) -> None:
    changes = {**softhsm_settings(tmp_path), "activation": "required"}
    office = KeptOffice(tmp_path / "var", changes=changes)
    assert office.use("1", level=SignatureLevel.B_B).content is not None, "as it was: health says so"
    with pytest.raises(Conflict, match="SEAL_PKCS11_SEAL_TOKENS"):
        office.take()
    office.service.close()


def test_a_request_for_an_outside_certificate_is_signed_in_the_new_token_before_its_keeper_takes_it(
    tmp_path: Path,
) -> None:
    with kept_office(tmp_path, 2) as office:
        office.service.close()
        asking = office.settings.model_copy(update={"certificate_source": "request"})
        office.service = build(asking, clock=office.clock)
        office.clock.moment = office.made.not_after - timedelta(days=80)
        command = RequestCertificate(seal_code=office.made.code)
        request = office.service.request_certificate(office.maker, command)
        assert load_der_x509_csr(request.request).is_signature_valid
        assert keys_of(office)[request.key_reference].place is KeyPlace.PARTITION
        withdrawn = WithdrawRequest(request_id=request.id)
        office.service.withdraw_request(office.maker, withdrawn)
        assert request.key_reference not in keys_of(office), "its token is free again"
