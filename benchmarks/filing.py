"""Filing (备案上报): how fast what has waited for a province that was away goes to it."""

from __future__ import annotations

import time
from dataclasses import replace

from benchmarks.figures import VoidMeasurement
from benchmarks.office import SCENARIO, GrantedSeal, Office
from benchmarks.province import Province, province
from benchmarks.session import Session
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import open_rooms
from seal_service.domain.algorithms import Suite
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.domain.placement import Placement
from seal_service.domain.use import Operator, SignatureLevel, UseRequest
from seal_service.jobs.maintenance import MACHINE
from seal_service.usecases.make_filing_key import MakeFilingKey
from seal_service.usecases.relay_filings import RelayFilings
from seal_service.usecases.use_facts import private_facts, use_event
from tests.provincial_registry import SYSTEM_ID

PART = "filing"
LEAST_A_SECOND = 50
SLOW_SECONDS = 0.1
_BATCH = 500


def measure(session: Session) -> None:
    """Records of the log of several seals, on each database: at a registry that answers at once, and at a slow one."""
    amounts = session.amounts
    for database in session.databases():
        with province() as registry:
            changes = {"filing_url": registry.url, "filing_system_id": SYSTEM_ID}
            office = session.instances.apart(f"filing-{database}", database, changes)
            registry.believe(office.service.filing.make_key(MACHINE, MakeFilingKey()).public_key_info)
            seals = [office.granted_seal(Suite.ECDSA_P256) for _ in range(amounts.filing_seals)]
            for name, count, seconds, target in (
                ("answers at once", amounts.filings, 0.0, LEAST_A_SECOND),
                ("100 ms an answer", amounts.slow_filings, SLOW_SECONDS, None),
            ):
                session.say(f"filing: {database}, {count} records of {len(seals)} seals wait")
                _fill(office, seals, count)
                registry.slow(seconds)
                rate = _drained(office, registry, count)
                session.add(PART, f"{database}, {count:,} waiting, {name}", rate, "/s", at_least=target)


def _drained(office: Office, registry: Province, count: int) -> float:
    """Records a second until nothing waits, in runs as the maintenance makes them."""
    before, began, filed = registry.taken(), time.perf_counter(), 0
    while True:
        done = office.service.filing.relay(MACHINE, RelayFilings())
        if done.refused or done.unreached:
            raise VoidMeasurement("the registry did not take what was filed")
        if not done.acknowledged:
            break
        filed += done.acknowledged
    seconds = time.perf_counter() - began
    if filed < count or registry.taken() - before != filed:
        raise VoidMeasurement(f"{filed} of {count} records were filed")
    return filed / seconds


def _fill(office: Office, seals: list[GrantedSeal], count: int) -> None:
    """Entries as the service writes them, with their personal fields and filings."""
    rooms = open_rooms(office.settings, SystemClock(), SystemEntropy())
    try:
        for first in range(0, count, _BATCH):
            with rooms.records.write() as transaction:
                for number in range(first, min(first + _BATCH, count)):
                    event = _record(office, seals[number % len(seals)], number)
                    rooms.log.append(transaction, act_of(office.system, event))
                transaction.commit()
    finally:
        rooms.database.close()


def _record(office: Office, granted: GrantedSeal, number: int) -> Event:
    """A use that was refused: its record is like another's, and no intent has to stand before it."""
    request = UseRequest(
        seal_code=granted.code,
        scenario=SCENARIO,
        placement=Placement(),
        level=SignatureLevel.B_B,
        allow_lower_level=False,
        document_name="示例文件.pdf",
        document_sha256=f"{number:064x}",
        document_sm3=f"{number:064x}",
        document_size=50_000,
        operator=Operator(id=f"U{number % 100:04d}", name="样某"),
        case_number=f"示〔2026〕{number}号",
    )
    event = use_event(EventKind.SEAL_DENIED, Result.REFUSED, granted.seal, office.unit, request)
    return replace(event, reason="grant_used_up", private=private_facts(request, granted.grant))
