"""保管与启用: the service's keys sign only as far as the unit's keeper lets them (article 20: 集中式)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from seal_service.bootstrap import build, key_process
from seal_service.bootstrap.machine import SystemEntropy
from seal_service.bootstrap.rooms import master_keys
from seal_service.domain.access import Role
from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import (
    ActivationBlocked,
    ActivationSecretWrong,
    AuthorizationDenied,
    Conflict,
    KeyProcessUnavailable,
    SealNotActivated,
    SealNotFound,
)
from seal_service.domain.events import EventKind
from seal_service.domain.use import IntentReference, SignatureLevel
from seal_service.formats.canonical import decode
from seal_service.pki.activation_wrap import unwrapped
from seal_service.pki.key_hierarchy import KeyHierarchy
from seal_service.ports.documents import SealedDocument, TwoStepSealer, Upload
from seal_service.ports.reading import LogFilter
from seal_service.sealing.sealer import SealerByContent
from seal_service.usecases.activate_seal import ActivateSeal, ActivationState, TakeIntoCustody, WhichActivation
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_use import ListUses
from seal_service.usecases.rotate_master_key import RotateMasterKey
from tests.instance import RealOffice
from tests.medium_office import MediumOffice

SECRET = "correct horse battery staple"


@dataclass
class KeptOffice(RealOffice):
    """With a keeper, whose seals sign only when a keeper lets them."""

    changes: Mapping[str, object] = field(default_factory=lambda: {"activation": "required"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seal_keeper = self.account("印章保管人", Role.SEAL_KEEPER, self.holder)

    def take(self) -> None:
        """Into custody."""
        command = TakeIntoCustody(seal_code=self.made.code, secret=SECRET)
        self.service.custody.take_into_custody(self.seal_keeper, command)

    def activate(self, uses: int | None = None, secret: str = SECRET) -> ActivationState:
        """For a working day, or a number of uses."""
        until = None if uses else self.clock.now() + timedelta(hours=8)
        command = ActivateSeal(seal_code=self.made.code, secret=secret, uses=uses, until=until)
        return self.service.custody.activate_seal(self.seal_keeper, command)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[KeptOffice]:
    """Whose seals sign only when a keeper lets them, with the key process beside it."""
    made = KeptOffice(tmp_path / "var")
    with key_process(made.settings):
        wait_for_process(made)
        yield made
    made.service.close()


def wait_for_process(office: KeptOffice) -> None:
    until = time.monotonic() + 20
    while not (office.settings.run_directory / "keys.sock").exists():
        assert time.monotonic() < until
        time.sleep(0.02)


def pid_of_key_process(office: KeptOffice) -> int:
    """Of the process that serves the instance's directory."""
    wanted = str(office.settings.run_directory).encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parts = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"seal_service.pki.key_process" in parts and wanted in parts:
                return int(entry.name)
    raise AssertionError("no key process")


def test_a_seal_signs_only_between_activation_and_its_end(office: KeptOffice) -> None:
    with pytest.raises(SealNotActivated, match="custody"):
        office.use("1", level=SignatureLevel.B_B)
    office.take()
    with pytest.raises(SealNotActivated):
        office.use("2", level=SignatureLevel.B_B)
    assert office.activate().activation is not None
    assert office.use("3", level=SignatureLevel.B_B).content is not None
    which = WhichActivation(seal_code=office.made.code)
    office.service.custody.end_activation(office.seal_keeper, which)
    with pytest.raises(SealNotActivated):
        office.use("4", level=SignatureLevel.B_B)
    chosen = LogFilter(seal_code=office.made.code)
    kinds = [one.kind for one in office.service.query_log(office.auditor, QueryLog(chosen=chosen)).page.items]
    wanted = {EventKind.CUSTODY_TAKEN, EventKind.ACTIVATION_OPENED, EventKind.ACTIVATION_ENDED, EventKind.SEAL_DENIED}
    assert wanted <= set(kinds)
    assert kinds.count(EventKind.SEAL_DENIED) == 3
    assert kinds.count(EventKind.SEAL_INTENT) == 1, "of the four only the one that was activated was reserved"


