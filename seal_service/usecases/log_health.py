"""日志公布情况: what readiness tells of the published log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from seal_service.domain.errors import SealServiceError
from seal_service.domain.publication import ANSWER
from seal_service.domain.readiness import Dependency
from seal_service.ports.records import Records
from seal_service.ports.system import Clock
from seal_service.ports.transparency import TreeFiles
from seal_service.usecases.log_condition import NOT_BEGUN, LogCondition

NAME = "publication"
LATE = 6
"""Times the promised time after which entries that wait are warned of."""


@dataclass(frozen=True)
class PublicationHealth:
    """日志公布情况, from what is here: no witness is asked."""

    records: Records
    condition: LogCondition
    files: TreeFiles
    clock: Clock
    witnesses: tuple[str, ...]
    needed: int
    promised: timedelta
    required: bool
    """Whether nothing is sealed before the log was initialised: in production."""
    shares_volume: Callable[[], bool]
    """Whether the guard lies on the home's volume, with which it would be rolled back."""

    def __call__(self) -> Dependency:
        """Halted, late, or well; with what is weak about it."""
        try:
            looked = self.condition.look()
        except SealServiceError as error:  # its key is refused or does not answer
            return Dependency(name=NAME, ready=False, detail=error.message)
        if looked.halted is not None:
            return Dependency(name=NAME, ready=False, detail=looked.halted)
        if looked.damage is not None:
            return Dependency(name=NAME, ready=False, detail=looked.damage)
        if not looked.begun:
            return Dependency(name=NAME, ready=not self.required, detail=NOT_BEGUN, warning=True)
        try:
            tree = self.files.tree()
        except SealServiceError as error:
            return Dependency(name=NAME, ready=False, detail=error.message)
        with self.records.read() as transaction:
            oldest = transaction.tree.oldest_pending()
            observed = {one.name: one for one in transaction.observations.all()}
        published, now = 0 if tree is None else tree.size, self.clock.now()
        age = None if oldest is None else now - oldest
        signed_at = None if looked.signed is None else looked.signed.at
        weak = []
        if age is not None and age > LATE * self.promised:
            weak.append(f"an entry waits for its place since {int(age.total_seconds())} s")
        behind = looked.signed is not None and looked.signed.size > published
        if behind and signed_at is not None and now - signed_at > LATE * self.promised:
            weak.append(f"a checkpoint waits to be published since {signed_at.isoformat(timespec='seconds')}")
        unwell = [observed[name] for one in self.witnesses if (name := f"{ANSWER}{one}") in observed]
        weak += [one.detail for one in unwell if not one.well]
        if self.required and not self.witnesses:
            weak.append("no foreign witness cosigns (SEAL_LOG_WITNESSES)")
        elif self.required and not self.needed:
            weak.append("checkpoints are published without a witness (SEAL_LOG_WITNESSES_NEEDED)")
        if self.shares_volume():
            weak.append("the guard is on the home's volume and would be rolled back with it (SEAL_LOG_GUARD)")
        told = f"{published} entries published"
        return Dependency(name=NAME, ready=True, detail="; ".join([told, *weak]), age=age, warning=bool(weak))
