"""就绪检查: whether a seal applied now would be worth something."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.authority import AUTHORITY_RULES, current, ended
from seal_service.domain.errors import InvalidInput, SealServiceError
from seal_service.domain.issuance import AuthorityCredential
from seal_service.domain.observation import NOT_IN_USE, RECONCILE, clock_of, timestamp_of
from seal_service.domain.paging import PageRequest
from seal_service.domain.readiness import (
    SMALL_VOLUME_BYTES,
    Allowed,
    Dependency,
    judge_credential,
    judge_filing,
    judge_space,
    judge_trust,
)
from seal_service.formats import canonical
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.revocation import list_produced_at
from seal_service.ports.activation import KeyProcess
from seal_service.ports.crypto import KeyCustody, KeyStore, PublicKeyServices
from seal_service.ports.reading import LogFilter, Queries
from seal_service.ports.records import LogRow, Observation, Records, Transaction
from seal_service.ports.system import Clock, Volumes
from seal_service.usecases.key_uses import issuer_of
from seal_service.usecases.log_health import PublicationHealth

_log = logging.getLogger(__name__)

Observations = Mapping[str, Observation]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """就绪检查 now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamps:
    """Where time-stamps come from."""

    outside: tuple[str, ...]
    """Names (as in observations) of the authorities outside."""
    embedded: bool
    """Whether the instance's own unit is tried last."""


