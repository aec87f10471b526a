"""An instance whose log has as many entries as are asked for, written as uses of seals write theirs."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import open_rooms
from seal_service.bootstrap.transparency import publication_of
from seal_service.domain.events import Event, EventKind, LoggedEntry, Result, Scalar
from seal_service.jobs.maintenance import MACHINE
from seal_service.ports.records import Transaction
from seal_service.ports.transparency import PublishedLog
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.rotate_log_key import RotateLogKey
from seal_service.usecases.sequence_log import SequenceLog
from tests.instance import RealOffice

AT_ONCE = 1000
"""Entries in a transaction."""
_SIGNATURE_BYTES = 72


@dataclass
class UsedOffice(RealOffice):
    """Its unit's seal is applied once for real; the further uses are their entries alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.service.transparency.initialise(MACHINE, InitialiseLog())
        self.use("first")
        self.rooms = open_rooms(self.settings, SystemClock(), SystemEntropy())
        self.proving: PublishedLog = publication_of(self.settings, self.rooms).published
        self._written = 0
        self._intent: tuple[int, LoggedEntry] | None = None

    def close(self) -> None:
        """The databases."""
        self.rooms.database.close()
        self.service.close()

    def append(self, count: int) -> None:
        """So many entries more: for every two uses, of two entries each, a verification."""
        while count > 0:
            with self.rooms.records.write() as transaction:
                for _ in range(min(count, AT_ONCE)):
                    self._append_one(transaction)
                transaction.commit()
            count -= AT_ONCE

    def sequence(self) -> int:
        """Give every entry its place; how many have one now."""
        while True:
            done = self.service.transparency.sequence(MACHINE, SequenceLog())
            if done.placed == 0:
                return done.size

    def publish(self) -> None:
        """The tree as it stands."""
        done = self.service.transparency.publish(MACHINE, PublishCheckpoint())
        assert done.waiting == 0

    def rotate_key(self) -> None:
        """The log's next key follows."""
        self.service.transparency.rotate_key(MACHINE, RotateLogKey(pause=lambda: None))
        with self.rooms.records.read() as transaction:
            self.rooms.log_keys.read(transaction)

    @property
    def published(self) -> Path:
        """Where the log's files are."""
        return self.settings.published_log

    @property
    def verifier_key(self) -> str:
        """Of the log."""
        return self.rooms.log_key.verifier_key

    def sign(self, text: str) -> bytes:
        """Whatever one likes, with the log's key."""
        return self.rooms.log_key.sign(text)

    def _append_one(self, transaction: Transaction) -> None:
        number, self._written = self._written, self._written + 1
        if self._intent is not None:
            begun, logged = self._intent
            self.rooms.log.append(transaction, self._completed(begun, logged))
            self._intent = None
        elif number % 5 == 0:
            self.rooms.log.append(transaction, _verified(number))
        else:
            self._intent = number, self.rooms.log.append(transaction, self._use(EventKind.SEAL_INTENT, number))

    def _completed(self, number: int, intent: LoggedEntry) -> Event:
        sealed = _digest("sealed", number)
        facts: dict[str, Scalar] = {
            "sealed_sha256": sealed,
            "sealed_sm3": _digest("sm3 of sealed", number),
            "document_format": "PDF",
            "level": "B-LT",
            "signature_algorithm": "1.2.840.10045.4.3.2",
            "signature_value": base64.b64encode((bytes.fromhex(sealed) * 3)[:_SIGNATURE_BYTES]).decode(),
            "position": "1,120000,200000,42000,42000",
            "field_name": "Seal1",
        }
        return self._use(EventKind.SEAL_COMPLETED, number, facts, intent)

    def _use(
        self, kind: EventKind, number: int, facts: dict[str, Scalar] | None = None, intent: LoggedEntry | None = None
    ) -> Event:
        return Event(
            kind=kind,
            result=Result.UNDECIDED if intent is None else Result.SUCCESS,
            account_id=self.system.account_id,
            account_name=self.system.name,
            seal_code=self.made.code,
            unit_id=self.holder.id,
            scenario="permit",
            document_sha256=_digest("document", number),
            use_id=f"{_digest('use', number)[:32]}",
            intent_id=None if intent is None else intent.entry_id,
            intent_leaf_hash=None if intent is None else intent.leaf_hash.hex(),
            operator_id=f"operator-{number % 50}",
            facts={
                "seal_name": self.made.name,
                "unit_name": self.holder.name,
                "unit_credit_code": self.holder.credit_code,
                "area_code": self.holder.area_code,
                "document_sm3": _digest("sm3", number),
                "document_size": 40_000 + number % 7919,
                **(facts or {}),
            },
            private={"document_name": f"示例文件{number}.pdf", "operator_name": "样某", "client_address": "127.0.0.1"},
        )


def _verified(number: int) -> Event:
    return Event(
        kind=EventKind.DOCUMENT_VERIFIED,
        document_sha256=_digest("verified", number),
        facts={"indication": "TOTAL_PASSED", "signatures": 1, "document_sm3": _digest("sm3 of verified", number)},
    )


def _digest(what: str, number: int) -> str:
    return hashlib.sha256(f"{what} {number}".encode()).hexdigest()