def test_a_locked_seal_is_refused_before_anything_is_reserved(office: KeptOffice) -> None:
    """The log says why, the grant's count stays, and the same request goes through once the keeper has activated."""
    office.take()
    with pytest.raises(SealNotActivated):
        office.use("key", level=SignatureLevel.B_B)
    assert office.service.list_uses(office.system, ListUses(seal_code=office.made.code)).items == ()
    chosen = LogFilter(seal_code=office.made.code, kind=EventKind.SEAL_DENIED)
    (denied,) = office.service.query_log(office.auditor, QueryLog(chosen=chosen)).page.items
    facts = decode(denied.canon)["facts"]
    assert isinstance(facts, dict)
    assert facts["reasons"] == ["seal_not_activated"]
    assert (denied.result, denied.use_id, denied.scenario) == ("refused", None, "permit")
    assert denied.document_sha256 is not None
    office.activate()
    first = office.use("key", level=SignatureLevel.B_B)
    assert first.replayed is False
    office.service.custody.end_activation(office.seal_keeper, WhichActivation(seal_code=office.made.code))
    assert office.use("key", level=SignatureLevel.B_B).content == first.content, "what is sealed is told again"


def test_who_may_not_apply_the_seal_does_not_hear_whether_it_is_locked(office: KeptOffice) -> None:
    office.take()
    stranger = office.account("另一平台", Role.BUSINESS_SYSTEM, office.holder)
    with pytest.raises(AuthorizationDenied):
        office.service.apply_seal(stranger, office.request("key"))


def test_an_activation_that_ends_after_the_reservation_is_found_when_it_comes_to_sign(tmp_path: Path) -> None:
    office = KeptOffice(tmp_path / "var", uses=1)
    with key_process(office.settings):
        wait_for_process(office)
        office.take()
        office.activate()
        sealer = office.applying.sealer
        assert isinstance(sealer, SealerByContent)
        between = replace(office.applying, sealer=LockedMeanwhile(sealer, office))
        with pytest.raises(SealNotActivated):
            between(office.system, office.request("late", level=SignatureLevel.B_B))
        chosen = LogFilter(seal_code=office.made.code)
        kinds = [one.kind for one in office.service.query_log(office.auditor, QueryLog(chosen=chosen)).page.items]
        assert {EventKind.SEAL_INTENT, EventKind.SEAL_FAILED} <= set(kinds)
        assert EventKind.SEAL_DENIED not in kinds
        office.activate()
        assert office.use("again", level=SignatureLevel.B_B).content is not None, "its one count came back"
    office.service.close()


class LockedMeanwhile(SealerByContent):
    """A sealer whose seal is locked between reservation and signature."""

    def __init__(self, within: TwoStepSealer, office: KeptOffice) -> None:
        super().__init__(within)
        self._office = office

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        which = WhichActivation(seal_code=self._office.made.code)
        self._office.service.custody.end_activation(self._office.seal_keeper, which)
        return super().seal(document, permit, intent)


def test_keys_that_nobody_has_taken_and_keys_on_media_are_not_asked_for(tmp_path: Path) -> None:
    """Where no activation is asked for, no key process is needed, and none is talked to."""
    office = MediumOffice(tmp_path / "var")
    assert not office.settings.run_directory.exists()
    assert office.use("one", level=SignatureLevel.B_B).content is not None
    use, prepared = office.prepare("two", level=SignatureLevel.B_B)
    assert office.complete(use, signature=office.medium.sign(prepared.to_be_signed)).content is not None
    office.service.close()


def test_disk_and_master_key_alone_do_not_open_the_key(office: KeptOffice) -> None:
    """With the master key, and everything in the key directory: what is there is no private key, nor gives one."""
    credential = office.made.signing_credential()
    assert credential is not None
    path = office.settings.key_directory / f"{credential.key_reference}.key"
    hierarchy = KeyHierarchy(office.settings.key_directory, master_keys(office.settings), SystemEntropy())
    before = hierarchy.unwrap(path)
    key = load_der_private_key(before, None)  # until its keeper takes it, master key and disk are enough
    assert isinstance(key, EllipticCurvePrivateKey)
    private_part = key.private_numbers().private_value.to_bytes(32, "big")
    office.take()
    office.activate()
    within = hierarchy.unwrap(path)
    with pytest.raises(ValueError, match=r"[Cc]ould not"):
        load_der_private_key(within, None)
    with pytest.raises(ActivationSecretWrong):
        unwrapped(within, "another secret than it is", credential.key_reference)
    for one in office.home.rglob("*"):
        if one.is_file():
            content = one.read_bytes()
            assert SECRET.encode() not in content
            assert private_part not in content
    fresh = build(office.settings.model_copy(update={"home": office.home, "activation": "off"}), clock=office.clock)
    os.rename(office.settings.run_directory, office.home / "elsewhere")
    with pytest.raises(SealNotActivated):  # also where no activation is required: it was taken
        fresh.apply_seal(office.system, office.request("stolen"))
    os.rename(office.home / "elsewhere", office.settings.run_directory)
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


