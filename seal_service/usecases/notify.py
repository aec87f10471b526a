"""通知: messages for outside are written in the acting transaction, so that none is lost and none is of nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.events import LoggedEntry
from seal_service.domain.identifiers import uuid7
from seal_service.domain.notification import Notification, Target
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Seal
from seal_service.ports.records import Transaction
from seal_service.ports.system import Entropy


@dataclass(frozen=True)
class Notify:
    """A part of acts that others have to hear of: the making office's systems and mailboxes, as set."""

    targets: tuple[Target, ...] = ()
    entropy: Entropy | None = None

    def __call__(
        self,
        transaction: Transaction,
        *,
        event_id: str,
        kind: str,
        subject: str,
        payload: dict[str, object],
        now: datetime,
    ) -> None:
        """One message for each target; nothing for one that was told of the same event before."""
        told = {"event_id": event_id, "kind": kind, "at": _time(now), **payload}
        for target in self.targets:
            if self.entropy is None:
                raise TypeError("notifications need randomness for their ids")
            transaction.notifications.add(
                Notification(
                    id=uuid7(now, self.entropy.token(10)),
                    once=f"{event_id} {target.channel.value} {target.address}",
                    event_id=event_id,
                    kind=kind,
                    subject=subject,
                    payload=json.dumps(told, ensure_ascii=False, sort_keys=True),
                    channel=target.channel,
                    target=target.address,
                    created_at=now,
                    next_at=now,
                )
            )

    def of_seal(
        self, transaction: Transaction, logged: LoggedEntry, seal: Seal, unit: Unit, reason: str, now: datetime
    ) -> None:
        """Of what happened to a seal: its code, name, holder and state, and why."""
        payload: dict[str, object] = {
            "seal_code": seal.code,
            "seal_name": seal.name,
            "unit_id": unit.id,
            "unit_name": unit.name,
            "state": seal.state.value,
            "reason": reason,
            "document_number": seal.document_number,
            "invalid_from": None if seal.invalid_from is None else _time(seal.invalid_from),
        }
        kind = logged.kind.value
        self(
            transaction,
            event_id=logged.entry_id,
            kind=kind,
            subject=f"{kind} {seal.code}",
            payload=payload,
            now=now,
        )


NOBODY = Notify()
"""Where nobody is to be told."""


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
