"""观测: outside issuers and time-stamping authorities, watched as they come and go (article 9)."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seal_service.bootstrap import Service, build
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.observation import key_of_authority, key_of_issuer
from seal_service.domain.readiness import Dependency
from seal_service.domain.seal import SealState
from seal_service.formats.pem import certificates_of
from seal_service.jobs.maintenance import MACHINE
from seal_service.ports.records import Observation
from seal_service.testing import ChangeableClock
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.manage_trust import AddTrust
from seal_service.usecases.observe import Observe, ObserveUseCase
from tests.instance import Instance, RealOffice
from tests.live import serving
from tests.outside_tsa import OutsideTsa, outside_tsa


def judged(service: Service) -> dict[str, Dependency]:
    return {one.name: one for one in service.check_readiness(PUBLIC_CALLER, CheckReadiness())}


def observed(service: Service) -> dict[str, Observation]:
    return {one.name: one for one in service.observe(MACHINE, Observe()).observations}


@dataclass
class RunningClock(ChangeableClock):
    """The machine's time, put forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, by: timedelta) -> None:
        self.ahead += by


def test_without_anything_outside_nothing_is_observed(tmp_path: Path) -> None:
    city = RealOffice(tmp_path / "var")
    assert observed(city.service) == {}, "our own certificates are no one else's"
    assert not {one.partition(":")[0] for one in judged(city.service)} & {"revocation", "timestamp"}
    city.service.close()


def certified_elsewhere(office: RealOffice, other: RealOffice) -> None:
    """Give the office's seal the certificate of the other city's, as a renewal by an outside authority would."""
    use_case = office.service.observe.use_case
    assert isinstance(use_case, ObserveUseCase)
    theirs = other.made.current[0]
    with use_case.records.write() as transaction:
        seal = transaction.seals.lock(office.made.code)
        version = replace(theirs, version=seal.version + 1)
        changed = replace(seal, version=version.version, credentials=(*seal.credentials, version))
        transaction.seals.replace(changed)
        transaction.commit()


