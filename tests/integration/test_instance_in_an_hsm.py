"""A whole instance whose keys lie in an HSM (SoftHSM), and what the production profile says of software keys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.bootstrap import build, initialise
from seal_service.bootstrap.rooms import open_rooms
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import AUTHORITY_RULES
from seal_service.domain.errors import InstanceNotReady, KeyStoreUnavailable, SoftwareKeysRefused
from seal_service.domain.key_custody import NO_KEEPERS
from seal_service.domain.operation import KeyPlace, Profile
from seal_service.domain.readiness import Dependency
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Indication
from seal_service.jobs.maintenance import MACHINE
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.renew_seal import RenewSeal
from tests.instance import Instance, RealOffice, blank_pdf
from tests.pki_instance import SystemEntropy
from tests.softhsm import softhsm_environment, softhsm_settings


def keys_of(office: Instance) -> dict[str, KeyPlace]:
    """Every key of the instance, with its place."""
    rooms = open_rooms(office.settings, office.clock, SystemEntropy())
    try:
        return {one.reference: one.place for one in rooms.keys.held()}
    finally:
        rooms.database.close()


def readiness(office: Instance) -> dict[str, Dependency]:
    return {one.name: one for one in office.service.check_readiness(PUBLIC_CALLER, CheckReadiness())}


def reopened(office: RealOffice, **changes: object) -> None:
    """The same instance, started again with other settings."""
    office.service.close()
    office.settings = office.settings.model_copy(update=changes)
    office.service = build(office.settings, clock=office.clock)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[RealOffice]:
    """An office whose authority and seal are in an HSM, in production; its certificates are short for renewals."""
    hsm = softhsm_settings(tmp_path)
    changes = {**hsm, "profile": Profile.PRODUCTION, "certificate_days": 100}
    made = RealOffice(tmp_path / "var", changes=changes)
    yield made
    made.service.close()


def test_an_instance_in_an_hsm_keeps_no_private_key_in_files(office: RealOffice) -> None:
    assert {one.name for one in (office.home / "keys").iterdir()} == {"keyring", "master.key"}
    found = keys_of(office)
    assert sorted(one.split("-")[0] for one in found) == [
        "issuing",
        "log",
        "ocsp",
        "report",
        "root",
        "seal",
        "status",
        "timestamp",
    ]
    assert set(found.values()) == {KeyPlace.PKCS11}
    ready = readiness(office)
    assert all(one.ready for one in ready.values()), ready
    assert ready["keys"].detail == f"no software keys of the authority or of seals; {NO_KEEPERS}"


def test_a_seal_in_an_hsm_is_applied_at_every_level_and_renewed(office: RealOffice, tmp_path: Path) -> None:
    for level in SignatureLevel:
        applied = office.use(level.value, blank_pdf(mark=level.value), level)
        assert applied.content is not None
        assert applied.use.level_reached is level
        report = office.verify(applied.content)
        assert (report.indication, report.signatures[0].level) == (Indication.TOTAL_PASSED, level.value)
        if level is SignatureLevel.B_T and shutil.which("pdfsig"):
            (tmp_path / "sealed.pdf").write_bytes(applied.content)
            told = subprocess.run(["pdfsig", "-nocert", tmp_path / "sealed.pdf"], capture_output=True, text=True)
            assert told.stdout.count("Signature is Valid") == 1
    before = office.use("before")
    office.clock.moment = office.made.not_after - timedelta(days=80)
    renewed = office.service.renew_seal(office.keeper, RenewSeal(seal_code=office.made.code))
    after = office.use("after")
    for use in (before, after):
        assert use.content is not None
        assert office.verify(use.content).indication is Indication.TOTAL_PASSED
    found = keys_of(office)
    assert [found[one.key_reference] for one in renewed.credentials if one.key_reference] == [KeyPlace.PKCS11] * 2


@pytest.mark.parametrize("suite", [Suite.RSA_2048, Suite.RSA_3072])
def test_rsa_keys_in_an_hsm_seal(tmp_path: Path, suite: Suite) -> None:
    changes = {**softhsm_settings(tmp_path), "seal_suite": suite, "authority_suite": suite}
    office = RealOffice(tmp_path / "var", changes=changes)
    applied = office.use("one")
    assert applied.content is not None
    report = office.verify(applied.content)
    assert (report.indication, report.signatures[0].level) == (Indication.TOTAL_PASSED, "B-LT")
    office.service.close()


def test_another_process_uses_the_instance_in_the_hsm(office: RealOffice) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "seal_service", "doctor", "--json"],
        env={
            **os.environ,
            **softhsm_environment(dict(office.changes)),
            "SEAL_HOME": str(office.home),
            "SEAL_KEYS": str(office.home / "keys"),
            "PYTHONPATH": os.pathsep.join(one for one in sys.path if one),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout)["ready"] is True


def test_a_seal_whose_hsm_is_gone_releases_nothing_and_health_says_so(tmp_path: Path) -> None:
    office = RealOffice(tmp_path / "var", changes=softhsm_settings(tmp_path))
    reopened(office, pkcs11_token="another-token")
    with pytest.raises(KeyStoreUnavailable, match="another-token"):
        office.use("one")
    ready = readiness(office)
    assert not ready["keys"].ready
    assert "another-token" in ready["keys"].detail
    assert not any(ready[f"authority:{role.value}"].ready for role in AUTHORITY_RULES)
    office.service.close()


def test_a_key_that_left_the_hsm_is_seen_by_health_although_it_is_held(office: RealOffice) -> None:
    assert readiness(office)["authority:root"].ready
    rooms = open_rooms(office.settings, office.clock, SystemEntropy())
    rooms.keys.destroy(next(one for one in keys_of(office) if one.startswith("root-")))
    rooms.database.close()
    ready = readiness(office)
    assert not ready["authority:root"].ready
    assert ready["authority:issuing"].ready


def test_keys_made_in_files_are_found_after_an_hsm_was_put_in(tmp_path: Path) -> None:
    office = RealOffice(tmp_path / "var", changes={"certificate_days": 100})
    before = office.use("before")
    hsm = Settings(home=tmp_path, **softhsm_settings(tmp_path))  # type: ignore[arg-type]
    reopened(office, **{name: getattr(hsm, name) for name in softhsm_settings_names(hsm)})
    office.clock.moment = office.made.not_after - timedelta(days=80)
    renewed = office.service.renew_seal(office.keeper, RenewSeal(seal_code=office.made.code))
    after = office.use("after")
    for use in (before, after):
        assert use.content is not None
        assert office.verify(use.content).indication is Indication.TOTAL_PASSED
    found = keys_of(office)
    places = [found[one.key_reference] for one in renewed.credentials if one.key_reference]
    assert places == [KeyPlace.FILE, KeyPlace.PKCS11]
    office.service.close()


def softhsm_settings_names(settings: Settings) -> list[str]:
    return [name for name in type(settings).model_fields if name.startswith("pkcs11_") or name == "key_store"]


def test_production_refuses_to_found_an_authority_on_software_keys(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "var", keys=tmp_path / "keys", profile=Profile.PRODUCTION)
    with pytest.raises(SoftwareKeysRefused, match="SEAL_ALLOW_SOFTWARE_KEYS"):
        initialise(settings)
    assert {one.name for one in (tmp_path / "keys").iterdir()} == {"keyring", "master.key"}
    initialise(settings.model_copy(update={"allow_software_keys": True}))


def test_production_takes_software_keys_when_told_so_and_health_says_it(tmp_path: Path) -> None:
    changes = {"profile": Profile.PRODUCTION, "allow_software_keys": True, "activation": "off"}
    office = RealOffice(tmp_path / "var", changes=changes)
    assert office.use("one").content is not None
    ready = readiness(office)
    assert ready["keys"].ready
    assert ready["keys"].detail.startswith("software keys allowed explicitly: 4 of the authority and of seals (")
    office.service.close()


def test_a_trial_that_becomes_production_seals_no_more_with_its_software_keys(tmp_path: Path) -> None:
    office = RealOffice(tmp_path / "var", changes={})
    sealed = office.use("before").content
    assert sealed is not None
    assert readiness(office)["keys"].ready
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    reopened(office, profile=Profile.PRODUCTION)
    with pytest.raises(SoftwareKeysRefused):
        office.use("after")
    with pytest.raises(SoftwareKeysRefused):
        office.seal(office.holder, office.keeper)
    ready = readiness(office)
    assert not ready["keys"].ready
    assert "software keys refused: 4 of the authority and of seals" in ready["keys"].detail
    assert office.verify(sealed).indication is Indication.TOTAL_PASSED, "what was sealed can still be verified"
    reopened(office, allow_software_keys=True, activation="off")
    assert office.use("allowed").content is not None
    office.service.close()


@pytest.mark.parametrize(
    ("absent", "said"),
    [("pkcs11_module", "SEAL_PKCS11_MODULE"), ("pkcs11_token", "SEAL_PKCS11_TOKEN"), ("pkcs11_pin_file", "PIN")],
)
def test_an_hsm_that_is_half_configured_says_what_is_missing(tmp_path: Path, absent: str, said: str) -> None:
    changes = {name: value for name, value in softhsm_settings(tmp_path).items() if name != absent}
    with pytest.raises(InstanceNotReady, match=said):
        Instance(tmp_path / "var", changes=changes)
