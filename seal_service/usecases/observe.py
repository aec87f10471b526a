"""观测: look at what is outside, so that every process knows how old it is without asking itself."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import RevocationUnavailable, SealServiceError
from seal_service.domain.observation import (
    NOT_IN_USE,
    clock_of,
    key_of_authority,
    key_of_issuer,
    revocation_of,
    timestamp_of,
)
from seal_service.formats.cms import read_timestamp_token
from seal_service.formats.revocation import issuers_among, produced_at, subject_of
from seal_service.ports.crypto import RevocationSource, TimestampAuthority
from seal_service.ports.reading import Queries
from seal_service.ports.records import Observation, Records
from seal_service.ports.system import Clock

PROBE = hashlib.sha256(b"").digest()
"""What is time-stamped to see whether an authority answers: nothing."""
ROUNDING = timedelta(seconds=1)
"""A time-stamp may tell whole seconds."""
KINDS_OBSERVED = ("revocation:", "timestamp:", "clock:")
Before = Mapping[str, Observation]
"""What was observed the last time, by name."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe:
    """观测 now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was seen."""

    observations: tuple[Observation, ...]

    @property
    def well(self) -> bool:
        """Whether all of it is."""
        return all(one.well for one in self.observations)


@dataclass(frozen=True)
class ObserveUseCase:
    """观测: outside time-stamping authorities and their clocks, and the revocation data of outside issuers.

    An observation's moment is when the thing was last well: the time of the last good time-stamp, the age of the newest
    revocation data; of what never was well, when that was first seen. One that fails keeps no other from being made.
    """

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    queries: Queries
    authorities: Sequence[TimestampAuthority]
    """Those outside; each gives only tokens that verification will trust."""
    revocation: RevocationSource
    """Of the outside; not our own."""
    issuers: Callable[[], Sequence[bytes]]
    """Certificates (DER) that may have issued others."""
    clock: Clock
    clock_allowed: timedelta

    def __call__(self, _caller: Caller, _command: Observe) -> Observed:
        """Everything that is in use, and at the end what no longer is."""
        with self.records.read() as transaction:
            before = {one.name: one for one in transaction.observations.all()}
        made: dict[str, Observation] = {}
        for look in self._looks():
            try:
                seen = look(before)
            except Exception:
                _log.exception("an observation failed; the others go on")
                continue
            for observation in seen:
                made[observation.name] = observation
                self._note(observation)
        for name, gone in before.items():
            if name.startswith(KINDS_OBSERVED) and name not in made and gone.detail != NOT_IN_USE:
                self._note(Observation(name=name, at=self.clock.now(), well=True, detail=NOT_IN_USE))
        return Observed(observations=tuple(made.values()))

    def _note(self, observation: Observation) -> None:
        if not observation.well:
            _log.warning("observed: %s: %s", observation.name, observation.detail)
        with self.records.write() as transaction:
            transaction.observations.put(observation)
            transaction.commit()

    def _looks(self) -> Iterator[Callable[[Before], list[Observation]]]:
        for authority in self.authorities:
            yield partial(self._of_authority, authority)
        issuers = self.issuers()
        looked_at: set[str] = set()
        # One certificate of each issuer stands for all: an issuer's data is as old for one as for another.
        for certificate in self.queries.certificates_from_outside(self.clock.now()):
            found = issuers_among(certificate, issuers)
            key = key_of_issuer(found[0]) if found else f"unknown-{key_of_issuer(certificate)}"
            if key not in looked_at:
                looked_at.add(key)
                yield partial(self._of_issuer, revocation_of(key), certificate, found)

    def _of_authority(self, authority: TimestampAuthority, before: Before) -> list[Observation]:
        key = key_of_authority(authority.name)
        started = self.clock.now()
        try:
            token = read_timestamp_token(authority.timestamp(PROBE))
        except (SealServiceError, ValueError) as error:
            # What was seen of it earlier is still the last that is known.
            known = [before[name] for name in (clock_of(key), revocation_of(key)) if name in before]
            return [_unwell(before, timestamp_of(key), f"{authority.name}: {_words(error)}", started), *known]
        ended = self.clock.now()
        ahead = token.generated_at - (started + (ended - started) / 2)
        sure = max(timedelta(0), abs(ahead) - (ended - started) / 2 - ROUNDING)
        told = f"{authority.name} is {ahead.total_seconds():+.1f} s from this machine's clock"
        seen = [
            Observation(name=timestamp_of(key), at=ended, well=True, detail=authority.name),
            Observation(name=clock_of(key), at=ended, well=sure <= self.clock_allowed, detail=told),
        ]
        if token.signer_certificate is not None:
            candidates = [*token.certificates, *self.issuers()]
            seen += self._of_issuer(revocation_of(key), token.signer_certificate, candidates, before)
        return seen

    def _of_issuer(
        self, name: str, certificate: bytes, candidates: Sequence[bytes], before: Before
    ) -> list[Observation]:
        told = subject_of(certificate)
        failure: SealServiceError = RevocationUnavailable("its issuer's certificate is not known: `seal trust add` it")
        try:
            for issuer in issuers_among(certificate, candidates):
                told = subject_of(issuer)
                try:
                    evidence = self.revocation.evidence(certificate, issuer, None)
                    return [Observation(name=name, at=produced_at(evidence), well=True, detail=told)]
                except SealServiceError as error:
                    failure = error
        except SealServiceError as error:
            failure = error
        return [_unwell(before, name, f"{told}: {_words(failure)}", self.clock.now())]


def _unwell(before: Before, name: str, detail: str, now: datetime) -> Observation:
    earlier = before.get(name)
    since = now if earlier is None or earlier.detail == NOT_IN_USE else earlier.at
    return Observation(name=name, at=since, well=False, detail=detail)


def _words(error: Exception) -> str:
    return error.message if isinstance(error, SealServiceError) else str(error)