def test_the_age_of_an_outside_issuers_revocation_data_is_watched(tmp_path: Path) -> None:
    """B-LT cannot be reached without it: when it is a day old the service is not ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    clock = ChangeableClock(datetime.now(UTC))
    other = RealOffice(tmp_path / "other", clock, {"public_url": url})
    office = RealOffice(tmp_path / "office", clock)
    issuing = other.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ISSUING_CERTIFICATE))
    name = f"revocation:{key_of_issuer(issuing)}"
    certified_elsewhere(office, other)

    (unknown,) = observed(office.service).values()
    assert (unknown.well, "seal trust add" in unknown.detail) == (False, True)
    trust = AddTrust(
        certificate=issuing, for_signatures=False, for_timestamps=False, note="样某", revocation_addresses=(f"{url}/",)
    )
    office.confirmed(office.service.add_trust, trust)
    again = build(other.settings, clock=clock)  # the server closes its service when it stops
    with serving(other.service, port):
        assert observed(office.service)[name].well
        told = judged(office.service)
        assert [one for one in told if one.startswith("revocation:")] == [name], "the unknown issuer is known now"
        assert (told[name].ready, told[name].warning, told[name].age_seconds) == (True, False, 0)

    clock.forward(timedelta(hours=23))
    assert not observed(office.service)[name].well
    told = judged(office.service)
    assert (told[name].ready, told[name].warning, told[name].age_seconds) == (True, True, 23 * 3600)
    clock.forward(timedelta(hours=2))
    assert not judged(office.service)[name].ready, "also when nobody looks any more"
    assert not observed(office.service)[name].well
    assert not judged(office.service)[name].ready
    with serving(again, port):
        assert observed(office.service)[name].well
        assert judged(office.service)[name].ready

    use_case = office.service.observe.use_case
    assert isinstance(use_case, ObserveUseCase)
    with use_case.records.write() as transaction:
        seal = transaction.seals.lock(office.made.code)
        transaction.seals.replace(replace(seal, state=SealState.CANCELLED))
        transaction.commit()
    assert observed(office.service) == {}
    assert not [one for one in judged(office.service) if one.startswith("revocation:")], "no seal depends on it"
    office.service.close()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[OutsideTsa]:
    with outside_tsa(tmp_path / "tsa") as running:
        yield running


def city_with(authority: OutsideTsa, home: Path, **changes: Any) -> Instance:
    """An instance that has its time-stamps from outside."""
    (root,) = certificates_of(authority.root.read_bytes())
    settings: dict[str, Any] = {
        "timestamp_urls": (authority.tsr,),
        "timestamp_embedded": False,
        "timestamp_anchors": (authority.root,),
        "revocation_addresses": {hashlib.sha256(root).hexdigest(): (f"{authority.url}/",)},
    }
    return Instance(home, RunningClock(), settings | changes)


def test_an_outside_time_stamping_authority_and_its_clock_are_watched(authority: OutsideTsa, tmp_path: Path) -> None:
    city = city_with(authority, tmp_path / "var")
    key = key_of_authority(authority.tsr)
    starting = judged(city.service)["timestamp"]
    assert (starting.ready, starting.age_seconds) == (True, None)
    seen = observed(city.service)
    assert {one: seen[one].well for one in seen} == {
        f"timestamp:{key}": True,
        f"clock:{key}": True,
        f"revocation:{key}": True,
    }
    told = judged(city.service)
    assert [one.name for one in told.values() if not one.ready] == []
    assert told[f"revocation:{key}"].age_seconds is not None
    assert authority.tsr not in "".join(told), "names are public, addresses are not"
    assert authority.tsr in told["clock"].detail

    city.clock.forward(timedelta(seconds=20))
    assert not observed(city.service)[f"clock:{key}"].well
    clock = judged(city.service)["clock"]
    assert not clock.ready
    assert re.search(r" -2[0-9]\.[0-9] s from ", clock.detail), "twenty seconds, and what the round trip took"
    city.clock.forward(timedelta(hours=3))
    ahead = observed(city.service)
    assert ahead[f"timestamp:{key}"].well, "an hour's difference is the clock's fault"
    assert not ahead[f"clock:{key}"].well
    city.service.close()


@pytest.mark.parametrize("embedded", [False, True], ids=["alone", "with the embedded unit"])
def test_a_time_stamping_authority_that_goes_away(tmp_path: Path, embedded: bool) -> None:
    with outside_tsa(tmp_path / "tsa") as authority:
        city = city_with(authority, tmp_path / "var", timestamp_embedded=embedded)
        observed(city.service)
        assert not judged(city.service)["timestamp"].warning
    (gone,) = [one for name, one in observed(city.service).items() if name.startswith("timestamp:")]
    assert not gone.well
    told = judged(city.service)["timestamp"]
    assert (told.ready, told.warning) == (True, True)
    city.clock.forward(timedelta(hours=2, minutes=1))
    observed(city.service)
    told = judged(city.service)["timestamp"]
    assert (told.ready, told.warning) == (embedded, True)
    assert "ConnectError" in told.detail
    city.service.close()


def test_a_token_that_nobody_vouches_for_is_no_answer(authority: OutsideTsa, tmp_path: Path) -> None:
    city = city_with(authority, tmp_path / "var", timestamp_anchors=())
    (seen,) = observed(city.service).values()
    assert not seen.well
    assert "trust anchor" in seen.detail
    city.service.close()


def test_what_fails_keeps_nothing_else_from_being_seen(authority: OutsideTsa, tmp_path: Path) -> None:
    city = city_with(authority, tmp_path / "var", timestamp_urls=("http://127.0.0.1:1/nobody", authority.tsr))
    seen = observed(city.service)
    well = {name for name, one in seen.items() if one.well}
    assert {one.partition(":")[0] for one in well} == {"timestamp", "clock", "revocation"}
    assert len(seen) == 4
    told = judged(city.service)["timestamp"]
    assert (told.ready, told.warning) == (True, True)
    city.service.close()
