"""不变量 after a crash: what callers were given, what the log says and what the province has, against each other."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, text

from seal_service.bootstrap import Service
from seal_service.usecases.check_database import CheckDatabase, CheckDatabaseUseCase
from seal_service.usecases.reconcile import Reconcile, ReconcileUseCase
from seal_service.usecases.relay_filings import RelayFilings, RelayFilingsUseCase
from tests.crash.caller import Outcome
from tests.crash.scene import MACHINE, Scene
from tests.crash.seen import Seen, UnseenScans
from tests.crash.tree import faults_of_files, faults_of_tree, glimpsed, published

_USES = """SELECT idempotency_key, state, sealed_sha256, intent_entry_id, intent_leaf_hash, terminal_entry_id
    FROM seal_use"""
_FILINGS = "SELECT task, entry_id, acknowledged_at FROM filing WHERE seal_code = :code ORDER BY seq, task"

SETTLING_SECONDS = 8.0
LOOKS_FOR_A_WHOLE_ONE = 25
"""One look of so many is at everything that there is."""


class _Later:
    """Every claim of a process that died has ended, and nothing waits for its next attempt."""

    def now(self) -> datetime:
        """In an hour."""
        return datetime.now(UTC) + timedelta(hours=1)


def settled(scene: Scene, *, whole: bool = False) -> list[str]:
    """Bring to its end what was left open, as time would; then what does not hold.

    `whole`: of all that there is; else of what is new, and of all of it only every so many times.
    """
    early = [*glimpsed(scene), *scene.ledger.faults()]
    if whole or scene.looks % LOOKS_FOR_A_WHOLE_ONE == 0:
        scene.seen = Seen()
        whole = True
    scene.looks += 1
    with scene.service() as service:
        _reconcile(service)
        for key in sorted(scene.ledger.open):
            if scene.caller().use(key) is Outcome.OPEN:
                return [*early, f"{key} is open after it was reconciled"]
        until = time.monotonic() + SETTLING_SECONDS
        while (found := _judged(scene, service, whole=whole)) and time.monotonic() < until:
            time.sleep(0.2)  # the service is at work: what it was in the middle of is no fault
        return [*early, *found, *scene.ledger.faults()]


def _judged(scene: Scene, service: Service, *, whole: bool) -> list[str]:
    _relay(service)
    late = published(service)
    with scene.reading() as connection:
        if not late:
            late = faults_of_tree(scene, service, connection)
            late += faults_of_files(service) if whole else []
        found = [*late, *_of_callers(scene, connection), *_of_province(scene, connection)]
    found += _of_database(scene, service)
    if not found:
        scene.seen.keep()
    return found


def _reconcile(service: Service) -> None:
    use_case = service.reconcile.use_case
    assert isinstance(use_case, ReconcileUseCase)
    replace(use_case, reservation=timedelta(0))(MACHINE, Reconcile())


def _relay(service: Service) -> None:
    use_case = service.filing.relay.use_case
    assert isinstance(use_case, RelayFilingsUseCase)
    replace(use_case, clock=_Later())(MACHINE, RelayFilings())


def _of_database(scene: Scene, service: Service) -> list[str]:
    """`seal db check --deep`, without the entries and documents that it found well before."""
    scene.seen.looked_at.clear()
    use_case = service.check_database.use_case
    assert isinstance(use_case, CheckDatabaseUseCase)
    unseen = replace(use_case, scans=UnseenScans(use_case.scans, scene.seen))
    checked = unseen(MACHINE, CheckDatabase(deep=True))
    return [f"{one.invariant.name}: {one.subject}: {one.detail}" for one in checked.findings]


def _of_callers(scene: Scene, connection: Connection) -> list[str]:
    """Released ⇒ logged, once, and the very intent of the log is inside what was given out."""
    uses = {row.idempotency_key: row for row in connection.execute(text(_USES))}
    entries = {str(one) for one in connection.execute(text("SELECT entry_id FROM sign_log")).scalars()}
    found = [f"{key} is still reserved" for key, row in uses.items() if row.state == "reserved"]
    for key, digests in scene.ledger.released.items():
        found += [f"{key}: {told}" for told in _wrong_with(uses.get(key), digests, entries)]
    unproven = [
        (key, content)
        for key, content in scene.ledger.unproven
        if key not in uses or bytes(uses[key].intent_leaf_hash).hex().encode() not in content.lower()
    ]
    found += [f"{key}: the document does not hold the leaf hash of its intent" for key, _ in unproven]
    scene.ledger.unproven[:] = unproven
    return found


def _wrong_with(row: Row[tuple[object, ...]] | None, digests: set[str], entries: set[str]) -> list[str]:
    if len(digests) != 1:
        return [f"{len(digests)} documents were released"]
    if row is None:
        return ["a document was released of which the database knows nothing"]
    (digest,) = digests
    found = []
    if row.state != "completed" or row.sealed_sha256 != digest:
        found.append(f"a document was released, and the use is {row.state} with {row.sealed_sha256}")
    if row.intent_entry_id not in entries or row.terminal_entry_id not in entries:
        found.append("a document was released, and its intent or its end is not in the log")
    return found


def _of_province(scene: Scene, connection: Connection) -> list[str]:
    """Everything is filed, once, in the order of the log, and nothing that is not in it."""
    code = scene.template.seal_code
    rows = connection.execute(text(_FILINGS), {"code": code}).all()
    waiting = [row.entry_id for row in rows if row.acknowledged_at is None]
    expected = [(str(row.task).upper(), row.entry_id.replace("-", "")) for row in rows]
    found = [f"not filed: {waiting[:3]} and {len(waiting)} in all"] if waiting else []
    if scene.registry.of_seal(code) != expected:
        found.append(
            f"the province has {len(scene.registry.taken)} records, not the {len(expected)} of the log in order"
        )
    return found + [f"the province refused: {one}" for one in scene.registry.faults]
