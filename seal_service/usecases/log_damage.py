"""日志损坏: what one process met in the log that contradicts it, told to every process until it is put right."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.ports.records import Observation, Records
from seal_service.ports.system import Clock


@dataclass(frozen=True)
class LogDamage:
    """日志损坏 of one kind: one of the names in `domain.publication.DAMAGES`."""

    records: Records
    clock: Clock
    name: str

    def told(self) -> str | None:
        """What was met, with what to do; None: nothing, or it was put right."""
        with self.records.read() as transaction:
            observed = transaction.observations.all()
        return next((one.detail for one in observed if one.name == self.name and not one.well), None)

    def tell(self, damage: str | None) -> None:
        """Nothing is sealed from now on; or, with None, it is again."""
        if self.told() == damage:
            return
        with self.records.write() as transaction:
            told = Observation(name=self.name, at=self.clock.now(), well=damage is None, detail=damage or "none")
            transaction.observations.put(told)
            transaction.commit()
