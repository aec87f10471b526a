"""The log of an instance in a directory, sequenced and published, as beside a server, when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seal_service import bootstrap
from seal_service.bootstrap import Service
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import Rooms, open_rooms
from seal_service.config import Settings
from seal_service.domain.access import Caller, Role
from seal_service.formats.note import VerifierKey, verifier_key
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKey
from seal_service.usecases.sequence_log import SequenceLog

MACHINE = Caller(account_id=None, name="maintenance", roles=frozenset({Role.SYSTEM_OPERATOR}))


@dataclass
class LiveLog:
    """What a sequencer and a publisher beside the server have in hand."""

    service: Service
    rooms: Rooms
    size: int = 0

    @property
    def key(self) -> VerifierKey:
        """The log's."""
        return verifier_key(self.service.transparency.read_key(MACHINE, ReadLogKey()))

    def entries(self) -> list[bytes]:
        """Those that have a place."""
        with self.rooms.records.read() as transaction:
            return list(transaction.tree.entries(0, transaction.tree.head().size))

    def publish(self) -> None:
        """Give every entry its place and publish the tree; the first time, begin."""
        transparency = self.service.transparency
        if not self.size:
            transparency.initialise(MACHINE, InitialiseLog())
        while transparency.sequence(MACHINE, SequenceLog()).placed:
            pass
        self.size = transparency.publish(MACHINE, PublishCheckpoint()).size


@contextmanager
def live_log(home: Path) -> Iterator[LiveLog]:
    """Of the instance in a home."""
    settings = Settings(home=home, keys=home / "keys")
    service, rooms = bootstrap.build(settings), open_rooms(settings, SystemClock(), SystemEntropy())
    try:
        yield LiveLog(service, rooms)
    finally:
        rooms.database.close()
        service.close()
