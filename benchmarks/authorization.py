"""Authorization of a use: what ten thousand grants on its seal and a million uses in the log add to it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median

from sqlalchemy import Connection, text

from benchmarks.documents import one_page
from benchmarks.figures import VoidMeasurement
from benchmarks.office import SCENARIO, GrantedSeal, Office
from benchmarks.session import Session
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import open_rooms
from seal_service.domain.algorithms import Suite
from seal_service.domain.placement import Placement
from seal_service.domain.use import SealUse, SignatureLevel, UseRequest
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import Upload
from seal_service.usecases.apply_seal import ApplySeal, ApplySealUseCase
from seal_service.usecases.reserve_use import ReserveUse

PART = "authorize"
MOST_ADDED_MS = 2
_WARM_UP = 20
_BATCH = 100_000


def measure(session: Session) -> None:
    """Authorization (steps 1–3), the reservation (1–4, with its commit) and the whole use, on each database.

    On an empty one, and on a full one.

    The two take turns, so that a machine that is slow for a while is so for both.
    """
    amounts = session.amounts
    for database in session.databases():
        empty, full = (_Instance(session.instances.apart(f"{name}-{database}", database)) for name in ("empty", "full"))
        session.say(f"authorize: {database}, filling with {amounts.grants} grants and {amounts.uses} uses")
        _fill(full.office, full.seal, amounts.grants, amounts.uses)
        session.say(f"authorize: {database}, filled")
        for what, work in (("authorization", _authorize), ("reservation", _reserve), ("whole use, B-B", _use)):
            few, many = _alternately(work, empty, full, amounts.authorizations)
            title = f"{database}, {what}"
            session.add(PART, f"{title}: one grant, no use", few, "ms")
            session.add(PART, f"{title}: {amounts.grants:,} grants, {amounts.uses:,} uses", many, "ms")
            session.add(PART, f"{title}: added", many - few, "ms", at_most=MOST_ADDED_MS)


class _Instance:
    """An instance with a granted seal, and keys for its uses."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.seal = office.granted_seal(Suite.ECDSA_P256, maximum_uses=2_000_000_000)
        self._keys = itertools.count()

    def key(self) -> str:
        """A new idempotency key."""
        return f"authorize-{next(self._keys)}"


