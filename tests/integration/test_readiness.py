"""就绪检查: each thing without which a seal would be worthless is taken away, and readiness says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from seal_service.bootstrap import Service, build
from seal_service.domain.access import PUBLIC_CALLER, Role
from seal_service.domain.authority import AUTHORITY_RULES
from seal_service.domain.authorization import SealingPermit
from seal_service.domain.issuance import AuthorityRole
from seal_service.domain.readiness import Dependency
from seal_service.domain.use import IntentReference
from seal_service.jobs.maintenance import MACHINE
from seal_service.ports.documents import SealedDocument, Upload
from seal_service.sealing.sealer import SealerByContent
from seal_service.storage.sqlite import sqlite_module
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.manage_trust import AddTrust, ConfirmTrust, RemoveTrust
from seal_service.usecases.reconcile import Reconcile
from tests.foreign_authority import authority_certificate
from tests.instance import Instance, RealOffice

YEAR = timedelta(days=365)
SQLITE = sqlite_module()
"""The same library as the service's: two in one process would take each other's locks away."""


def judged(service: Service) -> dict[str, Dependency]:
    """Every dependency by its name."""
    return {one.name: one for one in service.check_readiness(PUBLIC_CALLER, CheckReadiness())}


def unready(service: Service) -> set[str]:
    """The names of those that are not ready."""
    return {name for name, one in judged(service).items() if not one.ready}


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Instance]:
    made = Instance(tmp_path / "var")
    yield made
    made.service.close()


def by_the_owner(city: Instance, *statements: str) -> None:
    """What someone does who has the database file: past the triggers, past this program."""
    with closing(SQLITE.connect(str(city.home / "seal.db"))) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_new_instance_is_ready_and_says_so_quickly(city: Instance) -> None:
    city.service.reconcile(MACHINE, Reconcile())
    city.clock.forward(timedelta(seconds=7))
    told = judged(city.service)
    unwell = {one.name: one.detail for one in told.values() if not one.ready or one.warning or one.mend}
    assert unwell == {"publication": "The signing log is not published yet: run `seal log init`"}
    assert set(told) == {
        *("database", "schema", "keys", "crl", "trust", "log", "publication", "reservations", "clock", "maintenance"),
        "filing",
        *(f"authority:{role.value}" for role in AUTHORITY_RULES),
        *("disk:home", "disk:documents", "disk:keys"),
    }
    assert told["maintenance"].age_seconds == 7
    assert told["log"].age_seconds == 7
    assert told["authority:root"].age_seconds is not None
    assert (told["trust"].age_seconds, told["schema"].age_seconds) == (None, None)
    took = []
    for _ in range(20):
        started = time.perf_counter()
        judged(city.service)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.1


def test_another_schema(city: Instance) -> None:
    by_the_owner(city, "UPDATE alembic_version SET version_num = '9999'")
    assert unready(city.service) == {"schema"}
    assert "seal db upgrade" in str(judged(city.service)["schema"].mend)


@pytest.mark.parametrize("role", AUTHORITY_RULES)
def test_a_key_that_is_gone(city: Instance, role: AuthorityRole) -> None:
    (path,) = [one for one in (city.home / "keys").glob("*.key") if role.value in one.name]
    path.rename(path.with_suffix(".away"))
    assert f"authority:{role.value}" in unready(city.service)
    path.with_suffix(".away").rename(path)
    assert unready(city.service) == set()


def test_certificates_that_end(city: Instance) -> None:
    city.clock.forward(3 * YEAR - timedelta(days=60))
    ocsp = judged(city.service)["authority:ocsp"]
    assert (ocsp.ready, ocsp.warning) == (True, True)
    assert "`seal keys rotate ocsp`" in ocsp.detail
    assert ocsp.mend is not None
    city.clock.forward(timedelta(days=61))
    assert "authority:ocsp" in unready(city.service)
    city.clock.forward(8 * YEAR)
    assert {"authority:issuing", "authority:timestamp"} <= unready(city.service)
    assert "authority:root" not in unready(city.service)


def test_a_clock_that_was_put_back(city: Instance) -> None:
    city.clock.forward(timedelta(days=1))
    city.account("审计", Role.AUDITOR)
    city.service.reconcile(MACHINE, Reconcile())
    city.clock.forward(-timedelta(seconds=4))
    assert unready(city.service) == set()
    city.clock.forward(-timedelta(hours=1))
    assert unready(city.service) == {"clock"}
    assert "3604.0 s after now" in judged(city.service)["clock"].detail


def test_a_log_entry_that_was_changed(city: Instance) -> None:
    """log.md: a changed entry no longer has its hash, whoever changed it."""
    newest = "entry_id = (SELECT entry_id FROM sign_log ORDER BY at DESC, entry_id DESC LIMIT 1)"
    drop = "DROP TRIGGER sign_log_no_update"
    with pytest.raises(SQLITE.DatabaseError):
        by_the_owner(city, f"UPDATE sign_log SET at = at + 1000 WHERE {newest}")
    by_the_owner(city, drop, f"UPDATE sign_log SET at = at + 1000 WHERE {newest}")
    assert unready(city.service) == {"log"}
    by_the_owner(city, f"UPDATE sign_log SET at = at - 1000 WHERE {newest}")
    assert unready(city.service) == set()
    changed = "UPDATE sign_log SET canon = CAST(replace(CAST(canon AS TEXT), 'seal', 'sea1') AS BLOB)"
    by_the_owner(city, f"{changed} WHERE {newest}")
    assert unready(city.service) == {"log"}
    assert "was changed" in judged(city.service)["log"].detail


class Killed(BaseException):
    """What no handler catches."""


class DyingSealer(SealerByContent):
    """The process ends while the seal is being applied."""

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        raise Killed


def test_a_use_that_nobody_closes(real_office: RealOffice) -> None:
    """released ⇒ logged, and every intent has its end: what a killed process leaves is closed by reconcile."""

    sealer = real_office.applying.sealer
    assert isinstance(sealer, SealerByContent)
    dying = replace(real_office.applying, sealer=DyingSealer(sealer))
    with pytest.raises(Killed):
        dying(real_office.system, real_office.request("key-1"))
    real_office.clock.forward(timedelta(minutes=9))
    assert "reservations" not in unready(real_office.service)
    real_office.clock.forward(timedelta(minutes=2))
    assert "reservations" in unready(real_office.service)
    assert judged(real_office.service)["reservations"].age_seconds == 660
    real_office.service.reconcile(MACHINE, Reconcile())
    assert unready(real_office.service) == set()


def test_a_disk_without_its_reserve(tmp_path: Path) -> None:
    city = Instance(tmp_path / "var", changes={"disk_reserve_bytes": 10**15})
    assert unready(city.service) == {"disk:home", "disk:documents"}, "keys take little"
    city.service.close()
    plenty = build(city.settings.model_copy(update={"disk_reserve_bytes": 0}), clock=city.clock)
    assert unready(plenty) == set()
    plenty.close()


def test_an_anchor_that_nobody_compared_for_a_year(city: Instance) -> None:
    certificate = authority_certificate(ec.generate_private_key(ec.SECP256R1()))
    anchor = AddTrust(certificate=certificate, for_signatures=True, for_timestamps=False, note="样某核对")
    helping = authority_certificate(ec.generate_private_key(ec.SECP256R1()), name="签发")
    city.confirmed(
        city.service.add_trust,
        AddTrust(certificate=helping, for_signatures=False, for_timestamps=False, note="中间证书"),
    )
    city.clock.forward(timedelta(days=400))
    assert "trust" not in unready(city.service), "an intermediate ends no chain and need not be confirmed"
    trusted = city.confirmed(city.service.add_trust, anchor).trusted
    city.clock.forward(timedelta(days=340))
    assert judged(city.service)["trust"].warning
    city.clock.forward(timedelta(days=27))
    told = judged(city.service)["trust"]
    assert (told.ready, told.age_seconds) == (False, 367 * 86400)
    assert trusted.id in told.detail
    assert "seal trust confirm" in str(told.mend)
    city.service.confirm_trust(city.operator, ConfirmTrust(id=trusted.id))
    told = judged(city.service)["trust"]
    assert (told.ready, told.warning, told.age_seconds) == (True, False, 0)
    city.clock.forward(timedelta(days=367))
    assert "trust" in unready(city.service)
    city.confirmed(city.service.remove_trust, RemoveTrust(id=trusted.id))
    assert "trust" not in unready(city.service)


def test_maintenance_that_no_longer_runs_while_the_service_is_served(city: Instance) -> None:
    """A process that has just begun gives it five minutes, as does one whose instance was not served for a while."""
    city.clock.forward(timedelta(minutes=4))
    assert unready(city.service) == set()
    city.clock.forward(timedelta(minutes=2))
    assert unready(city.service) == {"maintenance"}
    city.service.reconcile(MACHINE, Reconcile())
    assert unready(city.service) == set()
    city.clock.forward(timedelta(hours=3))
    assert unready(city.service) == {"maintenance"}
    begun = build(city.settings, clock=city.clock)
    told = judged(begun)["maintenance"]
    assert (told.ready, told.warning, told.age_seconds) == (True, True, 3 * 3600)
    begun.close()


def test_a_database_that_is_none_any_more(city: Instance) -> None:
    city.service.close()
    with (city.home / "seal.db").open("r+b") as file:
        file.write(b"\0" * 200)
    for name in ("seal.db-wal", "seal.db-shm"):
        (city.home / name).unlink(missing_ok=True)
    assert unready(city.service) == {"database"}