def test_after_the_key_process_was_killed_nothing_signs_until_its_keeper_activates_again(office: KeptOffice) -> None:
    office.take()
    office.activate()
    assert office.use("1", level=SignatureLevel.B_B).content is not None
    killed = pid_of_key_process(office)
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(SealNotActivated):
        office.use("2", level=SignatureLevel.B_B)
    until = time.monotonic() + 20
    while True:  # another takes its place, and knows nothing
        try:
            assert pid_of_key_process(office) != killed
            office.activate()
            break
        except (AssertionError, KeyProcessUnavailable):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert office.use("3", level=SignatureLevel.B_B).content is not None


def test_a_restarted_key_process_has_nothing_activated(office: KeptOffice) -> None:
    office.take()
    office.activate()
    killed = pid_of_key_process(office)
    os.kill(killed, signal.SIGKILL)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with pytest.raises(SealNotActivated):
            office.use(f"{time.monotonic()}", level=SignatureLevel.B_B)
        try:
            if pid_of_key_process(office) != killed:
                break
        except AssertionError:
            time.sleep(0.1)
    with pytest.raises(SealNotActivated):
        office.use("after", level=SignatureLevel.B_B)


def test_wrong_secrets_wait_longer_each_and_the_wait_is_kept_over_a_restart(office: KeptOffice) -> None:
    office.take()
    for failures in (1, 2, 3):
        with pytest.raises(ActivationSecretWrong) as wrong:
            office.activate(secret="wrong secret number one")
        assert wrong.value.details["failures"] == failures
        assert (wrong.value.details["retry_at"] is not None) == (failures == 3)
    with pytest.raises(ActivationBlocked):
        office.activate()
    office.service.close()
    office.service = build(office.settings, clock=office.clock)
    with pytest.raises(ActivationBlocked):
        office.activate()
    office.clock.forward(timedelta(minutes=1))
    assert office.activate().record is not None
    assert office.use("1", level=SignatureLevel.B_B).content is not None


def test_only_the_units_own_keeper_takes_and_activates_and_takes_once(office: KeptOffice) -> None:
    office.take()
    again = TakeIntoCustody(seal_code=office.made.code, secret="another secret of mine")
    with pytest.raises(Conflict):
        office.service.custody.take_into_custody(office.seal_keeper, again)
    stranger = replace(office.seal_keeper, unit_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50")
    with pytest.raises(SealNotFound):
        office.service.custody.activate_seal(stranger, ActivateSeal(seal_code=office.made.code, secret=SECRET, uses=1))


def test_a_rotation_of_the_master_key_needs_no_keeper(office: KeptOffice) -> None:
    office.take()
    office.service.rotate_master_key(office.operator, RotateMasterKey())
    office.activate()
    assert office.use("1", level=SignatureLevel.B_B).content is not None


def test_the_key_process_leaves_no_core_and_knows_nothing_of_the_instance(office: KeptOffice) -> None:
    process = Path("/proc") / str(pid_of_key_process(office))
    limits = {line[:25].strip(): line[25:].split()[0] for line in (process / "limits").read_text().splitlines()}
    assert limits["Max core file size"] == "0"
    names = {one.partition(b"=")[0].decode() for one in (process / "environ").read_bytes().split(b"\0")}
    assert not [name for name in names if name.startswith("SEAL_")]
    assert office.settings.run_directory.stat().st_mode & 0o777 == 0o700
    assert (office.settings.run_directory / "keys.sock").stat().st_mode & 0o077 == 0


def test_a_worker_that_held_the_key_when_its_keeper_took_it_holds_it_no_more(tmp_path: Path) -> None:
    office = KeptOffice(tmp_path / "var", changes={"activation": "off"})
    other = build(office.settings, clock=office.clock)
    assert other.apply_seal(office.system, office.request("1", level=SignatureLevel.B_B)).content is not None
    office.take()
    for service in (other, office.service):
        with pytest.raises(SealNotActivated):
            service.apply_seal(office.system, office.request(f"{id(service)}", level=SignatureLevel.B_B))
        service.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_key_process_ends_with_the_service_and_not_by_the_signal_that_ends_it(
    office: KeptOffice, number: signal.Signals
) -> None:
    """A terminal or an init system sends it to all processes; uses under way still need their keys."""
    office.take()
    office.activate()
    process = pid_of_key_process(office)
    os.kill(process, number)
    time.sleep(0.2)
    assert office.use("1", level=SignatureLevel.B_B).content is not None
    assert pid_of_key_process(office) == process