def _alternately(
    work: Callable[[_Instance], None], one: _Instance, other: _Instance, count: int
) -> tuple[float, float]:
    """The median milliseconds of each, after a few rounds that do not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(-min(_WARM_UP, count), count):
        for instance, times in zip((one, other), taken, strict=True):
            began = time.perf_counter()
            work(instance)
            if number >= 0:
                times.append((time.perf_counter() - began) * 1000)
    return median(taken[0]), median(taken[1])


def _document() -> Upload:
    return upload_of(one_page().content, "sample.pdf")


def _reserving(at: _Instance) -> tuple[ReserveUse, UseRequest]:
    office, seal = at.office, at.seal
    use_case = office.service.apply_seal.use_case
    assert isinstance(use_case, ApplySealUseCase)
    reserve = ReserveUse(use_case.records, use_case.log, use_case.clock, use_case.entropy, use_case.measurements)
    request = UseRequest(
        seal_code=seal.code,
        scenario=SCENARIO,
        placement=Placement(),
        level=SignatureLevel.B_B,
        allow_lower_level=False,
        document_name="sample.pdf",
        document_sha256="ab" * 32,
        document_sm3="cd" * 32,
        document_size=1,
        operator=None,
        case_number=None,
    )
    return reserve, request


def _authorize(at: _Instance) -> None:
    """Without the disk: the transaction is left as it is."""
    reserve, request = _reserving(at)
    with reserve.records.write() as transaction:
        seal = transaction.seals.lock(request.seal_code)
        if transaction.uses.by_key(at.office.system.identity, at.key()) is not None:
            raise VoidMeasurement("the key is known")
        reserve.authorized(transaction, at.office.system, seal, at.office.unit, request)


def _reserve(at: _Instance) -> None:
    reserve, request = _reserving(at)
    if isinstance(reserve(at.office.system, request, at.key(), None), SealUse):
        raise VoidMeasurement("the reservation was there already")


def _use(at: _Instance) -> None:
    command = ApplySeal(
        seal_code=at.seal.code,
        document=_document(),
        scenario=SCENARIO,
        idempotency_key=at.key(),
        level=SignatureLevel.B_B,
    )
    if at.office.service.apply_seal(at.office.system, command).content is None:
        raise VoidMeasurement("nothing was sealed")


def _fill(office: Office, seal: GrantedSeal, grants: int, uses: int) -> None:
    """Rows as the service writes them, straight into the tables: all of one seal, system and scenario."""
    rooms = open_rooms(office.settings, SystemClock(), SystemEntropy())
    try:
        owner = rooms.database.owner
        sqlite = owner.dialect.name == "sqlite"
        with owner.begin() as connection:
            if sqlite:
                connection.exec_driver_sql("PRAGMA cache_size = -400000")
            fill = _Filling(connection, seal.grant.id, seal.code, _microseconds())
            fill.grants(grants)
        for first in range(0, uses, _BATCH):
            with owner.begin() as connection:
                fill = _Filling(connection, seal.grant.id, seal.code, _microseconds())
                fill.uses(first, min(_BATCH, uses - first))
        with owner.begin() as connection:
            connection.execute(
                text("UPDATE use_grant SET uses_counted = uses_counted + :uses WHERE id = :id"),
                {"uses": uses, "id": seal.grant.id},
            )
        if not sqlite:  # the server does it by itself, a little later
            with owner.begin() as connection:
                connection.exec_driver_sql("ANALYZE")
    finally:
        rooms.database.close()


def _microseconds() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000)


class _Filling:
    """Inserts many rows by one statement, in either engine's words."""

    def __init__(self, connection: Connection, grant_id: str, seal_code: str, now: int) -> None:
        self._connection = connection
        self._given = {"grant": grant_id, "seal": seal_code, "now": now}
        if connection.dialect.name == "sqlite":
            counting = "SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :end"
            self._numbers = f"(WITH RECURSIVE n(i) AS ({counting}) SELECT i FROM n)"
            self._id = "printf('00000000-0000-7000-8000-%012d', i)"
            self._digest = "lower(hex(randomblob(32)))"
            self._bytes = "randomblob({})"
        else:
            self._numbers = "(SELECT i FROM generate_series(CAST(:first AS bigint), CAST(:end AS bigint) - 1) AS i)"
            self._id = "'00000000-0000-7000-8000-' || lpad(CAST(i AS text), 12, '0')"
            self._digest = "encode(sha256(convert_to(CAST(i AS text) || CAST(random() AS text), 'UTF8')), 'hex')"
            self._bytes = "decode(repeat(md5(CAST(i AS text)), {} / 16), 'hex')"

    def grants(self, count: int) -> None:
        """A quarter each is used up, revoked, expired, and for other documents; none of them allows the use."""
        part = count // 4
        for number, (standing, revoked, until, digests) in enumerate(
            (
                ("closed", "NULL", "valid_until", "''"),
                ("closed", ":now", "valid_until", "''"),
                ("open", "NULL", ":now", "''"),
                ("listed", "NULL", "valid_until", self._digest),
            )
        ):
            first = number * part
            self._run(
                "INSERT INTO use_grant (id, seal_code, grantee_id, scenario, scenario_kind, valid_from, valid_until, "
                "maximum_uses, responsible_person, approval_number, granted_by, granted_at, epoch, revoked_at, "
                "media_types, most_pages, digests, uses_counted, standing) "
                f"SELECT {self._id}, seal_code, grantee_id, scenario, scenario_kind, valid_from, {until}, 1, "
                "responsible_person, approval_number, granted_by, :now + i, 1, "
                f"CAST({revoked} AS bigint), '', NULL, {digests}, 1, '{standing}' "
                f"FROM use_grant, {self._numbers} AS numbers WHERE id = :grant",
                first,
                count if number == 3 else first + part,
            )
        self._run(
            "INSERT INTO use_grant_digest (sha256, grant_id) "
            "SELECT digests, id FROM use_grant WHERE seal_code = :seal AND standing = 'listed'"
        )

    def uses(self, first: int, count: int) -> None:
        """Completed uses by the measured grant, each with the entry that ends it."""
        (last,) = self._connection.execute(
            text("SELECT max(seq) FROM sign_log WHERE seal_code = :seal"), {"seal": self._given["seal"]}
        ).one()
        self._run(
            "INSERT INTO seal_use (id, account_id, idempotency_key, request_digest, seal_code, seal_epoch, grant_id, "
            "grant_epoch, scenario, state, document_sha256, document_sm3, intent_entry_id, intent_leaf_hash, "
            "reserved_at, level_asked, level_reached, sealed_sha256, terminal_entry_id, terminal_leaf_hash, ended_at) "
            f"SELECT {self._id}, grantee_id, 'filled-' || CAST(i AS text), {self._digest}, seal_code, 1, id, 1, "
            f"scenario, 'completed', {self._digest}, {self._digest}, {self._id}, {self._bytes.format(32)}, :now + i, "
            f"'B-B', 'B-B', {self._digest}, {self._id}, {self._bytes.format(32)}, :now + i "
            f"FROM use_grant, {self._numbers} AS numbers WHERE id = :grant",
            first,
            first + count,
        )
        self._run(
            "INSERT INTO sign_log (entry_id, kind, seq, intent_id, use_id, seal_code, unit_id, account_id, scenario, "
            "document_sha256, result, at, canon, leaf_hash) "
            f"SELECT {self._id}, 'seal.completed', {int(last)} + 1 + i - :first, {self._id}, {self._id}, code, "
            f"seal.unit_id, grantee_id, scenario, {self._digest}, 'success', :now + i, {self._bytes.format(320)}, "
            f"{self._bytes.format(32)} "
            f"FROM use_grant JOIN seal ON seal.code = seal_code, {self._numbers} AS numbers WHERE id = :grant",
            first,
            first + count,
        )

    def _run(self, statement: str, first: int = 0, end: int = 0) -> None:
        self._connection.execute(text(statement), {**self._given, "first": first, "end": end})