@dataclass(frozen=True, kw_only=True)
class CheckReadinessUseCase:
    """就绪检查 of everything in `domain.readiness`, from what is here: nothing outside is asked, no key is used but for
    our own revocation lists, which are kept for an hour."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    queries: Queries
    keys: KeyStore
    custody: KeyCustody
    services: PublicKeyServices
    volumes: Volumes
    clock: Clock
    allowed: Allowed
    timestamps: Timestamps
    durability: Callable[[], tuple[str, bool]]
    """How the database commits, in words, and whether what was committed survives a loss of power."""
    since: datetime
    """When this process began: what runs beside it has had no time before."""
    process: KeyProcess
    activation_required: bool
    """Whether no seal's key that the service keeps signs without its keeper."""
    publication: PublicationHealth
    files: bool = False
    """Whether a provincial registry is configured."""

    def __call__(self, _caller: Caller, _command: CheckReadiness) -> tuple[Dependency, ...]:
        """Every dependency, ready or not; without a database or with another schema, that alone."""
        try:
            return tuple(self._dependencies())
        except SealServiceError as error:
            return (Dependency(name="database", ready=False, detail=error.message),)
        except Exception as error:
            _log.exception("readiness cannot be told")
            return (Dependency(name="database", ready=False, detail=f"it cannot be read ({type(error).__name__})"),)

    def _dependencies(self) -> Iterator[Dependency]:
        database_time = self.queries.database_time()
        words, sound = self.durability()
        yield Dependency(name="database", ready=sound, detail=words)
        if not self.queries.schema_is_current():
            yield Dependency(name="schema", ready=False, detail="of another version than this program's")
            return
        yield Dependency(name="schema", ready=True, detail="current")
        custody = self.custody.finding()
        yield Dependency(name="keys", ready=custody.ready, detail=custody.detail)
        now = self.clock.now()
        newest = next(iter(self.queries.log(PageRequest(limit=1), LogFilter()).items), None)
        with self.records.read() as transaction:
            observed = {one.name: one for one in transaction.observations.all() if one.detail != NOT_IN_USE}
            own = transaction.authorities.all()
            trust = judge_trust(transaction.trust.all(), now, self.allowed.confirmation)
            reservations = self._reservations(transaction, now)
            backlog = transaction.filings.backlog()
            taken = transaction.activations.any()
        if taken or self.activation_required:
            yield self._key_process(taken, now)
        yield from self._authorities(own, now)
        yield self._own_lists(now)
        yield from self._revocation(observed, now)
        yield trust
        if self.timestamps.outside:
            yield self._timestamps(observed, now)
        yield _log_entry(newest, now)
        yield self.publication()
        yield reservations
        yield self._clock(observed, newest, database_time, now)
        for space in self.volumes.free():
            reserve = self.allowed.disk_bytes
            least = min(reserve, SMALL_VOLUME_BYTES) if space.name == "keys" else reserve
            yield judge_space(f"disk:{space.name}", space.free_bytes, least)
        yield self._maintenance(observed.get(RECONCILE), now)
        yield judge_filing(backlog, self.files, now, self.allowed.filing)

    def _key_process(self, taken: bool, now: datetime) -> Dependency:
        """Without it nothing signs that a keeper has taken; as long as nobody has taken anything it is not missed."""
        try:
            found = self.process.condition()
        except SealServiceError as error:
            return Dependency(name="key_process", ready=not taken, detail=error.message, warning=True)
        detail = f"running since {found.since.isoformat(timespec='seconds')}, activated keys: {found.activated}"
        return Dependency(name="key_process", ready=True, detail=detail, age=now - found.since)

    def _authorities(self, own: Sequence[AuthorityCredential], now: datetime) -> Iterator[Dependency]:
        """Of each role the credential that signs, and of earlier issuing CAs that have not ended their responders."""
        for role, rule in AUTHORITY_RULES.items():
            of_role = [one for one in own if one.role is role]
            yield self._authority(f"authority:{role.value}", current(of_role, now), now)
            earlier = [one for one in own if one.role is rule.issuer and not ended(one, now)][:-1]
            for issuer in earlier if rule.for_each_issuer else ():
                fellows = [one for one in of_role if issuer_of(one, [issuer]) is issuer]
                name = f"authority:{role.value}:{issuer.role.value}-{issuer.version}"
                yield self._authority(name, current(fellows, now), now)

    def _authority(self, name: str, credential: AuthorityCredential | None, now: datetime) -> Dependency:
        if credential is None:
            return Dependency(name=name, ready=False, detail="there is none: run `seal init`")
        try:
            self.keys.open(credential.key_reference)
            self.keys.place(credential.key_reference)  # a held key does not tell whether the HSM still has it
        except SealServiceError as error:
            return Dependency(name=name, ready=False, detail=error.message, age=now - credential.not_before)
        return judge_credential(name, credential, now)

    def _own_lists(self, now: datetime) -> Dependency:
        try:
            produced = min(list_produced_at(make()) for make in (self.services.crl, self.services.root_crl))
        except SealServiceError as error:
            return Dependency(name="crl", ready=False, detail=error.message)
        return Dependency(name="crl", ready=True, detail="signed", age=now - produced)

    def _revocation(self, observed: Observations, now: datetime) -> Iterator[Dependency]:
        for name, seen in observed.items():
            if name.startswith("revocation:"):
                age = now - seen.at
                ready = age <= self.allowed.revocation
                yield Dependency(name=name, ready=ready, detail=seen.detail, age=age, warning=not seen.well)

    def _timestamps(self, observed: Observations, now: datetime) -> Dependency:
        seen = [observed[one] for one in map(timestamp_of, self.timestamps.outside) if one in observed]
        lately = [one for one in seen if now - one.at <= self.allowed.timestamp]
        age = now - max(one.at for one in seen) if seen else None
        unwell = [one for one in seen if not one.well or one not in lately]
        starting = not seen and now - self.since <= self.allowed.timestamp
        detail = "; ".join(one.detail for one in unwell) or ("answering" if seen else "not asked yet by `seal serve`")
        return Dependency(
            name="timestamp",
            ready=bool(lately) or starting or self.timestamps.embedded,
            detail=detail,
            age=age,
            warning=bool(unwell),
        )

    def _reservations(self, transaction: Transaction, now: datetime) -> Dependency:
        stale = transaction.uses.reserved_before(now - 2 * self.allowed.reservation, 1)
        if not stale:
            return Dependency(name="reservations", ready=True, detail="none overdue")
        detail = f"use {stale[0].id} of seal {stale[0].seal_code} has not ended"
        return Dependency(name="reservations", ready=False, detail=detail, age=now - stale[0].reserved_at)

    def _clock(
        self, observed: Observations, newest: LogRow | None, database_time: datetime | None, now: datetime
    ) -> Dependency:
        wrong = []
        if database_time is not None and abs(database_time - now) > self.allowed.clock:
            ahead = (now - database_time).total_seconds()
            wrong.append(f"this machine is {ahead:+.1f} s from the database's")
        if newest is not None and newest.at - now > self.allowed.clock:
            wrong.append(f"the newest log entry was written {(newest.at - now).total_seconds():.1f} s after now")
        compared = [observed[one] for one in map(clock_of, self.timestamps.outside) if one in observed]
        lately = [one for one in compared if now - one.at <= self.allowed.timestamp]
        wrong += [one.detail for one in lately if not one.well]
        right = "; ".join(one.detail for one in lately) or "agrees with the database and the log"
        return Dependency(name="clock", ready=not wrong, detail="; ".join(wrong) or right)

    def _maintenance(self, ran: Observation | None, now: datetime) -> Dependency:
        """Overdue only when this process has been here long enough to have seen it run."""
        if ran is None:
            ready = now - self.since <= self.allowed.maintenance
            return Dependency(
                name="maintenance", ready=ready, detail="it never ran: `seal serve` runs it", warning=True
            )
        age = now - ran.at
        late = age > self.allowed.maintenance
        ready = now - max(ran.at, self.since) <= self.allowed.maintenance
        told = f"last ran {ran.at.isoformat(timespec='seconds')}"
        return Dependency(name="maintenance", ready=ready, detail=told, age=age, warning=late)


def _log_entry(newest: LogRow | None, now: datetime) -> Dependency:
    """The newest entry, hashed again; its moment and its id as they stand in its bytes."""
    if newest is None:
        return Dependency(name="log", ready=False, detail="it has no entry, not even of its opening")
    age = now - newest.at
    if leaf_hash(newest.canon) != newest.leaf_hash:
        return Dependency(name="log", ready=False, detail=f"entry {newest.entry_id} was changed", age=age)
    try:
        entry = canonical.decode(newest.canon)
    except InvalidInput:
        return Dependency(name="log", ready=False, detail=f"entry {newest.entry_id} cannot be read", age=age)
    told = entry.get("at")
    if entry.get("id") != newest.entry_id or not isinstance(told, str) or datetime.fromisoformat(told) != newest.at:
        return Dependency(name="log", ready=False, detail=f"entry {newest.entry_id} is another's", age=age)
    return Dependency(name="log", ready=True, detail=f"newest entry {newest.entry_id}", age=age)
